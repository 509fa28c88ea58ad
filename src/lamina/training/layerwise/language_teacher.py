"""The teacher of a language model: what it says about the rows of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lamina.training.layerwise.losses import attention_map
from lamina.training.layerwise.matching import block_paths, watched
from lamina.training.layerwise.row_memory import RowMemory
from lamina.training.layerwise.token_rows import Rows, of_tokens
from lamina.training.layerwise.transfer import Knowledge, TransferSettings, derivative, frugal

if TYPE_CHECKING:
    from torch import Tensor


class LanguageTeacher:
    """Its ``batch`` and the positions that are ``learnt`` are set before each step. With a ``memory`` it is run once
    for each row."""

    def __init__(self, model: Any, paths: Sequence[str], settings: TransferSettings, memory: RowMemory | None = None):
        self.model = model.eval().requires_grad_(False)
        self.paths, self.settings, self.memory = paths, settings, memory
        self.batch: Rows
        self.learnt: Tensor
        self.vocabulary: int | None = None
        """Scores beyond it are of no token: models of one tokenizer are padded to different sizes."""

    def know(self, x: Tensor, rows: Tensor, layers: Sequence[int], probes: Tensor | None) -> Knowledge:
        import torch

        batch = self.batch
        self.model.to(batch.ids.device)  # where the trainer has put the student
        with torch.no_grad():
            maps, hidden = self._said()
            logits = hidden.new_zeros(0)
            if self.settings.kind == "logits":
                logits = self.model.get_output_embeddings()(hidden)[:, : self.vocabulary]
        made = {}
        if layers:
            n = self.settings.samples
            own = batch.apart(self.model.get_input_embeddings()(batch.ids), whole=True)[:n]
            with frugal(self.settings, self.model, block_paths(self.model)):
                made = {
                    j: derivative(batch.features_of(self.model, self.paths[j]), own, maps[j][:n], probes)
                    for j in layers
                }
        return Knowledge(logits, maps, made)

    def _said(self) -> tuple[Sequence[Tensor], Tensor]:
        """The maps of its layers, and for logits the hidden states at learnt positions, of none for others."""
        known = self.memory.recall(self.batch, self._wanted()) if self.memory else None
        if known is not None:
            return known
        maps, hidden = self._computed()
        if self.memory:
            self.memory.keep(self.batch, self._wanted(), maps, hidden)
        return maps, hidden

    def _computed(self) -> tuple[Sequence[Tensor], Tensor]:
        batch = self.batch
        with watched(self.model, self.paths) as seen:
            hidden = self.model.get_decoder()(input_ids=batch.ids, use_cache=False, **batch.batch).last_hidden_state
        maps = [attention_map(batch.apart(of_tokens(seen, path, batch))) for path in self.paths]
        return maps, hidden[:, :-1][self._wanted()]

    def _wanted(self) -> Tensor:
        import torch

        return self.learnt if self.settings.kind == "logits" else torch.zeros_like(self.learnt)
