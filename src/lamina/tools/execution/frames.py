"""Messages between the processes: four bytes of length, then JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

import orjson

HEADER = struct.Struct("!I")
_decoder = json.JSONDecoder()


def pack(message: Any) -> bytes:
    body = json_bytes(message)
    return HEADER.pack(len(body)) + body


def json_bytes(value: Any) -> bytes:
    """JSON of what is known to be JSON data: quickly, or where orjson does not take it (integers beyond 64 bits, half
    a surrogate pair), as ever."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def send(descriptor: int, message: Any) -> None:
    left = memoryview(pack(message))
    while left:
        left = left[os.write(descriptor, left) :]


def receive(descriptor: int) -> Any:
    """The next message, or None at the end of the stream. Blocks."""
    header = _exactly(descriptor, HEADER.size)
    if header is None:
        return None
    body = _exactly(descriptor, HEADER.unpack(header)[0])
    return None if body is None else _value(body)


def _exactly(descriptor: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(descriptor, min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def split(buffer: bytearray) -> list[Any]:
    """Take the complete messages off the front of ``buffer``. Raises ValueError for what is no message."""
    found = []
    while len(buffer) >= HEADER.size:
        end = HEADER.size + HEADER.unpack(buffer[: HEADER.size])[0]
        if len(buffer) < end:
            break
        found.append(_value(buffer[HEADER.size : end]))
        del buffer[:end]
    return found


def _value(body: bytearray | bytes) -> Any:
    """``json.loads`` without its guess at the encoding and at white space, none of which ``pack`` writes."""
    text = body.decode("utf-8", "surrogatepass")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError("more than one value")
    return value
