"""The samples of a bench as a file for anybody's tools: one row a model and sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from lamina.bench.pictures import keep_pictures
from lamina.bench.tasks.played import whole
from lamina.bench.timing import MEASURES
from lamina.runs import Run
from lamina.runs.files import atomic_file
from lamina.tools.tool import JSON

SAMPLES = "samples.jsonl"


def write_samples(run: Run, *, parquet: bool = False) -> Path:
    """``samples.jsonl`` in the run's folder and, with ``parquet``, ``samples.parquet`` beside it; the first's path. A
    row is ``{"model", "precision", "task", "sample", "prompts" and "answers" (one a turn, in order), "sent" (of each
    turn the whole text, null where the backend does not tell it), "messages" (the whole conversation before the last
    answer; empty where a prompt was sent without a chat template), "images" (paths),
    "answer" (the last), "calls", "repairs" (what was repaired to read them), "confidence" (null where no calls were
    asked for, or by an earlier version), "likelihoods" (``[{"text", "log_probability"}]``, where they are compared),
    "target", "verdict" (right, wrong or unscored), "scores", "reasons", "judgements" (``[{"judge", "verdict"}]``, with
    the judge's reason), "prompt_tokens", "answer_tokens", "turns", "ttft_seconds", "itps", "otps", "total_seconds"}``;
    times are means over the rounds, null where the sample was not timed. Raises StorageError, and MissingExtraError
    where Parquet is asked for and pyarrow is absent."""
    keep_pictures(run)
    file = run.folder / SAMPLES
    with atomic_file(file) as out:
        for row in sample_rows(run):
            out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    if parquet:
        from lamina.data.packing import pack

        pack(file, file.with_suffix(".parquet"))
    return file


def sample_rows(run: Run) -> Iterator[JSON]:
    """In the order of the tasks, all models of one after the other."""
    times = _times(run)
    for stored in run.store.iterate("sample"):
        record = orjson.loads(stored.payload)
        turns = list(whole(record["transcript"]))
        last = turns[-1] if turns else {}
        about = tuple(record[key] for key in ("model", "precision", "task", "sample"))
        unscored = bool(record["scores"].get("unscored"))
        yield {
            **{key: record[key] for key in ("model", "precision", "task", "sample")},
            "prompts": [_asked(turn) for turn in turns],
            "answers": [turn.get("answer") for turn in turns],
            "sent": [turn.get("sent", turn.get("prompt")) for turn in turns],
            "messages": last.get("messages") or [],
            "images": last.get("images") or [],
            "answer": last.get("answer"),
            "calls": last.get("calls") or [],
            "repairs": last.get("repairs") or [],
            "confidence": last.get("confidence"),
            "likelihoods": [
                {"text": text, "log_probability": value} for text, value in (last.get("likelihoods") or {}).items()
            ],
            "target": last.get("target", last.get("expected")),
            "verdict": "unscored" if unscored else "right" if record["right"] else "wrong",
            "scores": record["scores"],
            "reasons": record["reasons"],
            "judgements": record.get("judgements") or [],
            "prompt_tokens": last.get("prompt_tokens"),
            "answer_tokens": last.get("completion_tokens"),
            "turns": len(turns),
            **times.get(about, dict.fromkeys(MEASURES)),
        }


def _asked(turn: JSON) -> str:
    """What a turn put to the model last: the prompt that was sent as it is, or the last message."""
    if turn.get("prompt") is not None:
        return str(turn["prompt"])
    messages = turn.get("messages") or [{}]
    return str(messages[-1].get("content") or "")


def _times(run: Run) -> dict[tuple[Any, ...], JSON]:
    """The mean of each measure over the rounds, by model, precision, task and sample."""
    found: dict[tuple[Any, ...], dict[str, list[float]]] = {}
    for stored in run.store.iterate("timing"):
        row = orjson.loads(stored.payload)
        about = tuple(row[key] for key in ("model", "precision", "task", "sample"))
        of = found.setdefault(about, {name: [] for name in MEASURES})
        for name in MEASURES:
            of[name] += [row[name]] if row[name] is not None else []
    return {about: {name: mean(v) if v else None for name, v in of.items()} for about, of in found.items()}
