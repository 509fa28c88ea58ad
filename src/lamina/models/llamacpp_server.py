"""xllamacpp's server in this process, as Lamina starts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamina.errors import ModelError
from lamina.models.llama_library import why_not_loaded

PROMPT_CACHE_MIB = 256
"""Of main memory, for what was read before and may come again: some ten prompts with a dozen functions in a small
model. llama.cpp's own limit is 8 GiB, which a long run fills, on a laptop that has no more (our choice)."""
REQUEST_SECONDS = 3600.0
"""The engine is in this process: one that has stopped is rare, a slow one on a long prompt is not."""
NO_ENGINE = "xllamacpp is not installed; pip install xllamacpp brings the engine"


class Engine:
    """A server and the way to it. Its slots have a part each of the context's tokens: a token that is written looks at
    the cells of its own text alone, which makes sixteen slots a third faster than one memory for all
    (docs/results/mobile.md). A text that needs more than its part makes the server start once more, with one memory.
    ``start`` is called with whether the slots share."""

    def __init__(self, start: Callable[[bool], Any], path: Path, *, slots: int, context: int):
        self.path, self._start, self._slots = path, start, slots
        self._context, self.part = context, context // slots
        self.shared = slots == 1
        self._open()

    def _open(self) -> None:
        import httpx

        self._image_mark: str | None = None
        self._server: Any = self._start(self.shared)
        limits = httpx.Limits(max_connections=self._slots)
        self.client = httpx.Client(
            base_url=self._server.listening_address, timeout=REQUEST_SECONDS, limits=limits, trust_env=False
        )

    def share(self) -> None:
        """From here on every text may be as long as the context, and all of them together. Not while one is written."""
        self.close()
        self.shared = True
        self._open()

    def is_full(self, size: int, others: Sequence[int]) -> bool:
        """Whether a text of ``size`` tokens has to wait for one of the ``others`` that are under way."""
        return len(others) >= self._slots or (self.shared and size + sum(others) > self._context)

    @property
    def image_mark(self) -> str:
        """What stands for an image in a prompt: another one with every start."""
        if self._image_mark is None:
            self._image_mark = str(self._asked("GET", "/props")["media_marker"])
        return self._image_mark

    def tokens(self, text: str, *, opens: bool) -> list[int]:
        """``opens``: with the token that begins every text, where the file has one."""
        found: list[int] = self._asked("POST", "/tokenize", {"content": text, "add_special": opens})["tokens"]
        return found

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._asked("POST", "/completion", body)

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        import httpx

        try:
            found: dict[str, Any] = self.client.request(method, path, json=body).json()
            return found
        except (httpx.HTTPError, ValueError) as error:
            raise ModelError(f"{self.path}: the engine stopped answering ({error})") from None

    def close(self) -> None:
        self.client.close()
        self._server = None


def start_server(
    path: Path,
    projector: Path | None,
    adapter: Path | None,
    threads: int,
    slots: int,
    context: int,
    shared: bool,
) -> Any:
    """Loads a model, and beside it its vision part and a LoRA adapter where they are given; ``slots`` requests share a
    ``context`` of tokens, or have their part of it each. Raises ModelError where xllamacpp is missing, or cannot load
    them."""
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError:
        raise ModelError(NO_ENGINE) from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    if projector is not None:
        parameters.mmproj.path = str(projector)
    if adapter is not None:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    parameters.n_ctx = context
    parameters.n_parallel = slots
    parameters.kv_unified = shared
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    if hasattr(parameters, "cache_ram_mib"):  # engines before llama.cpp's host cache keep no prompts
        parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.verbosity = -1
    # prompts are written by us; with the file's own template the engine tries it, and gives no reason where it raises
    parameters.chat_template = "chatml"
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        parts = " with ".join(str(file) for file in (path, projector, adapter) if file)
        why = why_not_loaded(path) or f"{error}; the model itself can be loaded"
        raise ModelError(f"{parts}: llama.cpp cannot load it: {why}") from None
