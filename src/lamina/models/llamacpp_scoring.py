"""How likely a GGUF file finds given texts after a prompt, exactly: by llama.cpp's C functions, because its server
gives no probabilities of a prompt.

What consecutive prompts begin with is read once and stays in the context; a prompt's own part is read once for all of
its continuations, and several requests are read in one step. Each continuation is a sequence of the context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from lamina.errors import ModelError
from lamina.models.continuations import Row, cut_row, shared_length
from lamina.models.llama_library import add_adapter, decode, functions, loaded_model, open_context, tokens_of

STEP = 512
"""Tokens computed at once, llama.cpp's own choice; requests are taken together up to as many."""
SEQUENCES = 64
"""Continuations in the context at once (our choice)."""

Token = tuple[int, int, Sequence[int], bool]


class GgufScorer:
    """Loads ``file`` for itself: its weights are shared with other loads of it by the operating system. ``context``:
    tokens that all continuations share; ``longest``: of a prompt with one of them, what the model was trained for.
    ``opens_texts``: whether the token that the file puts before a text is put there."""

    def __init__(
        self,
        file: Path,
        *,
        context: int,
        longest: int,
        threads: int,
        adapter: Path | None = None,
        opens_texts: bool = True,
    ):
        self.file, self.context, self.longest, self.opens_texts = file, context, longest, opens_texts
        self._held: list[int] = []
        self._stack = ExitStack()
        calls = functions()
        self._model = self._stack.enter_context(loaded_model(file))
        self._context = self._stack.enter_context(
            open_context(self._model, file, context, sequences=SEQUENCES, step=min(STEP, context))
        )
        if adapter is not None:
            add_adapter(self._model, self._context, adapter)
        calls.llama_set_n_threads(self._context, threads, threads)
        self._vocabulary = calls.llama_vocab_n_tokens(calls.llama_model_get_vocab(self._model))
        self._memory = calls.llama_get_memory(self._context)

    def close(self) -> None:
        self._stack.close()

    def row(self, prompt: str, continuations: Sequence[str]) -> Row:
        """What is to be read."""
        row = cut_row(
            lambda text: tokens_of(self._model, text, special=self.opens_texts), prompt, continuations, self.longest
        )
        if row.problem is None and (row.size > self.context or len(row.own) > SEQUENCES):
            said = f"{len(row.own)} continuations with {row.size} tokens"
            return Row(row.prompt, [], [], f"{said} do not fit into {SEQUENCES} sequences of {self.context} tokens")
        return row

    def likelihoods(self, rows: Sequence[Row], on_row: Callable[[int, list[float]], None]) -> None:
        """``on_row(index, sums)`` for every row without a problem: each continuation's log probability."""
        for group in _groups(rows):
            stem = self._read_stem([rows[i] for i in group])
            tokens, wanted = _read_together([rows[i] for i in group], stem)
            if not decode(self._context, tokens):
                raise ModelError(f"{self.file}: llama.cpp could not read {len(tokens)} tokens together")
            self._forget(stem)
            logs = self._logs(sum(token[3] for token in tokens))
            for index, sums in zip(group, wanted, strict=True):
                on_row(index, [float(sum(logs(place, token) for place, token in one)) for one in sums])

    def _read_stem(self, rows: Sequence[Row]) -> int:
        """How many tokens all of the rows begin with, now in the context of every sequence. At least one token of each
        row is left to be read: its logits are wanted."""
        stem = rows[0].prompt[: shared_length([row.prompt[:-1] for row in rows])]
        kept = shared_length([self._held, stem])
        self._forget(kept)
        everywhere = range(SEQUENCES)
        new = [(token, kept + i, everywhere, False) for i, token in enumerate(stem[kept:])]
        if new and not decode(self._context, new):
            raise ModelError(f"{self.file}: llama.cpp could not read {len(new)} tokens")
        self._held = stem
        return len(stem)

    def _forget(self, start: int) -> None:
        """Of all sequences, what stands at ``start`` and after."""
        if not functions().llama_memory_seq_rm(self._memory, -1, start, -1):
            raise ModelError(f"{self.file}: this kind of model keeps no part of what it read; it cannot be scored")
        self._held = self._held[:start]

    def _logs(self, outputs: int) -> Callable[[int, int], float]:
        """``(which output, token) -> log probability``. Sums of the normalisation are made in float64."""
        import numpy as np

        logits = np.ctypeslib.as_array(functions().llama_get_logits(self._context), (outputs, self._vocabulary))
        most = logits.max(axis=1)
        totals = most + np.log(np.exp(logits - most[:, None]).sum(axis=1, dtype=np.float64))
        return lambda place, token: float(logits[place, token] - totals[place])


def _groups(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Indexes of rows that are read together: consecutive ones, what they all begin with left out of the count."""
    group: list[int] = []
    stem: list[int] = []
    for index, row in enumerate(rows):
        if row.problem is not None:
            continue
        before = row.prompt[:-1]
        shared = shared_length([stem, before]) if group else len(before)
        together = [rows[i] for i in group] + [row]
        size = sum(r.size - shared for r in together)
        loses = len(group) > 1 and 2 * shared < len(stem)  # most of what the group need not read again
        if group and (size > STEP or sum(len(r.own) for r in together) > SEQUENCES or loses):
            yield group
            group, shared = [], len(before)
        group, stem = [*group, index], before[:shared]
    if group:
        yield group


def _read_together(rows: Sequence[Row], stem: int) -> tuple[list[Token], list[list[list[tuple[int, int]]]]]:
    """The tokens to read after the stem, and for each row and continuation the ``(output, token)`` to sum."""
    tokens: list[Token] = []
    wanted: list[list[list[tuple[int, int]]]] = []
    outputs = first = 0
    for row in rows:
        sequences = range(first, first + len(row.own))
        first += len(row.own)
        head, common = row.head, []
        for place in range(stem, len(head)):
            says = place >= len(row.prompt) - 1
            tokens.append((head[place], place, sequences, says))
            if says and place + 1 < len(head):
                common.append((outputs, head[place + 1]))
            last, outputs = outputs, outputs + says
        of_row = []
        for sequence, own in zip(sequences, row.own, strict=True):
            said = [*common, (last, own[0])]
            for i, token in enumerate(own[:-1]):
                tokens.append((token, len(head) + i, (sequence,), True))
                said.append((outputs, own[i + 1]))
                outputs += 1
            of_row.append(said)
        wanted.append(of_row)
    return tokens, wanted
