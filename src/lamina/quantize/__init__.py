"""Quantize: a Transformers model to GGUF files of several precisions, and whether they still answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.quantize.gguf_export import export_gguf, quantize_types
    from lamina.quantize.parity import parity

__all__ = ["export_gguf", "parity", "quantize_types"]

_HOMES = {
    "export_gguf": "lamina.quantize.gguf_export",
    "parity": "lamina.quantize.parity",
    "quantize_types": "lamina.quantize.gguf_export",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
