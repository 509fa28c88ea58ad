"""Numbers and calls as people read them. Each function is a filter in the templates."""

from __future__ import annotations

import json
from typing import Any

MINUS = "\N{MINUS SIGN}"
GAP = "\N{NO-BREAK SPACE}"
_LONGEST_VALUE = 160


def percent(fraction: float | None, digits: int = 1) -> str:
    return "–" if fraction is None else f"{fraction * 100:.{digits}f}{GAP}%"


def bounds(row: Any) -> str:
    """The interval of a row with ``low`` and ``high``; empty where it has none."""
    if not row or row.get("low") is None or row.get("high") is None:
        return ""
    return f"{row['low'] * 100:.1f}–{row['high'] * 100:.1f}{GAP}%"


def points(fraction: float | None) -> str:
    """A difference of rates in percentage points, with its sign."""
    if fraction is None:
        return "–"
    value = round(fraction * 100, 1)
    sign = MINUS if value < 0 else "+" if value > 0 else ""
    return f"{sign}{abs(value):.1f}"


def size(count: float | None) -> str:
    if count is None:
        return "–"
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f}{GAP}{unit}"
        count /= 1000
    return f"{count:.2f}{GAP}GB"


def duration(seconds: float | None) -> str:
    """``0.031`` as ``31 ms``, ``75`` as ``1 min 15 s``."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f}{GAP}ms"
    if seconds < 60:
        return f"{seconds:.1f}{GAP}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}{GAP}h {minutes}{GAP}min"
    return f"{minutes}{GAP}min {rest}{GAP}s"


def count(value: float | None) -> str:
    """With a thin space between the thousands; whole from ten on."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 10 else f"{value:.2f}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def number(value: float) -> str:
    """A score that is no share: whole where it is, else with two places, with its sign where it is below 0."""
    text = f"{abs(value):,.0f}" if float(value).is_integer() else f"{abs(value):,.2f}"
    sign = MINUS if value < 0 and text.strip("0.") else ""
    return sign + text.replace(",", "\N{NARROW NO-BREAK SPACE}")


def words(name: str) -> str:
    """``value-not-in-request`` as ``value not in request``."""
    return str(name).replace("_", " ").replace("-", " ")


def value(found: Any) -> str:
    """A scalar of unknown meaning."""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int | float):
        return count(found) if abs(found) >= 10 or found == int(found) else f"{found:.3g}"
    return str(found)


def call(row: Any) -> str:
    """``{"name", "arguments"}`` as ``name(argument="value")``; also takes the form with ``function``."""
    inner = row.get("function", row)
    arguments = inner.get("arguments") or {}
    if not isinstance(arguments, dict):
        return f"{inner.get('name')}({shorten(arguments)})"
    listed = ", ".join(f"{name}={shorten(found)}" for name, found in arguments.items())
    return f"{inner.get('name')}({listed})"


def shorten(found: Any, longest: int = _LONGEST_VALUE) -> str:
    """As JSON where it is not text already, cut where it is long."""
    text = json.dumps(found, ensure_ascii=False)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def cut(text: Any, longest: int = 600) -> str:
    said = str(text)
    return said if len(said) <= longest else f"{said[:longest]}… ({len(said)} characters)"


FILTERS = {
    "percent": percent, "bounds": bounds, "points": points, "size": size, "duration": duration,
    "count": count, "number": number, "words": words, "value": value, "call": call, "cut": cut,
}  # fmt: skip
