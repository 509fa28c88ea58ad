"""Mutated inputs into every reader: how many, how many crashed, the slowest.

usage: data_fuzz.py [-n INPUTS] [--seed S] [--atheris SECONDS]

Starts from a small row of each format (tests/trajectories/foreign_rows.py) and from the first rows of the shared data,
where they are. Any exception but Refused is a crash; anything over a second is a hang. With --atheris the coverage-
guided fuzzer (pip install atheris) runs the text parsers."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ODD: list[Any] = [
    None, "", "null", "[", "]", "{", "}", "'", '"', "\\", "\x00", "\ud800", [], {}, 0, -1, 1e308, 2**70, True, "tool",
    "system", "<tool_call>",
    "[f(", "f(**{})", '"' * 9, "[" * 200, "(" * 200, {"name": {}}, {"role": "assistant"}, [[[[]]]], "🙂",
]  # fmt: skip


def mutated(value: Any, rng: random.Random, rounds: int = 3) -> Any:
    """A copy with up to ``rounds`` of its parts changed, removed, doubled, or put elsewhere."""
    copy = json.loads(json.dumps(value))
    for _ in range(rng.randint(1, rounds)):
        copy = _once(copy, rng)
    return copy


def _once(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        roll = rng.random()
        if roll < 0.12:
            del value[key]
        elif roll < 0.2:
            value[str(rng.choice(ODD))[:9]] = value.pop(key)
        else:
            value[key] = _once(value[key], rng)
        return value
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        roll = rng.random()
        if roll < 0.12:
            del value[at]
        elif roll < 0.24:
            value.insert(at, value[rng.randrange(len(value))])
        else:
            value[at] = _once(value[at], rng)
        return value
    if isinstance(value, str) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        piece = rng.choice(ODD)
        with_it = piece if isinstance(piece, str) else rng.choice("'\"{}[]()<>\\,:=\n ")
        return value[:at] + with_it + value[at + rng.choice((0, 1, 7)) :]
    return rng.choice(ODD)


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flipped, cut, doubled and inserted bytes."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if not found:
            break
        at = rng.randrange(len(found))
        roll = rng.random()
        if roll < 0.4:
            found[at] = rng.randrange(256)
        elif roll < 0.55:
            del found[at : at + rng.randint(1, 40)]
        elif roll < 0.7:
            found[at:at] = found[at : at + rng.randint(1, 40)]
        elif roll < 0.95:
            found[at:at] = rng.choice([b'"', b"\\", b"{", b"]", b"\n", b"\xff", b"\x00", b"'", b"\xef\xbb\xbf"])
        else:
            del found[at:]
    return bytes(found)


def seeds() -> list[tuple[str, Any]]:
    """``(format, row)`` of the tests' rows and of the shared samples."""
    root = Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root / "tests" / "trajectories"))
    from foreign_rows import ROWS

    from lamina.errors import InputError
    from lamina.trajectories.formats import detect_format
    from lamina.trajectories.formats.reading.rows import sample_of

    found = list(ROWS.items())
    for file in sorted((root.parent / "shared" / "data").glob("*/*.json*")):
        try:
            name = detect_format(file).name
        except InputError:
            continue
        found += [(name, row) for row in sample_of(file).rows[:4] if len(json.dumps(row)) < 20_000]
    return found


def fuzz(n: int, seed: int) -> dict[str, Any]:
    from lamina.trajectories.formats import find_format
    from lamina.trajectories.formats.reading.refused import Refused

    rows = seeds()
    outcomes: Counter[str] = Counter()
    crashes: list[str] = []
    slowest, slowest_format, started = 0.0, "", time.perf_counter()
    for number in range(n):
        rng = random.Random(seed * 1_000_003 + number)
        name, row = rows[number % len(rows)]
        reader = find_format(name).from_row
        if reader is None:
            outcomes["no reader of rows"] += 1
            continue
        changed = mutated(row, rng)
        before = time.perf_counter()
        try:
            reader(changed, Path("."))
            outcomes["record"] += 1
        except Refused:
            outcomes["refused"] += 1
        except Exception as error:
            outcomes["crash"] += 1
            crashes.append(f"{name} (input {number}): {type(error).__name__}: {error}"[:200])
        took = time.perf_counter() - before
        if took > slowest:
            slowest, slowest_format = took, name
    return {
        "inputs": n, "formats": len({name for name, _ in rows}), "seeds": len(rows), **outcomes,
        "crashes": crashes[:20],
        "slowest_seconds": round(slowest, 4), "slowest_format": slowest_format,
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def guided(seconds: int) -> None:
    """Coverage-guided, of the parsers that read text: a data set's, a model's answer, the fifteen output formats. Does
    not return: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports():
        from lamina.models import parsing
        from lamina.models.output_formats import find_output_format, output_formats
        from lamina.trajectories.formats.reading import chat, loose

    answers = [find_output_format(name).parse for name in output_formats()]
    texts = [loose.loose, loose.python_calls, chat.tagged_calls, chat.array_calls, chat.calls_in_lines]
    parsers = [*texts, parsing.read_calls, *answers]

    def one(data: bytes) -> None:
        text = data.decode(errors="replace")
        for parse in parsers:
            try:
                parse(text)
            except ValueError:
                continue

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-timeout=1"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", type=int, default=0, metavar="SECONDS")
    given = parser.parse_args()
    if given.atheris:
        guided(given.atheris)
    print(json.dumps(fuzz(given.n, given.seed), indent=2))
