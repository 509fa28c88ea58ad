"""What has no score is said with its reason, once a kind of reason."""

from __future__ import annotations

from typing import Any

from lamina.bench.unscored import unscored_rows
from lamina.cli.bench_lines import missing_lines


def record(task: str, *reasons: str, unscored: bool = True, **scores: bool) -> dict[str, Any]:
    named = {"model": "m", "precision": "Q8_0", "task": task}
    return {**named, "reasons": list(reasons), "scores": {"unscored": unscored, **scores}}


def test_reasons_that_differ_in_numbers_alone_are_one_and_the_first_is_told():
    rows = unscored_rows(
        [
            record("gsm8k", "the prompt has 312 tokens,\nthe context 200"),
            record("gsm8k", unscored=False),
            record("gsm8k", "the prompt has 290 tokens, the context 200"),
            record("gsm8k", "the image is broken"),
            record("gsm8k", "crashed at generate", crashed=True, broken=True),
            record("mmlu", "wrong", unscored=False),
            record("xstest"),
        ]
    )
    told = [(row["task"], row["n"], row["of"], row["why"]) for row in rows]
    assert told == [
        ("gsm8k", 2, 5, "the prompt has 312 tokens, the context 200"),
        ("gsm8k", 1, 5, "the image is broken"),
        ("xstest", 1, 1, "no reason is kept"),
    ]


def test_the_printed_lines_name_the_model_the_task_and_the_reason():
    blind = {"model": "m", "precision": "", "task": "easy_vqa", "metric": "not_possible", "detail": "it cannot see"}
    unscored = unscored_rows([record("gsm8k", "the prompt has 312 tokens")])
    assert missing_lines({"rows": [blind], "unscored": unscored}) == [
        "m is not asked easy_vqa: it cannot see",
        "m Q8_0: 1 of 1 of gsm8k unscored: the prompt has 312 tokens",
    ]
    assert missing_lines({"rows": []}) == []
