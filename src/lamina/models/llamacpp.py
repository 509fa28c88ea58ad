"""``*.gguf`` and ``embedded``: llama.cpp in this process, through xllamacpp.

The engine serves its native endpoint on a loopback port of its own choosing; requests go there, several at a time,
and share the prefix cache. One engine at a time on a small machine: two spin against each other."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from lamina.errors import ModelError
from lamina.models.continuations import replies_of
from lamina.models.copying import heard
from lamina.models.grammar import calls_grammar, json_grammar
from lamina.models.llamacpp_scoring import GgufScorer
from lamina.models.metadata import facts_of
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import parse_calls
from lamina.models.references import embedded_path
from lamina.models.templates import DEFAULT_INSTRUCTION, request_prompt

DEFAULT_CONTEXT, SLOT_CONTEXT = 8192, 2048
"""Tokens of all slots together: at least the first, and the second for each slot."""
REQUEST_SECONDS = 600.0
CROWDED = "Context size has been exceeded"
"""What llama.cpp tells every request under way when they do not fit into the shared context together."""
NO_ENGINE = "xllamacpp is not installed; pip install xllamacpp brings the engine"
LARGEST_SEED = 2**32 - 2
"""The seed after it means: at random."""


class LlamaCppModel:
    """``instruction`` is what a model that Lamina did not tune is told after its list of functions. ``cache_prompts``
    off reads every prompt from its beginning, which only a measurement wants. ``copied``: text arguments that may only
    hold what was said; left out, those that the file itself names."""

    def __init__(
        self,
        ref: str,
        path: Path,
        *,
        threads: int = 2,
        slots: int = 4,
        context: int | None = None,
        style: PromptStyle | None = None,
        instruction: str = DEFAULT_INSTRUCTION,
        cache_prompts: bool = True,
        copied: Collection[str] | None = None,
    ):
        import httpx

        self.ref, self.path, self.slots, self.instruction = ref, path, slots, instruction
        self._cache_prompts, self._threads = cache_prompts, threads
        self._scorer: GgufScorer | None = None
        facts = facts_of(str(path))
        self.prompt_style = style or facts.prompt_style
        self.toolbox = facts.toolbox
        self.copied = facts.copied if copied is None else copied
        self.foreign = facts.prompt_style is None
        self.chat_template = facts.chat_template
        self.context = context or max(DEFAULT_CONTEXT, SLOT_CONTEXT * slots)
        self._server: Any = _start(path, threads, slots, self.context)
        limits = httpx.Limits(max_connections=slots)
        self._client = httpx.Client(
            base_url=self._server.listening_address, timeout=REQUEST_SECONDS, limits=limits, trust_env=False
        )

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        """Up to ``slots`` requests at once, as many as fit into the context together. Batched, sums differ in their
        last places, so a greedy answer that was a near tie may differ from the one a single slot gives."""
        replies: list[Reply | None] = [None] * len(requests)
        sizes = self._sizes(requests)
        under_way: dict[Future[Reply], int] = {}

        def take(done: Iterable[Future[Reply]]) -> None:
            for future in done:
                index, reply = under_way.pop(future), future.result()
                if CROWDED in (reply.problem or "") and len(requests) > 1:
                    continue
                replies[index] = reply
                if on_reply is not None:
                    on_reply(index, reply)

        pool = ThreadPoolExecutor(max_workers=self.slots)
        try:
            for index, request in enumerate(requests):
                while under_way and self._is_full(sizes[index], [sizes[i] for i in under_way.values()]):
                    take(wait(under_way, return_when=FIRST_COMPLETED).done)
                under_way[pool.submit(self._answer, request)] = index
            while under_way:
                take(wait(under_way, return_when=FIRST_COMPLETED).done)
        finally:
            pool.shutdown(cancel_futures=True)
        for index in [i for i, r in enumerate(replies) if r is None]:  # each fits alone, if not all at once
            replies[index] = reply = self._answer(requests[index])
            if on_reply is not None:
                on_reply(index, reply)
        return [r for r in replies if r is not None]

    def score(self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None) -> list[Reply]:
        """``Scorer.score``, of the file and not of the server, whose slots stay as they are."""
        if self._scorer is None:
            self._scorer = GgufScorer(self.path, context=self.context, threads=self._threads)
        rows = [self._scorer.row(self.prompt_for(r), r.continuations) for r in requests]
        return replies_of(requests, rows, self._scorer.likelihoods, on_reply)

    def _sizes(self, requests: Sequence[Request]) -> list[int]:
        """The most tokens that each may come to. They are counted only where the bytes, which are never fewer, leave
        a doubt: requests that don't fit into the context together would cut each other off, their work lost."""
        prompts = [self.prompt_for(request) for request in requests]
        at_most = [len(p.encode()) + r.max_tokens for p, r in zip(prompts, requests, strict=True)]
        if min(self.slots, len(requests)) * max(at_most, default=0) <= self.context:
            return at_most
        return [self._tokens(p) + r.max_tokens for p, r in zip(prompts, requests, strict=True)]

    def _tokens(self, prompt: str) -> int:
        import httpx

        try:
            response = self._client.post("/tokenize", json={"content": prompt, "add_special": True})
            return len(response.json()["tokens"])
        except (httpx.HTTPError, ValueError, LookupError) as error:
            raise ModelError(f"{self.path}: the engine stopped answering ({error})") from None

    def _is_full(self, size: int, others: Sequence[int]) -> bool:
        return len(others) >= self.slots or size + sum(others) > self.context

    def prompt_for(self, request: Request) -> str:
        """The text that is sent, for whoever wants to see it."""
        return request_prompt(request, self.chat_template, foreign=self.foreign, instruction=self.instruction)

    def close(self) -> None:
        self._client.close()
        self._server = None
        if self._scorer is not None:
            self._scorer.close()
            self._scorer = None

    def _answer(self, request: Request) -> Reply:
        import httpx

        body: dict[str, Any] = {
            "prompt": self.prompt_for(request),
            "n_predict": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed % (LARGEST_SEED + 1),
            "stop": list(request.stop),
            "cache_prompt": self._cache_prompts,
        }
        if request.temperature <= 0:
            body |= {"samplers": ["temperature"], "top_k": 1}
        if (grammar := grammar_of(request, self.copied)) is not None:
            body["grammar"] = f"%llguidance {{}}\n{grammar}"
        started = time.perf_counter()
        try:
            response = self._client.post("/completion", json=body)
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ModelError(f"{self.path}: the engine stopped answering ({error})") from None
        seconds = time.perf_counter() - started
        if "content" not in answer:
            return Reply(text="", problem=_refusal(answer), seconds=seconds)
        if is_of_calls(request) and answer["content"][:1] != "[":
            # llama.cpp decodes freely, and says so to nobody, when llguidance does not take a grammar
            return Reply(text=answer["content"], problem="the engine did not follow the grammar", seconds=seconds)
        return _reply(answer, request, seconds)


def grammar_of(request: Request, copied: Collection[str] = ()) -> str | None:
    """The llguidance grammar that a request's answer must satisfy; None where it is free. ``copied``: arguments that
    hold words of what was said."""
    if not request.constrained:
        return None
    if request.grammar is not None:
        return request.grammar
    if request.constraint is not None:
        return json_grammar(request.constraint)
    if request.tools is None:
        return None
    return calls_grammar(request.tools, copied=copied, said=heard(request.messages) if copied else "")


def is_of_calls(request: Request) -> bool:
    """Whether the answer is held to an array of calls."""
    free = request.grammar is None and request.constraint is None
    return request.constrained and free and request.tools is not None


def check_reference(ref: str) -> None:
    """The file is there and is a GGUF, and so is the engine."""
    facts_of(ref)
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelError(NO_ENGINE)


def open_reference(
    ref: str,
    *,
    threads: int = 2,
    slots: int = 4,
    context: int | None = None,
    style: PromptStyle | None = None,
    **more: Any,
) -> Model:
    path = embedded_path() if ref == "embedded" else Path(ref)
    return LlamaCppModel(ref, path, threads=threads, slots=slots, context=context, style=style, **more)


def _start(path: Path, threads: int, slots: int, context: int) -> Any:
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError:
        raise ModelError(NO_ENGINE) from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = slots
    parameters.kv_unified = True
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = -1
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        raise ModelError(f"{path}: llama.cpp cannot load it ({error}); is the file whole?") from None


def _reply(answer: dict[str, Any], request: Request, seconds: float) -> Reply:
    text: str = answer["content"]
    calls, problem = parse_calls(text, request.tools) if request.tools is not None else ([], None)
    timings = answer.get("timings", {})
    return Reply(
        text=text,
        calls=calls,
        problem=problem,
        prompt_tokens=int(answer.get("tokens_evaluated", 0)),
        completion_tokens=int(answer.get("tokens_predicted", 0)),
        seconds=seconds,
        first_token_seconds=timings.get("prompt_ms", 0.0) / 1000,
        truncated=answer.get("stop_type") == "limit",
        timings=timings,
    )


def _refusal(answer: dict[str, Any]) -> str:
    error = answer.get("error", {})
    message = error.get("message", str(answer)[:200]) if isinstance(error, dict) else str(error)
    return f"the engine refused the request: {message}"
