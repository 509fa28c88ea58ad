"""Which layer of the student learns from which of the teacher, and which weights are that layer's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, Parameter


@dataclass(frozen=True)
class LayerPair:
    """Module paths, as ``named_modules`` gives them. ``name`` is the student's: rates and logs go by it."""

    student: str
    teacher: str

    @property
    def name(self) -> str:
        return self.student


def match_layers(
    student: Module, teacher: Module, x: Tensor | None = None, pairs: Mapping[str, str] | None = None
) -> list[LayerPair]:
    """The pairs in the order in which the student computes them.

    ``pairs`` names them ({student's path: teacher's path}). Left out: transformers are matched by relative depth
    (student's block j of n with teacher's block round(j · N / n), both counted from 1); any other network at the
    layers where the channel count changes (arXiv 2407.04871), which takes one forward pass over ``x``, the n-th such
    layer of one with the n-th of the other. Raises InputError, naming the layers, where nothing matches."""
    if pairs is not None:
        return _by_path(student, teacher, pairs)
    ours, theirs = block_paths(student), block_paths(teacher)
    if ours and theirs:
        if x is not None:
            _read(student, x, "student")
            _read(teacher, x, "teacher")
        return _by_depth(ours, theirs)
    if x is None:
        raise InputError("layers of this network are found by running it", mend="give an input x, or pairs of paths")
    return _at_channel_changes(student, teacher, x)


def block_paths(model: Module) -> list[str]:
    """The blocks of a transformer: the longest list of modules of one class, or nothing."""
    import torch

    found: list[list[str]] = []
    for path, module in model.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len({type(child) for child in module}) == 1:
            found.append([f"{path}.{i}" for i in range(len(module))])
    return max(found, key=len, default=[])


def layer_outputs(
    model: Module, paths: Sequence[str], x: Tensor, *, stop: bool = False, run: Callable[[Tensor], Any] | None = None
) -> tuple[Any, list[Tensor]]:
    """What the model returns for x, and the outputs of the modules at ``paths``. ``stop``: don't compute beyond the
    last of them (the first result is then None). ``run``: another way of running it on x than by calling it."""
    with watched(model, paths, stop=stop) as seen:
        try:
            result = (run or model)(x)
        except _EnoughError:
            result = None
    return result, [seen[path] for path in paths]


@contextmanager
def watched(model: Module, paths: Sequence[str], *, stop: bool = False) -> Iterator[dict[str, Tensor]]:
    """Inside, every forward pass leaves the outputs of the modules at ``paths`` in the dictionary."""
    seen: dict[str, Tensor] = {}
    handles = []
    for path in paths:

        def keep(module: Module, inputs: Any, output: Any, path: str = path) -> None:
            seen[path] = output[0] if isinstance(output, tuple) else output
            if stop and len(seen) == len(paths):
                raise _EnoughError

        handles.append(model.get_submodule(path).register_forward_hook(keep))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


class _EnoughError(Exception):
    """Ends a forward pass whose last wanted layer is computed."""


def parameters_by_layer(student: Module, pairs: Sequence[LayerPair]) -> dict[str, list[Parameter]]:
    """The weights that follow each pair: those of the student's modules after the layer matched before, up to and
    with this one, in the order in which the model holds them. What comes after the last matched layer (a classifier)
    is no layer's, and an embedding that the output layer shares neither: both go on at the uniform rate.

    Raises InputError where two layers share a weight, or one lies within another: one rate cannot follow both."""
    _check_apart(pairs)
    shared_with_output = _tied_with_output(student)
    named = list(student.named_parameters(remove_duplicate=False))
    place = {path: i for i, (path, _) in enumerate(student.named_modules(remove_duplicate=False))}
    of_module = [place[name.rpartition(".")[0]] for name, _ in named]
    ends: list[int] = []
    for pair in pairs:  # a layer may have no weight itself, an activation function say
        last = max(i for path, i in place.items() if path == pair.student or path.startswith(f"{pair.student}."))
        ends.append(max((i for i, module in enumerate(of_module) if module <= last), default=-1))
    groups: dict[str, list[Parameter]] = {pair.name: [] for pair in pairs}
    owner: dict[int, tuple[str, str]] = {}
    start = 0
    for pair, end in zip(pairs, ends, strict=True):
        for name, parameter in named[start : end + 1]:
            if id(parameter) in shared_with_output:
                continue
            if id(parameter) in owner:
                first, first_name = owner[id(parameter)]
                if first == pair.name:
                    continue
                raise InputError(
                    f"layers {first} and {pair.name} share a weight ({first_name} is {name}), so no two rates can "
                    "move it",
                    mend="match only one of them",
                )
            owner[id(parameter)] = (pair.name, name)
            groups[pair.name].append(parameter)
        start = max(start, end + 1)
    return groups


def _check_apart(pairs: Sequence[LayerPair]) -> None:
    for outer in pairs:
        for inner in pairs:
            if inner.name.startswith(f"{outer.name}."):
                raise InputError(
                    f"layer {inner.name} lies within layer {outer.name}, so no two rates can move it",
                    mend="match only one of them",
                )


def _tied_with_output(model: Module) -> set[int]:
    output = getattr(model, "get_output_embeddings", lambda: None)()
    return {id(p) for p in output.parameters()} if output is not None else set()


def _by_path(student: Module, teacher: Module, pairs: Mapping[str, str]) -> list[LayerPair]:
    if not pairs:
        raise InputError("no layers are matched", mend="name at least one pair of module paths")
    for model, whose, paths in ((student, "student", pairs.keys()), (teacher, "teacher", pairs.values())):
        known = {path for path, _ in model.named_modules() if path}
        for path in paths:
            if path not in known:
                import difflib

                near = difflib.get_close_matches(path, known, n=3) or sorted(known)[:3]
                raise InputError(f"the {whose} has no layer {path!r}", mend=f"it has {', '.join(near)}")
    order = {path: i for i, (path, _) in enumerate(student.named_modules())}
    return sorted((LayerPair(s, t) for s, t in pairs.items()), key=lambda pair: order[pair.student])


def _by_depth(ours: Sequence[str], theirs: Sequence[str]) -> list[LayerPair]:
    scale = len(theirs) / len(ours)
    return [LayerPair(path, theirs[max(1, round(j * scale)) - 1]) for j, path in enumerate(ours, 1)]


def _at_channel_changes(student: Module, teacher: Module, x: Tensor) -> list[LayerPair]:
    ours, theirs = _stages(student, x, "student"), _stages(teacher, x, "teacher")
    if len(ours) != len(theirs) or not ours:
        told = f"{_listed(ours)} in the student, {_listed(theirs)} in the teacher"
        raise InputError(
            f"no matching layers: channels change at different numbers of layers ({told})",
            mend="name the pairs by module path",
        )
    for (our_path, our_size), (their_path, their_size) in zip(ours, theirs, strict=True):
        if our_size != their_size:
            raise InputError(
                f"layers {our_path} and {their_path} give maps of different sizes, {our_size[0]}x{our_size[1]} and "
                f"{their_size[0]}x{their_size[1]}",
                mend="name pairs of the same size by module path",
            )
    return [LayerPair(a, b) for (a, _), (b, _) in zip(ours, theirs, strict=True)]


def _stages(model: Module, x: Tensor, whose: str) -> list[tuple[str, tuple[int, int]]]:
    """For each stretch of one channel count and size, the last and outermost module of it."""
    import torch

    seen: list[tuple[str, int, tuple[int, int]]] = []
    handles = []
    for path, module in model.named_modules():
        if not path:
            continue

        def note(module: Module, inputs: Any, output: Any, path: str = path) -> None:
            if isinstance(output, torch.Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
                seen.append((path, output.shape[1], (output.shape[2], output.shape[3])))

        handles.append(module.register_forward_hook(note))
    try:
        _read(model, x, whose)
    finally:
        for handle in handles:
            handle.remove()
    stages: list[tuple[str, int, tuple[int, int]]] = []
    for entry in seen:  # a module ends after its parts: the last of a stretch is the outermost
        if stages and stages[-1][1] == entry[1]:
            stages[-1] = entry
        else:
            stages.append(entry)
    return [(path, size) for path, _, size in stages]


def _read(model: Module, x: Tensor, whose: str) -> None:
    import torch

    try:
        with torch.no_grad():
            model(x[:1])
    except RuntimeError as error:
        said = str(error).splitlines()[0]
        raise InputError(f"the {whose} cannot read an input of shape {tuple(x.shape[1:])} ({said})") from error


def _listed(stages: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(path for path, _ in stages) or "none"
