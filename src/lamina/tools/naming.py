"""Names that every chat template and output format can carry: identifiers, unique, at most 64 characters."""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Container

LONGEST = 64


def identifier(text: str, lead: str = "tool") -> str:
    """``text`` as ``[a-zA-Z_][a-zA-Z0-9_]{0,63}``, itself where it is one already; never a Python keyword.

    ``lead`` goes before what starts with a digit or has no usable letter. What has to be cut ends in a part
    of its hash, so that two long names stay two.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^0-9a-zA-Z_]+", "_", plain)
    if name != text:
        name = re.sub(r"__+", "_", name).strip("_")
    if not name.strip("_"):
        name = f"{lead}_{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:6]}"
    if name[0].isdigit():
        name = f"{lead}_{name}"
    if keyword.iskeyword(name):
        name += "_"
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 9]}_{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
    return name


def unique(name: str, taken: Container[str]) -> str:
    """``name``, or with the first free number after it."""
    found, number = name, 2
    while found in taken:
        end = f"_{number}"
        found, number = name[: LONGEST - len(end)] + end, number + 1
    return found
