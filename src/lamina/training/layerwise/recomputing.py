"""Gradient checkpointing of a teacher: what its layers compute on the way is made again instead of kept.

Only derivatives in the input need it (Jacobians): maps and logits are taken without any graph. ``torch.func``, which
Hessians are made with, has no checkpointing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Module


@contextmanager
def recomputed(model: Module, paths: Sequence[str]) -> Iterator[None]:
    """Inside, the modules at ``paths`` keep their inputs alone for the backward pass; results are the same.

    Source: Chen et al., arXiv 1604.06174."""
    from torch.utils.checkpoint import checkpoint

    def checkpointed(forward: Any) -> Any:
        def again(*args: Any, **kwargs: Any) -> Any:
            return checkpoint(forward, *args, use_reentrant=False, **kwargs)

        return again

    modules = [model.get_submodule(path) for path in paths]
    for module in modules:
        vars(module)["forward"] = checkpointed(module.forward)
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["forward"]
