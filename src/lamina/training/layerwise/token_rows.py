"""A batch whose rows lie end to end, and its table form, in which tokens are the positions of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import InputError
from lamina.training.layerwise.losses import Features
from lamina.training.layerwise.matching import layer_outputs
from lamina.training.layerwise.precision import in_float32

if TYPE_CHECKING:
    from torch import Tensor

JSON = dict[str, Any]


class Rows:
    """A batch of rows end to end, as ``packing.collate`` makes it, and its table form."""

    def __init__(self, batch: JSON):
        self.batch = {k: v for k, v in batch.items() if k != "input_ids"}
        self.ids = batch["input_ids"]
        self.count, self.width = batch["row_count"], batch["row_width"]

    def lengths(self) -> list[int]:
        """Tokens of each row."""
        counts = (self.batch["places"] // self.width).bincount(minlength=self.count)
        return [int(count) for count in counts]

    def apart(self, flat: Tensor, *, whole: bool = False) -> Tensor:
        """(1, tokens, size) to (rows, width, size), zeros after each row's end, and, but for ``whole``, at its first
        token."""
        places = self.batch["places"]
        table = flat.new_zeros(self.count * self.width, flat.shape[2]).index_copy(0, places, flat[0])
        table = table.view(self.count, self.width, flat.shape[2])
        if whole:
            return table
        kept = flat.new_ones(self.width, 1)
        kept[0] = 0
        return table * kept

    def first(self, n: int) -> Rows:
        """The first n rows alone; they lie at the beginning."""
        n = min(n, self.count)
        tokens = int((self.batch["places"] < n * self.width).sum())
        cut = {"places": self.batch["places"][:tokens], "row_count": n, "row_width": self.width}
        return Rows({"input_ids": self.ids[:, :tokens], "position_ids": self.batch["position_ids"][:, :tokens], **cut})

    def features_of(self, model: Any, path: str) -> Features:
        """The model from a table of embeddings (n rows) to the hidden states at ``path``, as a table; computed in
        float32 at least."""

        decoder = in_float32(model.get_decoder())

        def features(x: Tensor) -> Tensor:
            rows = self.first(len(x))
            flat = x.reshape(-1, x.shape[2]).index_select(0, rows.batch["places"]).unsqueeze(0)

            def run(embeddings: Tensor) -> Any:
                return decoder(inputs_embeds=embeddings, use_cache=False, **rows.batch)

            return rows.apart(layer_outputs(model, [path], flat, stop=True, run=run)[1][0])

        return features


def of_tokens(seen: dict[str, Tensor], path: str, rows: Rows) -> Tensor:
    """The output of the layer at ``path``, (1, tokens, size). Raises InputError, naming it, for any other shape."""
    output = seen.get(path)
    if output is None or output.shape[:2] != rows.ids.shape:
        shape = "nothing" if output is None else f"an output of shape {tuple(output.shape)}"
        raise InputError(
            f"layer {path} gives {shape}, where one row of numbers for each of {rows.ids.shape[1]} tokens is needed",
            mend="name a block of the network, such as model.layers.3",
        )
    return output
