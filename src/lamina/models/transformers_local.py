"""A folder or ``hf:ORG/NAME``: a Transformers model, greedy or sampled, under the same llguidance grammar as
llama.cpp. Made for comparing (parity), not for speed: requests are answered one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamina.errors import MissingExtraError, ModelError
from lamina.models.llamacpp import grammar_of
from lamina.models.metadata import facts_of
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import parse_calls
from lamina.models.templates import DEFAULT_INSTRUCTION, PLAIN_CHATML, prompt_of


class TransformersModel:
    def __init__(
        self,
        ref: str,
        *,
        threads: int = 2,
        style: PromptStyle | None = None,
        instruction: str = DEFAULT_INSTRUCTION,
    ):
        try:
            import llguidance.hf
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise MissingExtraError(error.name or "transformers", "train") from None
        torch.set_num_threads(threads)
        self.ref, self.instruction = ref, instruction
        name = ref.removeprefix("hf:")
        facts = facts_of(name) if Path(name).is_dir() else facts_of("")
        self.prompt_style, self.toolbox = style or facts.prompt_style, facts.toolbox
        self.foreign = facts.prompt_style is None
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name)
            self._model: Any = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{ref}: Transformers cannot load it ({str(error).splitlines()[0]})") from None
        self.chat_template = facts.chat_template or self._tokenizer.chat_template or PLAIN_CHATML
        self._grammar_tokenizer = llguidance.hf.from_tokenizer(
            self._tokenizer, n_vocab=self._model.config.vocab_size
        )

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        replies = []
        for index, request in enumerate(requests):
            replies.append(self._answer(request))
            if on_reply is not None:
                on_reply(index, replies[-1])
        return replies

    def prompt_for(self, request: Request) -> str:
        if request.raw_prompt is not None:
            return request.raw_prompt + request.prefix
        tools = request.tools if request.style == "full" else None
        return (
            prompt_of(
                request.messages,
                self.chat_template,
                tools=tools,
                foreign=self.foreign,
                instruction=self.instruction,
            )
            + request.prefix
        )

    def close(self) -> None:
        self._model = None

    def _answer(self, request: Request) -> Reply:
        import torch

        started = time.perf_counter()
        ids = self._tokenizer(self.prompt_for(request), return_tensors="pt", add_special_tokens=False)[
            "input_ids"
        ]
        room = getattr(self._model.config, "max_position_embeddings", 0) or 1 << 30
        if ids.shape[1] >= room:
            return Reply(text="", problem=f"the prompt has {ids.shape[1]} tokens, the model's context {room}")
        with torch.no_grad():
            written, first = self._decode(ids, request, started)
        text = self._tokenizer.decode(written, skip_special_tokens=True)
        stopped = next((text.index(s) for s in request.stop if s in text), None)
        text = text if stopped is None else text[:stopped]
        calls, problem = parse_calls(text, request.tools) if request.tools is not None else ([], None)
        return Reply(
            text=text, calls=calls, problem=problem, prompt_tokens=int(ids.shape[1]), completion_tokens=len(written),
            seconds=time.perf_counter() - started, first_token_seconds=first,
            truncated=len(written) >= request.max_tokens,
        )  # fmt: skip

    def _decode(self, ids: Any, request: Request, started: float) -> tuple[list[int], float]:
        """Token by token with the key-value cache; tokens that the grammar forbids are masked before choosing."""
        import llguidance
        import llguidance.torch as guide
        import torch

        grammar = grammar_of(request)
        matcher = llguidance.LLMatcher(self._grammar_tokenizer, grammar) if grammar is not None else None
        vocabulary = self._model.config.vocab_size
        mask = guide.allocate_token_bitmask(1, vocabulary)
        generator = torch.Generator().manual_seed(request.seed)
        past, written, first = None, [], 0.0
        ends = {self._tokenizer.eos_token_id, *self._end_tokens()}
        step = ids
        while len(written) < request.max_tokens:
            out = self._model(input_ids=step, past_key_values=past, use_cache=True)
            past, logits = out.past_key_values, out.logits[:, -1, :].float()
            first = first or time.perf_counter() - started
            if matcher is not None:
                guide.fill_next_token_bitmask(matcher, mask, 0)
                guide.apply_token_bitmask_inplace(logits, mask)
            token = _choose(logits[0], request, generator)
            if token in ends or (matcher is not None and matcher.is_stopped()):
                break
            written.append(token)
            if matcher is not None:
                matcher.consume_token(token)
                if matcher.is_stopped():
                    break
            step = torch.tensor([[token]])
            if request.stop and any(s in self._tokenizer.decode(written[-8:]) for s in request.stop):
                break
        return written, first

    def _end_tokens(self) -> list[int]:
        end = self._model.generation_config.eos_token_id if self._model.generation_config else None
        return end if isinstance(end, list) else [end] if end is not None else []


def _choose(logits: Any, request: Request, generator: Any) -> int:
    import torch

    if request.temperature <= 0:
        return int(logits.argmax())
    chances = torch.softmax(logits / request.temperature, dim=-1)
    ordered, order = chances.sort(descending=True)
    kept = ordered * ((ordered.cumsum(0) - ordered) < request.top_p)
    return int(order[torch.multinomial(kept / kept.sum(), 1, generator=generator)])


def open_reference(ref: str, *, threads: int = 2, style: PromptStyle | None = None, **more: Any) -> Model:
    options = {"instruction": more["instruction"]} if "instruction" in more else {}
    return TransformersModel(ref, threads=threads, style=style, **options)
