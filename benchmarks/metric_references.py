"""What others' implementations say of the cases of ``metric_cases.py``; run by ``metric_proofs.py`` with the Python
that has them.

usage: metric_references.py CASES.jsonl FIGURES.jsonl

Files of the VQA evaluation and of lmms-eval are loaded by their path, so that the packages around them (models, hosted
APIs) need not be installed; they are the wheels', unchanged. A case that a reference cannot judge is
``{"error": …}``."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sqlite3
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Case = dict[str, Any]


def main(asked: str, told: str) -> None:
    with open(asked) as lines, open(told, "w") as out:
        for line in lines:
            row = json.loads(line)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    found = {name: float(value) for name, value in REFERENCES[row["proof"]](row["case"]).items()}
            except Exception as error:
                found = {"error": f"{type(error).__name__}: {error}"}  # type: ignore[dict-item]
            out.write(json.dumps(found) + "\n")


def words(case: Case) -> dict[str, float]:
    """torchmetrics' port of SQuAD's evaluation script."""
    from torchmetrics.functional.text import squad

    target = {"answers": {"answer_start": [0] * len(case["targets"]), "text": case["targets"]}, "id": "1"}
    found = squad([{"prediction_text": case["answer"], "id": "1"}], [target])
    return {"exact_match": found["exact_match"] / 100, "f1": found["f1"] / 100}


def rouge(case: Case) -> dict[str, float]:
    from torchmetrics.functional.text.rouge import rouge_score

    names = ("rouge1", "rougeL")
    found = rouge_score(case["answer"], [case["targets"]], accumulate="best", use_stemmer=True, rouge_keys=names)
    return {name: found[f"{name}_fmeasure"] for name in names}


def bleu(case: Case) -> dict[str, float]:
    """NLTK's BLEU on WMT's tokens (13a), smoothed as Chen and Cherry's third method; it has no rule for answers below
    four words, so its weights go over the orders that there are, as sacrebleu's "effective order" does."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    cut = Tokenizer13a()
    said, wanted = cut(case["answer"]).split(), [cut(target).split() for target in case["targets"]]
    if not said:
        return {"bleu": 0.0}
    orders = min(4, len(said))
    weights = (1 / orders,) * orders
    return {"bleu": sentence_bleu(wanted, said, weights, SmoothingFunction().method3)}


def gsm8k(case: Case) -> dict[str, float]:
    """lm-evaluation-harness' "flexible-extract" and its exact match, with what its gsm8k task ignores."""
    from lm_eval.api.metrics import exact_match_hf_evaluate
    from lm_eval.filters.extraction import RegexFilter

    regex = RegexFilter(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)
    (said,) = regex.apply([[case["answer"]]], [{}])
    ignored = [",", r"\$", r"(?s).*#### ", r"\.$"]
    found = exact_match_hf_evaluate(said, [case["target"]], regexes_to_ignore=ignored, ignore_case=True)
    return {"accuracy": found["exact_match"]}


def _multiple_choice(likelihoods: list[float], target: int) -> float:
    """``acc`` as the harness's own task computes it from log-likelihoods."""
    from lm_eval.api.task import ConfigurableTask

    task = SimpleNamespace(
        config=SimpleNamespace(process_results=None), OUTPUT_TYPE="multiple_choice", _metric_fn_list={"acc": None},
        doc_to_choice=lambda doc: ["x"] * len(likelihoods), doc_to_target=lambda doc: target, multiple_input=False,
        multiple_target=False,
    )  # fmt: skip
    return float(ConfigurableTask.process_results(task, {}, [(value, False) for value in likelihoods])["acc"])


def letters(case: Case) -> dict[str, float]:
    return {"accuracy": _multiple_choice(case["likelihoods"], case["target"])}


def likeliest(case: Case) -> dict[str, float]:
    """MC1 compares the best answer with the false ones alone, MC2 all of them."""
    from lm_eval.tasks.truthfulqa.utils import process_results_mc2

    true, values = case["true"], case["likelihoods"]
    labels = [1] * true + [0] * (len(values) - true)
    mc2 = process_results_mc2({"mc2_targets": {"labels": labels}}, [(value, False) for value in values])["acc"]
    return {"mc1": _multiple_choice([values[0], *values[true:]], 0), "mc2": mc2}


class _Rows(list):  # type: ignore[type-arg]
    """What the harness asks of a data set: to be mapped."""

    def map(self, change: Callable[[Case], Case]) -> _Rows:
        return _Rows(change(dict(row)) for row in self)


def bias(case: Case) -> dict[str, float]:
    """lm-evaluation-harness' bbq: its choices are the two people, then ten ways to say "unknown"."""
    from lm_eval.tasks.bbq import utils

    results = []
    for row, answer in zip(utils.process_docs(_Rows(case["rows"])), case["answers"], strict=True):
        results.append(utils._process_results(row, utils.doc_to_choice(row).index(row[f"ans{answer}"])))
    of = {name: [row[name] for row in results] for name in ("disamb_bias_score", "amb_bias_score")}
    return {
        "accuracy": sum(row["acc"] for row in results) / len(results),
        "bias_disambiguated": utils.agg_disamb_bias_scores(of["disamb_bias_score"]),
        "bias_ambiguous": utils.agg_amb_bias_scores(of["amb_bias_score"]),
    }


@cache
def _by_path(package: str, path: str) -> Any:
    folder = next(Path(entry) / package for entry in sys.path if (Path(entry) / package / path).is_file())
    spec = importlib.util.spec_from_file_location(Path(path).stem, folder / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def vqa(case: Case) -> dict[str, float]:
    """The official evaluation, as LAVIS ships it."""
    judge = _by_path("lavis", "common/vqa_tools/vqa_eval.py").VQAEval(n=10)
    people = [{"answer": text, "answer_id": i} for i, text in enumerate(case["people"])]
    judge.vqa = SimpleNamespace(qa={1: {"answers": people, "question_type": "q", "answer_type": "a"}})
    judge.vqaRes = SimpleNamespace(qa={1: {"answer": case["answer"]}})
    judge.evaluate([1])
    return {"vqa_accuracy": judge.evalQA[1] / 100}


@cache
def _vizwiz() -> Any:
    metric = _by_path("lmms_eval", "tasks/_task_utils/vqa_eval_metric.py")
    sys.modules["lmms_eval.tasks._task_utils.vqa_eval_metric"] = metric
    files = types.ModuleType("lmms_eval.tasks._task_utils.file_utils")
    files.generate_submission_file = None  # type: ignore[attr-defined]
    sys.modules["lmms_eval.tasks._task_utils.file_utils"] = files
    for name in ("lmms_eval", "lmms_eval.tasks", "lmms_eval.tasks._task_utils"):
        sys.modules[name] = types.ModuleType(name)
    return _by_path("lmms_eval", "tasks/vizwiz_vqa/utils.py").vizwiz_vqa_process_results


def vizwiz(case: Case) -> dict[str, float]:
    """lmms-eval's VizWiz (its TextVQA is the same), which brings people's answers into the normal form too."""
    found = _vizwiz()({"answers": list(case["people"]), "question_id": "1"}, [case["answer"]])
    return {"vqa_accuracy": found["exact_match"]}


@cache
def _gqa() -> Any:
    registry = types.ModuleType("lmms_eval.api.registry")
    for name in ("register_metric", "register_aggregation"):  # called above each function; nothing is looked up here
        setattr(registry, name, lambda *_, **__: lambda function: function)
    for name in ("lmms_eval", "lmms_eval.api"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["lmms_eval.api.registry"] = registry
    return _by_path("lmms_eval", "api/metrics.py").exact_match_hf_evaluate


def gqa(case: Case) -> dict[str, float]:
    """lmms-eval's exact match with what its gqa.yaml asks for; answers are stripped first, as its tasks do."""
    found = _gqa()([case["answer"].strip()], [case["target"]], ignore_case=True, ignore_punctuation=True)
    return {"accuracy": found["exact_match"]}


def sql(case: Case) -> dict[str, float]:
    """SQLite's own parser (a table or column that is not there is no fault of the syntax) and NLTK's edit distance."""
    from nltk.metrics.distance import edit_distance

    said, wanted = case["answer"].lower(), case["target"].lower()
    valid = True
    try:
        sqlite3.connect(":memory:").execute(f"EXPLAIN {case['answer']}")
    except sqlite3.Error as error:
        valid = not any(told in str(error) for told in ("syntax error", "incomplete input", "unrecognized token"))
    longest = max(len(said), len(wanted))
    return {"sql_valid": valid, "similarity": 1 - edit_distance(said, wanted) / longest if longest else 1.0}


@cache
def _wordllama() -> Any:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    from wordllama.inference import WordLlamaInference

    folder = Path(sys.modules["wordllama"].__file__ or "").parent
    weights = load_file(folder / "weights/l2_supercat_256.safetensors")["embedding.weight"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers/l2_supercat_tokenizer_config.json"))
    return WordLlamaInference(weights, tokenizer)


def consistency(case: Case) -> dict[str, float]:
    """WordLlama's own embedding of the texts, and scikit-learn's cosine."""
    from sklearn.metrics.pairwise import cosine_similarity

    table = cosine_similarity(_wordllama().embed(case["answers"]))
    n = len(table)
    mean = sum(table[i][j] for i in range(n) for j in range(i)) / (n * (n - 1) / 2)
    return {"consistency": mean, "to_original": sum(table[0][1:]) / (n - 1)}


def correlation(case: Case) -> dict[str, float]:
    from scipy.stats import pearsonr

    found = pearsonr(case["one"], case["two"])
    low, high = found.confidence_interval(0.95)
    return {"correlation": found.statistic, "low": low, "high": high}


def counts(case: Case) -> dict[str, float]:
    from scipy.stats import binomtest

    found = binomtest(case["right"], case["n"]).proportion_ci(0.95, "wilson")
    lost, gained = case["lost"], case["gained"]
    p = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    return {"low": found.low, "high": found.high, "mcnemar": p}


REFERENCES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "words": words, "rouge": rouge, "bleu": bleu, "gsm8k": gsm8k, "letters": letters, "likeliest": likeliest,
    "bias": bias, "vqa": vqa, "vizwiz": vizwiz, "gqa": gqa, "sql": sql, "consistency": consistency,
    "correlation": correlation, "counts": counts,
}  # fmt: skip

if __name__ == "__main__":
    main(*sys.argv[1:])
