"""How a model may be asked to write its calls: fifteen formats, each with an instruction, an encoder and a parser
(xLAM, arXiv 2409.03215 section 4, trains on fifteen and lists none: these are our choice).

What a parser reads is never evaluated. ``parse(encode(calls)) == calls`` for any calls whose arguments are JSON."""

from __future__ import annotations

from functools import cache

from lamina.errors import InputError
from lamina.models.output_formats import json_forms, lines, markup, sentences
from lamina.models.output_formats.output_format import Calls, OutputFormat

__all__ = ["Calls", "OutputFormat", "find_output_format", "output_formats"]


@cache
def output_formats() -> dict[str, OutputFormat]:
    found = [*json_forms.FORMATS, *markup.FORMATS, *lines.FORMATS, *sentences.FORMATS]
    return {one.name: one for one in found}


def find_output_format(name: str) -> OutputFormat:
    """Raises InputError for a name that is not there."""
    known = output_formats()
    if name not in known:
        raise InputError(f"there is no output format {name!r}", mend=f"use one of {', '.join(known)}")
    return known[name]
