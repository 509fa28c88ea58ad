"""What the matrices of a model are fed while it reads the user's own trajectories.

Of each matrix the second moments of its inputs are kept, ``sum x xᵀ``: their diagonal is llama.cpp's importance matrix
(imatrix), the whole of them is what error-compensating rounding needs. The model is walked layer by layer, so that only
one layer's moments are in memory, and a layer that was rounded feeds the next ones with what it then gives."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError, MissingExtraError
from lamina.quantize.ggml import Array
from lamina.tools.tool import JSON

if TYPE_CHECKING:
    from lamina.trajectories import Trajectory

TOKENS = 12_000
"""Read for a calibration. Our choice: some ten times the width of a layer's widest input in the small models."""
BATCH_ROWS = 16
LONGEST_ROW = 2048

Visit = Callable[[str, Array, Array], Array | None]
"""Given a matrix's name (as in the folder), its values and its inputs' moments; returns the values to go on with, or
None for the same."""


@dataclass(frozen=True)
class Calibration:
    """Token rows, at most ``TOKENS`` of them together, drawn at random by ``seed`` from a file of trajectories."""

    rows: list[list[int]]

    @property
    def tokens(self) -> int:
        return sum(len(row) for row in self.rows)


def calibration_of(file: Path, folder: Path, *, most_tokens: int = TOKENS, seed: int = 0) -> Calibration:
    """The training rows of ``file`` (all rows where none is marked so) as the model in ``folder`` reads them.

    Raises InputError for a file without a row that fits, MissingExtraError without torch and Transformers."""
    from lamina.trajectories import read_trajectories

    found = list(read_trajectories(file))
    calibration = calibrated_on([t for t in found if t.meta.split == "train"] or found, folder, most_tokens, seed)
    if not calibration.rows:
        raise InputError("no trajectory with an answer in it", file=file, mend="give a trajectories.jsonl of a run")
    return calibration


def calibrated_on(
    trajectories: Sequence[Trajectory], folder: Path, most_tokens: int = TOKENS, seed: int = 0
) -> Calibration:
    """Trajectories as the model in ``folder`` reads them, in a random order until there are ``most_tokens``.
    Raises InputError for a GGUF file, MissingExtraError without torch and Transformers."""
    for library in ("torch", "transformers"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "train")
    from transformers import AutoTokenizer

    from lamina.models.metadata import facts_of
    from lamina.models.templates import PLAIN_CHATML, asked_messages

    if not folder.is_dir():
        raise InputError(
            "a GGUF file is not calibrated", file=folder, mend="give the folder it was made from, or no calibration"
        )
    chosen = [t for t in trajectories if any(m.role == "assistant" for m in t.messages)]
    random.Random(seed).shuffle(chosen)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    facts = facts_of(str(folder))
    style = facts.prompt_style
    rows: list[list[int]] = []
    read = 0
    for trajectory in chosen:
        text = tokenizer.apply_chat_template(
            [_row(m) for m in asked_messages(trajectory.messages, trajectory.toolbox(), style)],
            tools=trajectory.tools if style not in ("baked", "compact") else None,
            chat_template=facts.chat_template or PLAIN_CHATML,  # as it is asked
            tokenize=False,
        )
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
        if len(ids) <= LONGEST_ROW and read < most_tokens:
            rows.append(ids)
            read += len(ids)
    return Calibration(rows)


def walk(folder: Path, calibration: Calibration, visit: Visit, on_layer: Callable[[int], None] | None = None) -> None:
    """Shows every matrix of every layer to ``visit``, in the order in which the model applies the layers. Raises
    InputError for a folder that Transformers cannot load or whose layers it keeps elsewhere."""
    import torch

    body = _body(folder)
    with torch.no_grad():
        kinds = getattr(body.config, "layer_types", None) or ["any"] * len(body.layers)
        states, options_of = _first_inputs(body, calibration, kinds)
        for number, layer in enumerate(body.layers):
            options = options_of[kinds[number]]
            found = _moments(layer, states, options, [len_ for _, len_ in _batches(calibration)])
            for name, (matrix, moments) in found.items():
                changed = visit(f"model.layers.{number}.{name}.weight", matrix.weight.numpy(), moments)
                if changed is not None:
                    matrix.weight.copy_(torch.from_numpy(changed))
            states = [_applied(layer, s, o) for s, o in zip(states, options, strict=True)]
            if on_layer is not None:
                on_layer(number)


def _row(message: Any) -> JSON:
    """As it is trained on: an assistant's turn is its calls and nothing else."""
    from lamina.models.templates import message_row

    row = message_row(message)
    return row | ({"content": ""} if row["role"] == "assistant" else {})


def _body(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise InputError(f"not a model that Transformers loads ({error})", file=folder) from None
    body: Any = getattr(model, "model", None)
    if not hasattr(body, "layers"):
        raise InputError("its layers are not where they are looked for", file=folder, mend="quantize without --imatrix")
    return body.eval()


def _batches(calibration: Calibration) -> Iterator[tuple[Sequence[list[int]], list[int]]]:
    """Rows of like length together, with their lengths."""
    rows = sorted(calibration.rows, key=len)
    for i in range(0, len(rows), BATCH_ROWS):
        yield rows[i : i + BATCH_ROWS], [len(row) for row in rows[i : i + BATCH_ROWS]]


def _first_inputs(body: Any, calibration: Calibration, kinds: Sequence[str]) -> tuple[list[Any], dict[str, list[JSON]]]:
    """What the first layer is given for each batch: states (rows, tokens, width); and the other arguments, which are
    those of every layer of one kind (Gemma's look back at all, or through a window). Rows end in padding, which nothing
    before it sees."""
    import torch

    states: list[Any] = []
    options: dict[str, list[JSON]] = {kind: [] for kind in kinds}
    first_of = {kind: kinds.index(kind) for kind in options}

    class Enough(Exception):
        pass

    def look(kind: str) -> Callable[[Any, tuple[Any, ...], JSON], None]:
        def catch(_layer: Any, args: tuple[Any, ...], kwargs: JSON) -> None:
            options[kind].append({k: v for k, v in kwargs.items() if k not in ("hidden_states", "past_key_values")})
            if first_of[kind] == 0:
                states.append(args[0] if args else kwargs["hidden_states"])
            if first_of[kind] == max(first_of.values()):
                raise Enough

        return catch

    hooks = [body.layers[i].register_forward_pre_hook(look(kind), with_kwargs=True) for kind, i in first_of.items()]
    try:
        for rows, lengths in _batches(calibration):
            ids = torch.tensor([row + [0] * (max(lengths) - len(row)) for row in rows])
            try:
                body(input_ids=ids, use_cache=False)
            except Enough:
                continue
    finally:
        for hook in hooks:
            hook.remove()
    return states, options


def _moments(layer: Any, states: list[Any], options: list[JSON], lengths: list[list[int]]) -> dict[str, Any]:
    """``{name: (module, moments)}``. Matrices that are fed the same (queries, keys and values) share theirs, the
    very same array."""
    import torch

    matrices = {n: m for n, m in layer.named_modules() if isinstance(m, torch.nn.Linear)}
    sums: dict[str, Any] = {}
    feeds: dict[str, str] = {}
    last: list[Any] = [None, ""]
    real: list[Any] = [None]

    def look(name: str) -> Callable[[Any, tuple[Any, ...]], None]:
        def hook(_matrix: Any, args: tuple[Any, ...]) -> None:
            if args[0] is not last[0]:
                last[:] = [args[0], name]
                inputs = args[0][real[0]]
                sums[name] = sums.get(name, 0) + inputs.T @ inputs
            feeds[name] = last[1]

        return hook

    hooks = [matrix.register_forward_pre_hook(look(name)) for name, matrix in matrices.items()]
    try:
        for state, option, sizes in zip(states, options, lengths, strict=True):
            real[0] = torch.arange(state.shape[1])[None] < torch.tensor(sizes)[:, None]
            _applied(layer, state, option)
    finally:
        for hook in hooks:
            hook.remove()
    arrays = {name: moments.numpy() for name, moments in sums.items()}
    return {name: (matrices[name], arrays[feeds[name]]) for name in matrices if name in feeds}


def _applied(layer: Any, state: Any, options: JSON) -> Any:
    out = layer(state, **options)
    return out[0] if isinstance(out, tuple) else out
