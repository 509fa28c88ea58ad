"""Sentence embeddings without a download: the token vectors and the tokenizer that the ``wordllama`` wheel ships
(l2_supercat, 256 dimensions, MIT), averaged over the tokens of a text.

The package itself is not imported: it sets the log level of the whole process, and its loader looks for the tokenizer
in another folder than the one it is shipped in, so that it fails without a network (0.4.0)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "wordllama"
WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"

Embed = Callable[[str], "np.ndarray"]
"""A text's vector, of one length for all texts; all zeros for a text without a token."""


def check_embedding() -> None:
    """Raises MissingExtraError where a text cannot be embedded, without loading anything large."""
    _files()
    for library in ("safetensors", "tokenizers"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "bench")


@cache
def open_embedding() -> Embed:
    """Reads 16 MB of weights once. Raises MissingExtraError as ``check_embedding``."""
    check_embedding()
    import numpy as np
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights, words = _files()
    vectors = load_file(weights)["embedding.weight"]
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.no_padding()

    def embed(text: str) -> np.ndarray:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        kept = np.clip(ids, 0, len(vectors) - 1)
        return vectors[kept].astype(np.float32).mean(axis=0) if ids else np.zeros(vectors.shape[1], np.float32)

    return embed


def _files() -> tuple[Path, Path]:
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / WEIGHTS).is_file() or not (folder / TOKENIZER).is_file():
        raise MissingExtraError(PACKAGE, "bench")
    return folder / WEIGHTS, folder / TOKENIZER


def cosine(one: np.ndarray, two: np.ndarray) -> float:
    """-1 to 1; of a text without a token, 1 with another such and 0 with any other."""
    import numpy as np

    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(two))
    if 0.0 in lengths:
        return float(lengths == (0.0, 0.0))
    return max(-1.0, min(1.0, float(np.dot(one, two)) / (lengths[0] * lengths[1])))


def mean_similarity(vectors: Sequence[np.ndarray]) -> float:
    """The mean cosine over all pairs of two or more vectors: one minus their mean cosine distance."""
    found = [cosine(one, two) for one, two in combinations(vectors, 2)]
    return sum(found) / len(found)
