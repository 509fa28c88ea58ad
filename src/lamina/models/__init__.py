"""What decides: one protocol, several backends, one string to name them."""

from __future__ import annotations

from lamina.models.grammar import calls_grammar, calls_schema
from lamina.models.model import Model, Reply, Request
from lamina.models.parsing import parse_calls
from lamina.models.references import (
    check_reference,
    default_threads,
    embedded_path,
    is_local,
    list_references,
    open_model,
    prompt_style_of,
    usable_cores,
)

__all__ = [
    "Model",
    "Reply",
    "Request",
    "calls_grammar",
    "calls_schema",
    "check_reference",
    "default_threads",
    "embedded_path",
    "is_local",
    "list_references",
    "open_model",
    "parse_calls",
    "prompt_style_of",
    "usable_cores",
]
