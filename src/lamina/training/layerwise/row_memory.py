"""What a fixed teacher said about each row of a training, kept on disk: later epochs pay for the student alone.

A row is kept by its tokens and by which of them are learnt: its maps, and for logits the hidden states below the output
layer, which is run again (a hundredth of the scores' size: 49,152 of them a token in SmolLM2). Derivatives are not
kept: layers are asked for in turn, so a row hardly meets the same one again.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.training.layerwise.token_rows import Rows

if TYPE_CHECKING:
    from torch import Tensor

    from lamina.runs import Progress

FILE = "teacher-rows-{rank}.sqlite"
"""One for each process of a training: none removes what another reads."""


class RowMemory:
    """One teacher's: ``model``'s weights and the layers at ``paths`` are part of every key, so that a file of another
    teacher answers nothing. A disk that is full ends the remembering, not the training, and ``progress`` says so."""

    def __init__(self, folder: Path, model: Any, paths: Sequence[str], progress: Progress):
        self._file = folder / FILE.format(rank=os.environ.get("RANK", "0"))
        self._progress = progress
        self._teacher = _fingerprint(model, paths)
        self._open: sqlite3.Connection | None = None
        try:
            self._open = _opened(self._file)
        except sqlite3.Error:  # what a power cut left of it, say
            self.forget()
            try:
                self._open = _opened(self._file)
            except sqlite3.Error as error:
                self._give_up(error)

    def recall(self, batch: Rows, learnt: Tensor) -> tuple[list[Tensor], Tensor] | None:
        """The maps of each layer (rows, width) and the hidden states at ``learnt`` (1, tokens - 1), or None where a
        row of the batch is new."""
        import torch
        from safetensors.torch import load

        if self._open is None:
            return None
        keys = self._keys(batch, learnt)
        query = "SELECT known FROM rows WHERE key = ?"
        try:
            found = [self._open.execute(query, (key,)).fetchone() for key in keys]
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if not all(found):
            return None
        known = [load(blob) for (blob,) in found]
        device = batch.ids.device
        maps = torch.stack(
            [torch.nn.functional.pad(k["maps"], (0, batch.width - k["maps"].shape[1])) for k in known], 1
        )
        return list(maps.to(device)), torch.cat([k["hidden"] for k in known]).to(device)

    def keep(self, batch: Rows, learnt: Tensor, maps: Sequence[Tensor], hidden: Tensor) -> None:
        """As ``recall`` will give them back."""
        import torch
        from safetensors.torch import save

        if self._open is None:
            return
        together = torch.stack(list(maps))
        lengths = batch.lengths()
        states = torch.split(hidden, _learnt_by_row(batch, learnt))
        blobs = [
            save({"maps": together[:, i, :length].contiguous().cpu(), "hidden": states[i].contiguous().cpu()})
            for i, length in enumerate(lengths)
        ]
        try:
            with self._open:
                rows = zip(self._keys(batch, learnt), blobs, strict=True)
                self._open.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        self._progress.say(f"{self._file.name}: {error}; the teacher is asked anew at every step from here on")
        self.forget()

    def forget(self) -> None:
        """Removes the file, for good."""
        if self._open is not None:
            self._open.close()
            self._open = None
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink(missing_ok=True)

    def _keys(self, batch: Rows, learnt: Tensor) -> list[bytes]:
        lengths = batch.lengths()
        marks = [*learnt[0].tolist(), False]
        ids, keys, start = batch.ids[0].tolist(), [], 0
        for length in lengths:
            row = (ids[start : start + length], marks[start : start + length])
            keys.append(hashlib.sha256(self._teacher + repr(row).encode()).digest()[:16])
            start += length
        return keys


def _opened(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=60)
    connection.execute("PRAGMA synchronous=OFF")  # what a power cut loses or breaks is computed again
    connection.execute("CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, known BLOB) WITHOUT ROWID")
    connection.commit()
    return connection


def _learnt_by_row(batch: Rows, learnt: Tensor) -> list[int]:
    marks = [*learnt[0].tolist(), False]
    counts, start = [], 0
    for length in batch.lengths():
        counts.append(sum(marks[start : start + length]))
        start += length
    return counts


def _fingerprint(model: Any, paths: Sequence[str]) -> bytes:
    """Weights are told apart by their sums: reading them all is a second, hashing them all is more."""
    sums = [(name, weight.dtype, weight.double().sum().item()) for name, weight in model.named_parameters()]
    return hashlib.sha256(repr((sums, list(paths))).encode()).digest()
