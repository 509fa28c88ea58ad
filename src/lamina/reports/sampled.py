"""The page of samples of a bench: each prompt once, with the answer of every model below it, to be filtered."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamina.reports.browsing import MOST, SEED, write_browsable
from lamina.runs import RecordStore
from lamina.runs.run import STORE
from lamina.runs.sampling import KeyedSample, even_shares

JSON = dict[str, Any]
PAGE = "samples.html"
FIRST, LAST = 4000, 2000
"""Characters of a longer text that stand open, from its beginning and from its end, where the question often stands.
What is between is packed, and unpacked where somebody opens it."""
FIELDS = [
    ("kind", "verdict"), ("task", "task"), ("right", "right in"), ("wrong", "wrong in"), ("unscored", "unscored in"),
]  # fmt: skip


def write_samples_page(folder: Path, models: Sequence[str]) -> Path | None:
    """Writes ``samples.html`` of a run; None where it has no samples. ``models``: the order in which their answers
    stand. Every text is whole. Of more than ``MOST`` prompts as many of each task are drawn, and the page says how many
    are left out. Raises StorageError."""
    places = {name: i for i, name in enumerate(models)}
    if not (folder / STORE).exists():
        return None
    packed = Packed()
    with RecordStore(folder / STORE) as store:
        drawn, there = _draw(store, places)
        if not drawn:
            return None
        shares = even_shares({task: len(some) for task, some in drawn.items()}, MOST)
        rows = []
        for task, some in drawn.items():
            for sample, found in some.smallest(shares[task]).items():
                kept = [store.get("sample", id) for _, id in sorted(found, key=lambda one: one[0])]
                records = [json.loads(row.payload) for row in kept if row is not None]
                if records:  # a bench that goes on meanwhile may lay some aside
                    shown = _row(task, sample, records, store)
                    rows.append(shown | {"steps": [packed.shortened(step) for step in shown["steps"]]})
    left_out = {task: n - shares[task] for task, n in there.items() if n > shares[task]}
    brand = '<a href="report.html">Report of the run</a>'
    return write_browsable(folder / PAGE, rows, left_out, "Samples", FIELDS, brand, packed.texts)


def _draw(store: RecordStore, places: Mapping[str, int]) -> tuple[dict[str, KeyedSample[tuple[int, str]]], JSON]:
    """By task, some samples with where their records stand, and how many samples there are. Of them nothing else is
    kept: they may be many and long. Their number is that of the model that answered most, as all are asked the same."""
    drawn: dict[str, KeyedSample[tuple[int, str]]] = {}
    answered: dict[str, Counter[str]] = {}
    for row in store.iterate("sample"):
        record = json.loads(row.payload)
        task, name = record["task"], _name(record)
        answered.setdefault(task, Counter())[name] += 1
        some = drawn.setdefault(task, KeyedSample(MOST, SEED))
        some.offer(record["sample"], (places.get(name, len(places)), row.id))
    return drawn, {task: max(len(drawn[task]), *counts.values()) for task, counts in answered.items()}


class Packed:
    """The middles of long texts, each once: deflated (RFC 1950) and in base64, as the page unpacks them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[bytes, int] = {}

    def shortened(self, step: JSON) -> JSON:
        """A step whose text is long with its beginning as ``text``, its end as ``end``, and as ``rest`` the place in
        ``texts`` of the ``characters`` between."""
        text = step["text"]
        if len(text) <= FIRST + LAST:
            return step
        middle = text[FIRST:-LAST].encode("utf-8", "replace")
        digest = hashlib.sha256(middle).digest()
        if digest not in self._places:
            self._places[digest] = len(self.texts)
            self.texts.append(base64.b64encode(zlib.compress(middle, 9)).decode())
        between = {"rest": self._places[digest], "characters": len(text) - FIRST - LAST}
        return step | {"text": text[:FIRST], "end": text[-LAST:], **between}


def _row(task: str, sample: str, records: list[JSON], store: RecordStore) -> JSON:
    """``kind`` is what the models' verdicts have in common; ``good`` colours the row."""
    verdicts: dict[str, list[str]] = {"right": [], "wrong": [], "unscored": []}
    steps = _asked(max(records, key=lambda record: len(record["transcript"])), store)
    for record in records:
        name = _name(record)
        verdict = "unscored" if record["scores"].get("unscored") else "right" if record["right"] else "wrong"
        verdicts[verdict].append(name)
        steps.append({"who": name, "text": _said(record), "mark": verdict, "note": _note(record)})
        steps += _likelihoods(record) + _judged(record)
    present = [verdict for verdict, names in verdicts.items() if names]
    kind = "models differ" if len(present) > 1 else f"all {present[0]}" if len(records) > 1 else present[0]
    return {"id": sample, "kind": kind, "good": present == ["right"], "task": task, "steps": steps, **verdicts}


def _asked(record: JSON, store: RecordStore) -> list[JSON]:
    """Everything that was asked, of all turns, each thing once; numbered where there are several turns."""
    turns = record["transcript"]
    steps: list[JSON] = []
    said: list[JSON] = []
    for number, turn in enumerate(turns, 1):
        numbered = f" {number}" if len(turns) > 1 else ""
        if turn.get("prompt") is not None:
            steps.append({"who": f"prompt{numbered}", "text": turn["prompt"]})
        messages = turn.get("messages") or []
        lean = "messages" in (turn.get("shared") or {})  # only what is new was kept
        new = messages[len(said) :] if not lean and messages[: len(said)] == said else messages
        for message in new:
            if message["role"] == "user" or (message["role"] == "system" and message not in said):
                who = message["role"] + (numbered if message["role"] == "user" else "")
                steps.append({"who": who, "text": str(message.get("content") or "")})
        if number == 1:
            steps += [_image(str(path), store) for path in turn.get("images") or []]
        said = messages
    return steps + _wanted(turns[0] if turns else {})


def _image(path: str, store: RecordStore) -> JSON:
    small = store.get("picture", path)
    shown = {"image": f"data:image/jpeg;base64,{base64.b64encode(small.payload).decode()}"} if small else {}
    return {"who": "image", "text": path, **shown}


def _wanted(first: JSON) -> list[JSON]:
    wanted = first.get("target")
    if wanted is None and first.get("tools"):
        wanted = first.get("expected") or "no call"
    if wanted is None:
        return []
    return [{"who": "wanted", "text": wanted if isinstance(wanted, str) else _written(wanted)}]


def _said(record: JSON) -> str:
    """The answers of all turns, numbered where there are several; what a tool gave in between stands with them."""
    turns = record["transcript"]
    parts = []
    for number, turn in enumerate(turns, 1):
        written = "\n".join(str(turn[part]) for part in ("said", "answer") if turn.get(part))
        answer = written or "(nothing)"
        parts += [*_results(turn), f"[{number}] {answer}" if len(turns) > 1 else answer]
    return "\n".join(parts) or "(nothing)"


def _results(turn: JSON) -> list[str]:
    """What the calls of the answer before gave."""
    results: list[str] = []
    for message in reversed(turn.get("messages") or []):
        if message["role"] != "tool":
            break
        results.insert(0, f"→ {message.get('content') or ''}")
    return results


def _likelihoods(record: JSON) -> list[JSON]:
    """Of a task that compares them instead of having an answer written."""
    found = record["transcript"][-1].get("likelihoods") if record["transcript"] else None
    told = [f"{value:.2f} {text}" for text, value in (found or {}).items()]
    return [{"who": "log-probability", "text": "\n".join(told)}] if told else []


def _judged(record: JSON) -> list[JSON]:
    """What the judge said of the answer, with its reason."""
    given = record.get("judgements") or []
    steps = []
    for number, judgement in enumerate(given, 1):
        verdict = judgement["verdict"] or {}
        said = "no verdict that can be read" if not verdict else _verdict(verdict)
        who = f"judge {number}" if len(given) > 1 else "judge"
        steps.append({"who": who, "text": f"{said} ({judgement['judge']})"})
    return steps


def _verdict(verdict: JSON) -> str:
    said = verdict.get("score")
    if "refuses" in verdict:
        said = "refuses" if verdict["refuses"] else "does not refuse"
    return f"{said}: {verdict.get('reason') or ''}"


def _note(record: JSON) -> str:
    turns = record["transcript"]
    tokens = sum(turn.get("completion_tokens") or 0 for turn in turns)
    told = [f"{name} {value:.3g}" for name, value in record["scores"].items() if type(value) is float]
    told += ["cut at the limit"] if record["scores"].get("cut") else []
    repairs = dict.fromkeys(repair for turn in turns for repair in turn.get("repairs") or ())
    told += [f"repaired: {', '.join(repairs)}"] if repairs else []
    told += [str(reason)[:300] for reason in record["reasons"][:2]]
    return "; ".join([f"{tokens} tokens", *told])


def _written(wanted: Any) -> str:
    return json.dumps(wanted, ensure_ascii=False)


def _name(record: JSON) -> str:
    return f"{record['model']} {record['precision']}".strip()
