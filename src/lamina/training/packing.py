"""Batches without padding: the rows of a batch lie end to end as one sequence, and only attention takes them apart.

Rows of a batch can then be drawn at random. Bringing rows of like length together, the usual way to save padding,
puts the refusals (short answers) into batches of their own, which made the loss jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.errors import ModelError
from lamina.training.rows import IGNORED

ATTENTION = "lamina_rows"


def collate(rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """``input_ids``, ``labels``, ``position_ids``: (1, tokens). ``places``: for each token its place in a table of
    ``row_count`` by ``row_width``."""
    import torch

    lengths = [len(row["input_ids"]) for row in rows]
    width = max(lengths)
    positions = [p for length in lengths for p in range(length)]
    starts = [i * width for i, length in enumerate(lengths) for _ in range(length)]
    labels = [label for row in rows for label in (IGNORED, *row["labels"][1:])]  # no row foretells the next one
    return {
        "input_ids": torch.tensor([[token for row in rows for token in row["input_ids"]]]),
        "labels": torch.tensor([labels]),
        "position_ids": torch.tensor([positions]),
        "places": torch.tensor(starts) + torch.tensor(positions),
        "row_count": len(rows),
        "row_width": width,
    }


def use_row_attention(model: Any) -> None:
    """Makes a Transformers model attend within rows; its forward then takes what ``collate`` returns."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, _attend)
    model.set_attn_implementation(ATTENTION)


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **batch: Any,
) -> tuple[Any, None]:
    """Causal attention of each row to itself, in layers with a ``sliding_window`` to that many of its last tokens.
    Query, key, value: (1, heads, tokens, size); returns (1, tokens, heads, size). Padding exists only in here, after
    each row's end, where causality hides it. Raises ModelError for scores that are capped, as in Gemma 2."""
    import torch

    if softcap is not None:
        raise ModelError("its attention scores are capped, which is not trained here; take another base")
    places, count, width = batch["places"], batch["row_count"], batch["row_width"]

    def apart(flat: Any) -> Any:
        heads, size = flat.shape[1], flat.shape[3]
        table = flat.new_zeros(count * width, heads, size).index_copy(0, places, flat[0].transpose(0, 1))
        return table.view(count, width, heads, size).transpose(1, 2)

    groups = getattr(module, "num_key_value_groups", 1)
    seen = None
    if sliding_window is not None and sliding_window < width:
        all_pairs = torch.ones(width, width, dtype=torch.bool, device=query.device)
        seen = all_pairs.tril() & all_pairs.triu(1 - sliding_window)
    made = torch.nn.functional.scaled_dot_product_attention(
        apart(query),
        apart(key),
        apart(value),
        attn_mask=seen,
        is_causal=seen is None,
        scale=scaling,
        enable_gqa=groups > 1,
    )
    table = made.transpose(1, 2).reshape(count * width, made.shape[1], made.shape[3])
    return table.index_select(0, places).unsqueeze(0), None
