"""Quantize: a Transformers model to GGUF files of several precisions, and whether they still answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# At once, not on demand as the rest: its module has its name, and loading that later would put it in its place.
from lamina.quantize.parity_check import parity

if TYPE_CHECKING:
    from lamina.quantize.adapter_export import export_adapter
    from lamina.quantize.gguf_export import export_gguf, quantize_types

__all__ = ["export_adapter", "export_gguf", "parity", "quantize_types"]


def __getattr__(name: str) -> Any:
    if name in ("export_gguf", "quantize_types"):
        from lamina.quantize import gguf_export

        return getattr(gguf_export, name)
    if name == "export_adapter":
        from lamina.quantize.adapter_export import export_adapter

        return export_adapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
