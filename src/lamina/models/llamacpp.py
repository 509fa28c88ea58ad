"""``*.gguf`` and ``embedded``: llama.cpp in this process, through xllamacpp.

The engine serves its native endpoint on a loopback port of its own choosing; requests go there, several at a time,
and share the prefix cache. One engine at a time on a small machine: two spin against each other."""

from __future__ import annotations

import base64
import importlib.util
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

from lamina.errors import DamagedFileError, InputError, ModelError, ModelReferenceError
from lamina.models.adapters import adapter_of
from lamina.models.continuations import refuse_images, replies_of
from lamina.models.gguf_files import VISION_PART, model_file
from lamina.models.grammar import grammar_of, is_of_calls
from lamina.models.images import encoded
from lamina.models.llamacpp_replies import Held, reply_of, timed_reply
from lamina.models.llamacpp_scoring import GgufScorer
from lamina.models.llamacpp_server import NO_ENGINE, Engine, start_server
from lamina.models.metadata import facts_of
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.projectors import projector_of, tokens_of_image
from lamina.models.templates import DEFAULT_INSTRUCTION, request_prompt

DEFAULT_CONTEXT, SLOT_CONTEXT = 8192, 2048
"""Tokens of all slots together: at least the first, and the second for each slot."""
CROWDED = "Context size has been exceeded"
"""What llama.cpp tells every request under way when they do not fit into the shared context together."""
LARGEST_SEED = 2**32 - 2
"""The seed after it means: at random."""


def default_context(slots: int) -> int:
    """Tokens of all slots together where nobody says how many."""
    return max(DEFAULT_CONTEXT, SLOT_CONTEXT * slots)


class LlamaCppModel:
    """``instruction`` is what a model that Lamina did not tune is told after its list of functions. ``cache_prompts``
    off reads every prompt from its beginning, which only a measurement wants. ``copied``: arguments that may only
    hold what was said; left out, those that the file itself names. ``images``: loads the vision part too."""

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
        images: bool = False,
    ):
        self.ref, self.path, self.slots, self.instruction = ref, path, slots, instruction
        self._cache_prompts, self._threads = cache_prompts, threads
        self._scorer: GgufScorer | None = None
        facts = facts_of(ref)
        self.prompt_style = style or facts.prompt_style
        self.toolbox = facts.toolbox
        self.copied = facts.copied if copied is None else copied
        self.speaks, self._end = facts.speaks, facts.end
        self.foreign = facts.prompt_style is None
        self.chat_template = facts.chat_template
        self.context = context or default_context(slots)
        # one text is never longer than the model was trained for; several may share more (the server keeps to it too)
        self.longest = min(self.context, facts.context or self.context)
        self._adapter = adapter_of(ref)
        self._opens_texts = facts.opens_texts
        projector = projector_of(ref) if images else None
        self.sees = projector is not None
        self._image_tokens = tokens_of_image(projector) if projector else 0
        start = partial(start_server, path, projector, self._adapter, threads, slots, self.context)
        self._engine = Engine(start, path, slots=slots, context=self.context)

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        """Up to ``slots`` requests at once, as many as fit into the context together. Batched, sums differ in their
        last places, so a greedy answer that was a near tie may differ from the one a single slot gives."""
        if not self.sees and any(request.images for request in requests):
            raise ModelError(f"{self.ref}: opened without its vision part, and asked about an image")
        replies: list[Reply | None] = [None] * len(requests)
        sizes = self._made_room(requests)
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
                while under_way and self._engine.is_full(sizes[index], [sizes[i] for i in under_way.values()]):
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
        refuse_images(self.ref, requests)
        if self._scorer is None:
            self._scorer = GgufScorer(
                self.path, context=self.context, longest=self.longest, threads=self._threads, adapter=self._adapter,
                opens_texts=self._opens_texts,
            )  # fmt: skip
        rows = [self._scorer.row(self.prompt_for(r), r.continuations) for r in requests]
        return replies_of(requests, rows, self._scorer.likelihoods, on_reply)

    def _made_room(self, requests: Sequence[Request]) -> list[int]:
        """The most tokens that each may come to, with an engine that can hold them. They are counted only where the
        bytes, which are never fewer, leave a doubt: requests that don't fit into a shared context together would cut
        each other off, their work lost."""
        prompts = [self.prompt_for(request) for request in requests]
        answers = [r.max_tokens + self._image_tokens * len(r.images) for r in requests]
        sizes = [len(p.encode()) + more for p, more in zip(prompts, answers, strict=True)]
        if max(sizes, default=0) > self._engine.part:
            counts = [len(self._tokens(p)) for p in prompts]
            sizes = [count + more for count, more in zip(counts, answers, strict=True)]
            # what is too long for any engine is refused by this one
            long = max((size for size, count in zip(sizes, counts, strict=True) if count <= self.longest), default=0)
            if long > self._engine.part and not self._engine.shared:
                self._engine.share()
        return sizes

    def _tokens(self, prompt: str) -> list[int]:
        return self._engine.tokens(prompt, opens=self._opens_texts)

    def prompt_for(self, request: Request) -> str:
        """The text that is sent, for whoever wants to see it."""
        return request_prompt(
            request,
            self.chat_template,
            foreign=self.foreign,
            instruction=self.instruction,
            image_mark=self._engine.image_mark if request.images else "",
        )

    def close(self) -> None:
        self._engine.close()
        if self._scorer is not None:
            self._scorer.close()
            self._scorer = None

    def timed(self, request: Request, *, cached: bool = True) -> Reply:
        """One request alone, its answer streamed, so that ``first_token_seconds`` and ``seconds`` are by our clock;
        ``timings`` are the engine's. ``cached`` off reads the whole prompt, whatever part of it was read before."""
        self._made_room([request])
        try:
            body = self._body(request) | {"cache_prompt": cached}
        except InputError as error:
            return Reply(text="", problem=str(error))
        return timed_reply(self._engine.client, body, request, path=self.path, held=self._held(request))

    def _sent(self, request: Request) -> str | list[int] | dict[str, Any]:
        """The prompt, with the images that its marks stand for. Raises InputError for an image that is none. Beside an
        adapter that was trained without an opening token it goes in tokens: the base might put one there."""
        prompt = self.prompt_for(request)
        if not request.images:
            return self._tokens(prompt) if self._adapter and not self._opens_texts else prompt
        images = [base64.b64encode(encoded(image)[1]).decode() for image in request.images]
        return {"prompt_string": prompt, "multimodal_data": images}

    def _body(self, request: Request) -> dict[str, Any]:
        """Raises InputError for an image that is none."""
        body: dict[str, Any] = {
            "prompt": self._sent(request),
            "n_predict": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed % (LARGEST_SEED + 1),
            "stop": list(request.stop),
            "cache_prompt": self._cache_prompts,
        }
        if request.temperature <= 0:
            body |= {"samplers": ["temperature"], "top_k": 1}
        if (grammar := grammar_of(request, self.copied, self.speaks, self._end)) is not None:
            body["grammar"] = f"%llguidance {{}}\n{grammar}"
        return body

    def _answer(self, request: Request) -> Reply:
        try:
            body = self._body(request)
        except InputError as error:
            return Reply(text="", problem=str(error))
        started = time.perf_counter()
        answer = self._engine.complete(body)
        return reply_of(answer, request, time.perf_counter() - started, held=self._held(request))

    def _held(self, request: Request) -> Held:
        """What the answer is held to."""
        return ("speech" if self.speaks else "calls") if is_of_calls(request) else None


def check_reference(ref: str) -> None:
    """The file is there and is a GGUF that can be asked, and so is the engine."""
    if facts_of(ref).architecture == VISION_PART:
        raise ModelReferenceError(f"{ref}: the vision part of a model; name the model, which finds it beside itself")
    adapter_of(ref)
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelError(NO_ENGINE)


def why_blind(ref: str) -> str | None:
    """There is no vision part, or more than one. What is damaged is said when it is loaded."""
    try:
        projector_of(ref)
    except DamagedFileError:
        return None
    except ModelError as error:
        return str(error)
    return None


def open_reference(
    ref: str,
    *,
    threads: int = 2,
    slots: int = 4,
    context: int | None = None,
    style: PromptStyle | None = None,
    **more: Any,
) -> Model:
    return LlamaCppModel(ref, model_file(ref), threads=threads, slots=slots, context=context, style=style, **more)
