"""Distilling a causal language model on trajectories: what the trainer of ``sft`` adds to its loss.

A layer's hidden states take the place of a convolution's activations, tokens are positions, and the input that
derivatives are taken in is the token embeddings. Rows lie end to end in a batch (``packing``); here they are taken
apart into a table (rows, tokens, size). The first token of a row is left out of the maps: trained models park
activations there that are hundreds of times larger than all others, so that a map would hold nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError
from lamina.runs import Progress
from lamina.training.base import Base, load_base
from lamina.training.layerwise.language_teacher import LanguageTeacher
from lamina.training.layerwise.losses import Features
from lamina.training.layerwise.matching import LayerPair, match_layers, parameters_by_layer, watched
from lamina.training.layerwise.rates import LayerRates, RateRule, rates_callback
from lamina.training.layerwise.row_memory import RowMemory
from lamina.training.layerwise.thinning import thinned
from lamina.training.layerwise.token_rows import Rows, of_tokens
from lamina.training.layerwise.transfer import ORDERS, Transfer, TransferSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

JSON = dict[str, Any]
RATES_LOG = "layer-rates.csv"
DERIVATIVE_ROWS = 2
"""Rows of a batch whose derivatives are matched: a double backward pass over a few hundred tokens is slow."""


THINNED_RATE = 1e-3


@dataclass(frozen=True)
class Distillation:
    """``teacher``: a model reference. ``keep_every``: the student starts with one in so many of its layers (the first
    and the last always), 1 for all. ``pairs``: {student's path: teacher's path}, None for relative depth."""

    teacher: str
    transfer: TransferSettings = field(default_factory=lambda: TransferSettings(samples=DERIVATIVE_ROWS))
    rule: RateRule = field(default_factory=RateRule)
    keep_every: int = 1
    pairs: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.keep_every < 1:
            raise InputError(f"keep_every must be at least 1, got {self.keep_every}")

    def identity(self) -> JSON:
        """What makes two distillations the same one."""
        told = {"teacher": self.teacher, "keep_every": self.keep_every, "pairs": self.pairs}
        return told | {"transfer": asdict(self.transfer), "rates": self.rule.config()}

    @property
    def usual_rate(self) -> float | None:
        """The learning rate of a student that lost layers: it has far to go (docs/results/layerwise.md). None: as
        any training's."""
        return THINNED_RATE if self.keep_every > 1 else None

    def student_of(self, base: Base) -> Base:
        """The base with the layers the student keeps."""
        return base if self.keep_every == 1 else replace(base, model=thinned(base.model, self.keep_every))

    def begin(self, student: Any, base: Base, out: Path, progress: Progress, *, again: bool = False) -> Teaching:
        """Loads the teacher and matches the layers; the pairs are told before training. ``again``: rows are seen
        more than once, so what the teacher says about them is kept in ``out`` until training is done. Raises InputError
        for another tokenizer, and ``match_layers``' errors."""
        from lamina.training.packing import use_row_attention

        teacher = load_base(self.teacher)
        check_same_tokenizer(base, teacher)
        use_row_attention(teacher.model)
        pairs = match_layers(student, teacher.model, pairs=self.pairs)
        _check_widths(self.transfer.kind, student, teacher.model)
        for pair in pairs:
            progress.say(f"matched: student {pair.student} with teacher {pair.teacher}")
        for name, weights in parameters_by_layer(student, pairs).items():
            if not any(weight.requires_grad for weight in weights):
                progress.say(f"layer {name} has no weight that is trained: it keeps no rate")
        memory = RowMemory(out, teacher.model, [pair.teacher for pair in pairs], progress) if again else None
        return Teaching(self, student, teacher.model, pairs, out, memory)


class Teaching:
    """One training under a teacher."""

    def __init__(
        self,
        plan: Distillation,
        student: Any,
        teacher: Any,
        pairs: Sequence[LayerPair],
        out: Path,
        memory: RowMemory | None = None,
    ):
        self.plan, self.student, self.pairs, self.out, self.memory = plan, student, list(pairs), out, memory
        self.teacher = LanguageTeacher(teacher, [pair.teacher for pair in pairs], plan.transfer, memory)
        self.teacher.vocabulary = min(m.get_output_embeddings().weight.shape[0] for m in (student, teacher))
        self.transfer = Transfer(plan.transfer, student, pairs, self.teacher, features=self._features)
        self.seen: dict[str, Tensor] = {}
        self.latest: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.step = 0
        self._callback: Any = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Around the student's forward pass."""
        with watched(self.student, [pair.student for pair in self.pairs]) as seen:
            yield
        self.seen = seen

    def added_to(self, loss: Tensor, batch: JSON, scores: Tensor, learnt: Tensor) -> Tensor:
        """The loss of the step with the transfer term; ``scores`` are the student's logits at ``learnt`` positions."""
        rows = Rows(batch)
        self.teacher.batch, self.teacher.learnt = rows, learnt
        outputs = [rows.apart(of_tokens(self.seen, pair.student, rows)) for pair in self.pairs]
        x = rows.apart(self.student.get_input_embeddings()(batch["input_ids"]).detach(), whole=True)
        with _differentiable_attention(self.plan.transfer.kind):
            term, self.latest = self.transfer.term(self.step, x, learnt, scores[:, : self.teacher.vocabulary], outputs)
        self.first |= {name: value for name, value in self.latest.items() if name not in self.first}
        return loss if term is None else loss + term

    def callbacks(self) -> list[Any]:
        """For the trainer: the rates, and their log."""
        from transformers import TrainerCallback

        groups = parameters_by_layer(self.student, self.pairs)
        self._callback = rates_callback(
            lambda optimizer: LayerRates(optimizer, groups, self.plan.rule), lambda: self.latest
        )
        teaching = self

        class Log(TrainerCallback):
            def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                teaching.step = state.global_step
                _begin_log(teaching.out / RATES_LOG, state.global_step)

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                teaching.step = state.global_step
                teaching.log()

        return [self._callback, Log()]

    def end(self) -> None:
        """What was remembered is of no more use."""
        if self.memory:
            self.memory.forget()

    def log(self) -> None:
        rates = self._callback.rates.scales
        with (self.out / RATES_LOG).open("a", newline="") as lines:
            writer = csv.writer(lines)
            for name, rate in rates.items():
                found = self.latest.get(name)
                writer.writerow([self.step, name, f"{rate:.5f}", "" if found is None else f"{found:.6g}"])

    def metrics(self) -> JSON:
        rates: LayerRates = self._callback.rates
        return {
            "teacher": self.plan.teacher,
            "transfer": self.plan.transfer.kind,
            "rates": self.plan.rule.name,
            "layers": [
                {
                    "student": pair.student,
                    "teacher": pair.teacher,
                    "first_difference": self.first.get(pair.name),
                    "difference": rates.differences.get(pair.name, self.latest.get(pair.name)),
                    "rate": rates.scales.get(pair.name),
                }
                for pair in self.pairs
            ],
        }

    def _features(self, path: str) -> Features:
        return self.teacher.batch.features_of(self.student, path)


def check_same_tokenizer(student: Base, teacher: Base) -> None:
    """Raises InputError where a token has another number, naming one."""
    ours, theirs = student.tokenizer.get_vocab(), teacher.tokenizer.get_vocab()
    if ours == theirs:
        return
    token = min((t for t in ours.keys() | theirs.keys() if ours.get(t) != theirs.get(t)), default="")
    raise InputError(
        f"{student.ref} and {teacher.ref} have different tokenizers ({len(ours)} and {len(theirs)} tokens; {token!r} "
        f"is number {ours.get(token, 'none')} and {theirs.get(token, 'none')})",
        mend="take a teacher and a student of one family",
    )


def _check_widths(kind: str, student: Any, teacher: Any) -> None:
    ours, theirs = (m.get_input_embeddings().embedding_dim for m in (student, teacher))
    if kind in ORDERS and ours != theirs:
        raise InputError(
            f"{kind} transfer compares derivatives in the token embeddings, which have {ours} numbers in the student "
            f"and {theirs} in the teacher",
            mend="take attention transfer, or a student of the teacher's width",
        )


@contextmanager
def _differentiable_attention(kind: str) -> Iterator[None]:
    """The fused attention of torch has no second derivative."""
    if kind not in ORDERS:
        yield
        return
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield


def _begin_log(file: Path, step: int) -> None:
    """An empty log, or that of a killed training up to the step it continues from."""
    kept = []
    if step and file.is_file():
        with file.open(newline="") as lines:
            kept = [line for line in list(csv.reader(lines))[1:] if line and int(line[0]) <= step]
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([["step", "layer", "rate", "difference"], *kept])
