"""A folder or ``hf:ORG/NAME``: a Transformers model, greedy or sampled, under the same llguidance grammar as
llama.cpp. Made for comparing (parity) and for models that have no GGUF."""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lamina.errors import InputError, MissingExtraError, ModelError, ModelReferenceError, first_line
from lamina.models.continuations import cut_row, refuse_images, replies_of
from lamina.models.grammar import grammar_of, is_of_calls
from lamina.models.metadata import ModelFacts, facts_of
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import read_reply
from lamina.models.seeing import Eyes, kind_of_model, why_blind_folder
from lamina.models.speaking import taken_apart
from lamina.models.templates import DEFAULT_INSTRUCTION, request_prompt
from lamina.models.transformers_decoding import Answer, Decoder, Decoding
from lamina.models.transformers_scoring import likelihoods

BATCH = 16
"""Requests decoded together (our choice)."""
END_TOKENS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "</s>")
"""llama.cpp ends an answer at any of these that a vocabulary has, whatever its configuration says."""
DTYPES = ("float32", "bfloat16", "float16")


class TransformersModel:
    """``on_progress`` is called after every token of a batch: a slow one is at work."""

    def __init__(
        self,
        ref: str,
        *,
        threads: int = 2,
        style: PromptStyle | None = None,
        instruction: str = DEFAULT_INSTRUCTION,
        dtype: str = "float32",
        copied: Collection[str] | None = None,
        images: bool = False,
        context: int | None = None,
    ):
        if dtype not in DTYPES:
            raise ModelReferenceError(f"{dtype!r} is no number type for a model; one of {', '.join(DTYPES)}")
        try:
            import llguidance.hf
            import torch
            from transformers import AutoConfig, AutoTokenizer
        except ImportError as error:
            raise MissingExtraError(error.name or "transformers", "train") from None
        torch.set_num_threads(threads)
        self.ref, self.instruction = ref, instruction
        name = ref.removeprefix("hf:")
        facts = facts_of(name) if Path(name).is_dir() else ModelFacts()
        self.prompt_style, self.toolbox = style or facts.prompt_style, facts.toolbox
        self.copied = facts.copied if copied is None else copied
        self.speaks = facts.speaks
        self.foreign = facts.prompt_style is None
        try:
            kind = kind_of_model(ref, AutoConfig.from_pretrained(name), images)
            tokenizer: Any = AutoTokenizer.from_pretrained(name)
            model: Any = kind.from_pretrained(name, dtype=getattr(torch, dtype))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{ref}: Transformers cannot load it ({first_line(error)})") from None
        self.chat_template = facts.chat_template or tokenizer.chat_template
        self._tokenizer, self._model = tokenizer, model.eval()
        self._eyes = Eyes(ref) if images else None
        self.sees = images
        about = model.config.get_text_config()
        self._grammar_tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=about.vocab_size)
        trained = getattr(about, "max_position_embeddings", 0) or 1 << 30
        self._room = min(trained, context or trained)
        self._opening = opening_tokens(tokenizer)
        self._ends = self._end_tokens()
        self.on_progress: Callable[[], None] = lambda: None

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        """``BATCH`` requests at a time, those of like length together; rows are padded on the left. Requests with
        images come one at a time."""
        if self._eyes is None and any(r.images for r in requests):
            raise ModelError(f"{self.ref}: opened without its vision part, and asked about an image")
        prompts = {i: self.prompt_ids(r) for i, r in enumerate(requests) if not r.images}
        order = sorted(prompts, key=lambda i: len(prompts[i]))
        replies: list[Reply | None] = [None] * len(requests)
        parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        for part in [*parts, *([i] for i, r in enumerate(requests) if r.images)]:
            asked = [requests[i] for i in part]
            answers = self._answer(asked, [prompts[i] for i in part]) if part[0] in prompts else [self._seen(asked[0])]
            for index, reply in zip(part, answers, strict=True):
                replies[index] = reply
                if on_reply is not None:
                    on_reply(index, reply)
        return [r for r in replies if r is not None]

    def score(self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None) -> list[Reply]:
        """``Scorer.score``, in batches of texts of like length."""
        refuse_images(self.ref, requests)
        rows = [cut_row(self._cutter(r), self.prompt_for(r), r.continuations, self._room) for r in requests]
        return replies_of(requests, rows, partial(likelihoods, self._model, self._pad()), on_reply)

    def prompt_for(self, request: Request) -> str:
        """The text that is sent, for whoever wants to see it."""
        return request_prompt(
            request,
            self.chat_template,
            foreign=self.foreign,
            instruction=self.instruction,
            image_mark=self._eyes.mark if self._eyes else "",
            own_marks=True,
        )

    def close(self) -> None:
        self._model = None

    def ids_of(self, text: str) -> list[int]:
        """A text in tokens, none added."""
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def prompt_ids(self, request: Request) -> list[int]:
        """The tokens that are sent."""
        return self._cutter(request)(self.prompt_for(request))

    def _cutter(self, request: Request) -> Callable[[str], list[int]]:
        """A raw prompt has no token that opens a text yet, nor has a chat whose template would write it: templates are
        given none to write, as llama.cpp puts it there by itself."""
        unwritten = self.foreign and "bos_token" in (self.chat_template or "")
        opening = self._opening if unwritten or request.raw_prompt is not None else []

        def cut(text: str) -> list[int]:
            found = self.ids_of(text)
            return found if not opening or found[:1] == opening else [*opening, *found]

        return cut

    def _pad(self) -> int:
        found: int = self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0
        return found

    def _seen(self, request: Request) -> Reply:
        assert self._eyes is not None
        started = time.perf_counter()
        try:
            ids, seen = self._eyes.inputs(self.prompt_for(request), request.images)
        except InputError as error:
            return Reply(text="", problem=str(error))
        if (refused := self._refusal(request, ids)) is not None:
            return Reply(text="", problem=refused)
        decoding = self._decode([ids], [request], seen)
        return self._reply(request, ids, decoding, 0, time.perf_counter() - started, decoding.first - started)

    def _answer(self, requests: Sequence[Request], prompts: Sequence[list[int]]) -> list[Reply]:
        started = time.perf_counter()
        refused = {i: why for i, r in enumerate(requests) if (why := self._refusal(r, prompts[i])) is not None}
        fits = [i for i in range(len(requests)) if i not in refused]
        if not fits:
            return [Reply(text="", problem=refused[i]) for i in range(len(requests))]
        decoding = self._decode([prompts[i] for i in fits], [requests[i] for i in fits])
        seconds = (time.perf_counter() - started) / len(fits)
        # in a batch the time is shared, and the first token's would be that of all prompts together
        first = decoding.first - started if len(fits) == 1 else None
        places = {i: place for place, i in enumerate(fits)}
        return [
            self._reply(request, ids, decoding, places[i], seconds, first)
            if i in places
            else Reply(text="", problem=refused[i])
            for i, (request, ids) in enumerate(zip(requests, prompts, strict=True))
        ]

    def _refusal(self, request: Request, ids: list[int]) -> str | None:
        """Why a request cannot be asked."""
        if len(ids) >= self._room:
            return f"the prompt has {len(ids)} tokens, the model's context {self._room}"
        if not ids:
            return "the prompt is empty"
        matcher = self._matcher(request)
        if matcher is not None and matcher.is_error():
            return f"the grammar is refused: {' '.join(matcher.get_error().split())[:200]}"
        return None

    def _reply(
        self, request: Request, ids: list[int], decoding: Decoding, place: int, seconds: float, first: float | None
    ) -> Reply:
        written = decoding.written[place]
        text = self._tokenizer.decode(written, skip_special_tokens=True)
        stopped = min((text.index(s) for s in request.stop if s in text), default=None)
        text = text if stopped is None else text[:stopped]
        truncated = len(written) >= min(request.max_tokens, self._room - len(ids))
        said, unread = "", None
        if self.speaks and is_of_calls(request):
            spoken = taken_apart(text, truncated=truncated)
            said, text, unread = spoken.words, spoken.calls, spoken.problem
        return Reply(
            text=text,
            **read_reply(text, request.tools, unread, truncated=truncated),
            said=said,
            prompt_tokens=len(ids),
            completion_tokens=len(written),
            seconds=seconds,
            first_token_seconds=first,
            truncated=truncated,
        )

    def _decode(
        self, prompts: list[list[int]], requests: list[Request], seen: dict[str, Any] | None = None
    ) -> Decoding:
        room = [self._room - len(ids) for ids in prompts]
        rows = [Answer(self._matcher(r), r, min(r.max_tokens, left)) for r, left in zip(requests, room, strict=True)]
        decoder = Decoder(self._model, self._tokenizer, self._pad(), self._ends)
        return decoder.decode(prompts, rows, seen, self.on_progress)

    def _matcher(self, request: Request) -> Any:
        import llguidance

        grammar = grammar_of(request, self.copied, self.speaks)
        return llguidance.LLMatcher(self._grammar_tokenizer, grammar) if grammar is not None else None

    def _end_tokens(self) -> set[int]:
        said = self._model.generation_config.eos_token_id if self._model.generation_config else None
        named = said if isinstance(said, list) else [said]
        vocabulary = self._tokenizer.get_vocab()
        known = [vocabulary.get(token) for token in END_TOKENS]
        return {i for i in [self._tokenizer.eos_token_id, *named, *known] if i is not None}


def check_reference(ref: str) -> None:
    """The folder holds a model, or the name has the form of one; what a hub has is known when it is asked."""
    for library in ("torch", "transformers", "llguidance"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "train")
    name = ref.removeprefix("hf:")
    if name and Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise ModelReferenceError(f"{ref}: holds no model (no config.json); name the folder of one, or hf:org/name")
    elif not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ModelReferenceError(f"{ref}: not the name of a model; write hf:org/name")


def why_blind(ref: str) -> str | None:
    """What a folder says of its architecture. What a hub has is known when it is loaded."""
    return why_blind_folder(Path(ref)) if Path(ref).is_dir() else None


def open_reference(ref: str, *, threads: int = 2, style: PromptStyle | None = None, **more: Any) -> Model:
    options = {key: more[key] for key in ("instruction", "dtype", "copied", "images", "context") if key in more}
    return TransformersModel(ref, threads=threads, style=style, **options)


def opening_tokens(tokenizer: Any) -> list[int]:
    """What the tokenizer puts before every text: its ``bos_token``, or nothing. llama.cpp does so by itself."""
    first = tokenizer("a")["input_ids"][:1]
    return first if tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id] else []
