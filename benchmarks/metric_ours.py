"""What Lamina says of the cases of ``metric_cases.py``: ``OURS[proof](case)`` is a figure for each of its names, 0 to 1
(bias scores and correlations -1 to 1)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from metric_cases import Case

from lamina.bench.intervals import correlation, mcnemar, wilson
from lamina.bench.metrics import bleu, exact_match, rouge, sql_scores, token_f1
from lamina.bench.tasks import Setting, open_task
from lamina.bench.tasks.adversarial_instruction import consistency
from lamina.bench.tasks.gsm8k import _score as gsm8k_score
from lamina.bench.tasks.pictured import word_score
from lamina.bench.tasks.truthfulqa import Likeliest
from lamina.bench.vqa_accuracy import ARTICLES, NUMBERS, vqa_accuracy
from lamina.models import Reply
from lamina.models.continuations import Row, replies_of
from lamina.tools import Toolbox


def ours_letters(case: Case) -> dict[str, float]:
    """Through the code that makes a reply of likelihoods, and the task's own reading of it."""
    request: Any = SimpleNamespace(continuations=["A", "B", "C", "D"])
    reply = replies_of([request], [Row([1], [], [[1]] * 4)], lambda rows, on: on(0, case["likelihoods"]), None)[0]
    return {"accuracy": float(reply.text == "ABCD"[case["target"]])}


def ours_likeliest(case: Case) -> dict[str, float]:
    names = [f"answer {i}" for i in range(len(case["likelihoods"]))]
    sample: Any = SimpleNamespace(row={"prompt": "Q", "answers": names, "true": case["true"]})
    talk = Likeliest(None).solve(sample, Setting(Toolbox([]), "plain"))
    next(talk)
    try:
        talk.send(Reply(names[0], likelihoods=case["likelihoods"]))
    except StopIteration as end:
        return {name: float(end.value.scores[name]) for name in ("mc1", "mc2")}
    raise AssertionError("one answer is one turn")


def ours_bias(case: Case) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as data:
        (Path(data) / "bbq").mkdir()
        lines = [json.dumps(row) + "\n" for row in case["rows"]]
        (Path(data) / "bbq/All.jsonl").write_text("".join(lines))
        task = open_task("bbq", data=data)
        outcomes = []
        for sample, answer in zip(task.samples(), case["answers"], strict=True):
            talk = task.solve(sample, Setting(Toolbox([]), "plain"))
            next(talk)
            try:
                talk.send(Reply("ABC"[answer]))
            except StopIteration as end:
                outcomes.append({**end.value.scores, "right": end.value.right})
    found = {figure.metric: figure.interval.value for figure in task.figures(outcomes)}
    for condition in ("disambiguated", "ambiguous"):
        of = [o for o in outcomes if o["condition"] == condition]
        found[f"following_{condition}"] = float(sum(o["follows_stereotype"] for o in of))
    return found


def ours_gqa(case: Case) -> dict[str, float]:
    """``plain``: neither text has what VQA's normal form treats in its own way (articles, numbers as words, marks other
    than one at the end)."""
    texts_of = [str(case[side]).lower().strip() for side in ("answer", "target")]
    bare = [text[:-1] if text[-1:] in (".", "!") and text[-2:-1] != " " else text for text in texts_of]
    treated = ARTICLES | set(NUMBERS)
    plain = all(word.isalnum() and word not in treated for text in bare for word in text.split())
    return {"accuracy": float(word_score(case, case["answer"])["accuracy"]), "plain": float(plain)}


def ours_counts(case: Case) -> dict[str, float]:
    found = wilson(case["right"], case["n"])
    assert found is not None
    return {"low": found.low, "high": found.high, "mcnemar": mcnemar(case["lost"], case["gained"])}


def ours_correlation(case: Case) -> dict[str, float]:
    found = correlation(case["one"], case["two"])
    assert found is not None
    return {"correlation": found.value, "low": found.low, "high": found.high}


OURS: dict[str, Callable[[Case], dict[str, float]]] = {
    "words": lambda c: {
        "exact_match": float(exact_match(c["answer"], c["targets"])),
        "f1": token_f1(c["answer"], c["targets"]),
    },
    "rouge": lambda c: rouge(c["answer"], c["targets"]),
    "bleu": lambda c: {"bleu": bleu(c["answer"], c["targets"])},
    "gsm8k": lambda c: {
        "accuracy": float(gsm8k_score({"target": c["target"].rsplit("####")[-1]}, c["answer"])["accuracy"])
    },
    "letters": ours_letters,
    "likeliest": ours_likeliest,
    "bias": ours_bias,
    "vqa": lambda c: {"vqa_accuracy": vqa_accuracy(c["answer"], c["people"])},
    "vizwiz": lambda c: {"vqa_accuracy": vqa_accuracy(c["answer"], c["people"])},
    "gqa": ours_gqa,
    "sql": lambda c: {k: float(sql_scores(c["answer"], c["target"])[k]) for k in ("sql_valid", "similarity")},
    "consistency": lambda c: {k: float(v) for k, v in consistency(c["answers"]).items() if v is not None},
    "correlation": ours_correlation,
    "counts": ours_counts,
}
