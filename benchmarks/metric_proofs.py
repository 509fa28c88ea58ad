"""Lamina's metrics against other people's implementations of them, on seeded pairs: a table in Markdown.

    python -m venv references
    references/bin/pip install lm-eval==0.4.13 torchmetrics==1.9.0 nltk scikit-learn wordllama
    references/bin/pip install --no-deps salesforce-lavis==1.0.2 lmms-eval==0.7.3
    python benchmarks/metric_proofs.py --references references/bin/python        # some minutes; nothing is downloaded

The references run in their own Python (``metric_references.py``). ``--show PROOF`` prints the cases that differ;
``--golden FILE`` keeps some cases of each proof with what the references said, for the tests.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metric_cases import CASES, Case, cases
from metric_ours import OURS

Figures = dict[str, Any]
HEAD = "| metric | of | reference | pairs | agree | neither 0 nor 1 | largest difference |\n" + 7 * "|---" + "|"
KEPT = 6
"""Cases of a proof that the tests hold."""


@dataclass(frozen=True)
class Proof:
    """``tolerance``: how far two figures lie apart that agree (torchmetrics computes in 32 bits, the VQA evaluation
    rounds)."""

    tasks: str
    reference: str
    tolerance: float = 1e-6


PROOFS = {
    "words": Proof("hotpotqa, xquad, dolly, jsonl", "torchmetrics' SQuAD (the official script, ported)"),
    "rouge": Proof("cnn_dailymail, xsum, dolly, jsonl", "torchmetrics' ROUGE, with NLTK's stemmer"),
    "bleu": Proof("dolly, jsonl", "NLTK's sentence BLEU, third smoothing, WMT's tokens"),
    "gsm8k": Proof("gsm8k", "lm-eval's gsm8k: flexible-extract, exact match"),
    "letters": Proof("mmlu, truthfulqa, halueval, bbq, …", "lm-eval's multiple choice"),
    "likeliest": Proof("truthfulqa:mc1", "lm-eval's truthfulqa_mc1 and _mc2"),
    "bias": Proof("bbq (sets of 10 to 30 answers)", "lm-eval's bbq"),
    "vqa": Proof("vqav2", "the official VQAEval, from LAVIS"),
    "vizwiz": Proof("vizwiz, textvqa (people's answers as typed)", "lmms-eval's vizwiz_vqa"),
    "gqa": Proof("gqa", "lmms-eval's gqa: exact match without case and marks"),
    "sql": Proof("sql, jsonl", "SQLite's parser; NLTK's edit distance"),
    "consistency": Proof("adversarial_instruction", "WordLlama's embedding, scikit-learn's cosine", 1e-5),
    "correlation": Proof("confaide, with its interval", "SciPy's pearsonr"),
    "counts": Proof("every rate's interval; the test of pairs", "SciPy's binomtest, Wilson and exact"),
}

KNOWN: dict[str, tuple[str, Callable[[Figures, Figures, str], bool]]] = {
    "bias": (
        "no answer follows the stereotype: lm-eval says 0 there, the paper's formula -1 (times the error rate)",
        lambda one, two, metric: two[metric] == 0 and one[metric.replace("bias", "following")] == 0,
    ),
    "gqa": (
        "VQA's normal form leaves out articles, writes numbers as digits and puts a space for a mark inside a word",
        lambda one, two, metric: one["plain"] == 0,
    ),
    "sql": (
        "sqlglot reads what SQLite does not (a clause without its list, a comma at the end)",
        lambda one, two, metric: one[metric] > two[metric],
    ),
}
"""Why figures of a proof may differ, and whether two do for this reason."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", required=True, help="a Python that has the reference implementations")
    parser.add_argument("-n", type=int, default=1000, help="pairs of each proof")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=list(CASES), help="these proofs")
    parser.add_argument("--show", action="append", default=[], help="print the cases of this proof that differ")
    parser.add_argument("--golden", type=Path, help="keep cases with the references' figures in this file")
    options = parser.parse_args()
    names = options.only or list(CASES)
    asked = {name: list(cases(name, options.n, options.seed)) for name in names}
    theirs = told(options.references, asked)
    print(HEAD)
    kept, notes = [], []
    for name in names:
        ours = [OURS[name](case) for case in asked[name]]
        notes += print_rows(name, ours, theirs[name])
        if name in options.show:
            show(name, asked[name], ours, theirs[name])
        triples = zip(asked[name], ours, theirs[name], strict=True)
        agreed = [{"proof": name, "case": c, "figures": t} for c, o, t in triples if not differing(name, o, t)]
        kept += agreed[:KEPT]  # those on which both agree: the tests hold Lamina to them
    print("\n".join(["", *notes]))
    if options.golden:
        options.golden.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    return 0


def told(python: str, asked: Mapping[str, Sequence[Case]]) -> dict[str, list[Figures]]:
    """What the references say of each case, all in one process: their imports take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        given, said = Path(folder) / "cases.jsonl", Path(folder) / "figures.jsonl"
        rows = [{"proof": name, "case": case} for name, of in asked.items() for case in of]
        given.write_text("".join(json.dumps(row) + "\n" for row in rows))
        script = Path(__file__).with_name("metric_references.py")
        done = subprocess.run([python, str(script), str(given), str(said)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"the references failed: {done.stderr[-2000:]}")
        lines = iter(said.read_text().splitlines())
    return {name: [json.loads(next(lines)) for _ in of] for name, of in asked.items()}


def print_rows(name: str, ours: Sequence[Figures], theirs: Sequence[Figures]) -> list[str]:
    """Prints a row for each metric; what is to be said of those that differ."""
    proof, notes = PROOFS[name], []
    errors = [figures["error"] for figures in theirs if "error" in figures]
    if errors:
        notes.append(f"- {name}: {len(errors)} cases that the reference does not judge: {errors[0]}")
    for metric in dict.fromkeys(key for figures in theirs for key in figures if key != "error"):
        pairs = [(o, t) for o, t in zip(ours, theirs, strict=True) if both(o, t, metric)]
        far = [abs(one[metric] - two[metric]) for one, two in pairs]
        differ = [pair for pair, apart in zip(pairs, far, strict=True) if apart > proof.tolerance]
        between = sum(two[metric] not in (0.0, 1.0) for _, two in pairs)
        cells = (f"`{metric}`", proof.tasks, proof.reference, len(pairs), len(pairs) - len(differ), between)
        print("|", " | ".join(map(str, cells)), f"| {max(far, default=0):.1g} |", flush=True)
        if differ:
            why, holds = KNOWN.get(name, ("unexplained", lambda one, two, metric: False))
            known = sum(holds(one, two, metric) for one, two in differ)
            notes.append(f"- `{metric}`: {known} of the {len(differ)} that differ: {why}")
    return notes


def both(one: Figures, two: Figures, metric: str) -> bool:
    """A figure that has nothing to be made of is left out by Lamina, and not a number there."""
    return metric in one and metric in two and not math.isnan(two[metric])


def differing(name: str, one: Figures, two: Figures) -> list[str]:
    tolerance = PROOFS[name].tolerance
    return list(two) if "error" in two else [m for m in two if m in one and not _meets(one[m], two[m], tolerance)]


def _meets(one: float, two: float, tolerance: float) -> bool:
    return math.isnan(two) or abs(one - two) <= tolerance


def show(name: str, asked: Sequence[Case], ours: Sequence[Figures], theirs: Sequence[Figures]) -> None:
    for case, one, two in zip(asked, ours, theirs, strict=True):
        if differing(name, one, two):
            print(json.dumps(case, ensure_ascii=False)[:600], "\n    ours  ", one, "\n    theirs", two, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
