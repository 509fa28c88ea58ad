"""``openai:NAME[@URL]``: any OpenAI-compatible endpoint. The key comes from OPENAI_API_KEY and goes nowhere but into
the request's header."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from lamina.errors import ModelError, ModelReferenceError
from lamina.models.grammar import calls_schema
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import parse_calls
from lamina.models.templates import DEFAULT_INSTRUCTION, plain_rows, message_row

DEFAULT_URL = "https://api.openai.com/v1"
TRIES = 4
SECONDS = 120.0
LARGEST_ANSWER = 4 << 20


class OpenAIEndpoint:
    """Tools are written into the system message as for every foreign model, so that answers have one form;
    ``response_format`` asks for JSON of the schema, and what an endpoint ignores is validated all the same."""

    def __init__(self, ref: str, *, slots: int = 8, style: PromptStyle | None = None, instruction: str = DEFAULT_INSTRUCTION,
                 backoff: float = 0.5, timeout: float = SECONDS):  # fmt: skip
        import httpx

        name, _, url = ref.removeprefix("openai:").partition("@")
        if not name:
            raise ModelReferenceError(
                f"{ref!r} names no model; write openai:NAME or openai:NAME@http://host/v1"
            )
        self.ref, self.name, self.slots, self.instruction, self.backoff = (
            ref,
            name,
            slots,
            instruction,
            backoff,
        )
        self.prompt_style, self.toolbox = style, None
        base = url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
        key = os.environ.get("OPENAI_API_KEY", "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._secret = key
        self._client = httpx.Client(base_url=base.rstrip("/"), headers=headers, timeout=timeout)

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        replies: list[Reply | None] = [None] * len(requests)
        pool = ThreadPoolExecutor(max_workers=self.slots)
        try:
            waiting = {pool.submit(self._answer, r): i for i, r in enumerate(requests)}
            for done in as_completed(waiting):
                index = waiting[done]
                replies[index] = reply = done.result()
                if on_reply is not None:
                    on_reply(index, reply)
        finally:
            pool.shutdown(cancel_futures=True)
        return [r for r in replies if r is not None]

    def close(self) -> None:
        self._client.close()

    def _answer(self, request: Request) -> Reply:
        started = time.perf_counter()
        row = self._post(self._body(request))
        seconds = time.perf_counter() - started
        try:
            choice = row["choices"][0]
            text = str(choice.get("text") or choice.get("message", {}).get("content") or "")
        except (KeyError, IndexError, TypeError, AttributeError):
            return Reply(text="", problem="the endpoint's answer has no choices", seconds=seconds)
        text = _unwrapped(text, request)
        calls, problem = parse_calls(text, request.tools) if request.tools is not None else ([], None)
        usage = row.get("usage") or {}
        return Reply(
            text=text, calls=calls, problem=problem, prompt_tokens=int(usage.get("prompt_tokens", 0)),
            completion_tokens=int(usage.get("completion_tokens", 0)), seconds=seconds,
            truncated=choice.get("finish_reason") == "length",
        )  # fmt: skip

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {
            "model": self.name, "max_tokens": request.max_tokens, "temperature": request.temperature,
            "top_p": request.top_p, "seed": request.seed,
        }  # fmt: skip
        if request.stop:
            body["stop"] = list(request.stop)
        if request.raw_prompt is not None:
            return "/completions", {**body, "prompt": request.raw_prompt + request.prefix}
        tools = request.tools if request.style == "full" else None
        body["messages"] = plain_rows([message_row(m) for m in request.messages], tools, self.instruction)
        schema = request.constraint
        if schema is None and request.tools is not None and request.constrained:
            # endpoints want an object at the top
            schema = {"type": "object", "properties": {"calls": calls_schema(request.tools)}, "required": ["calls"],
                      "additionalProperties": False}  # fmt: skip
        if schema is not None and request.constrained:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema},
            }
        return "/chat/completions", body

    def _post(self, request: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """With retries on 429 and 5xx and on broken connections; what stays broken is a ModelError."""
        import httpx

        path, body = request
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(self.backoff * 2**attempt * (0.5 + random.random()))
            try:
                response = self._client.post(path, json=body)
            except httpx.HTTPError as error:
                trouble = f"{type(error).__name__}: {error}"
                continue
            if response.status_code == 429 or response.status_code >= 500:
                trouble = f"HTTP {response.status_code}"
                continue
            if response.status_code >= 400:
                raise ModelError(
                    self._clean(f"{self.ref}: HTTP {response.status_code}: {response.text[:200]}")
                )
            if len(response.content) > LARGEST_ANSWER:
                raise ModelError(
                    f"{self.ref}: the answer has {len(response.content)} bytes; no call is that long"
                )
            try:
                row = response.json()
            except ValueError:
                raise ModelError(
                    self._clean(f"{self.ref}: not JSON: {response.text[:80]!r}; is it /v1?")
                ) from None
            return row if isinstance(row, dict) else {}
        raise ModelError(self._clean(f"{self.ref}: no answer after {TRIES} tries ({trouble})"))

    def _clean(self, text: str) -> str:
        """Endpoints repeat the key in error messages; one line, without it."""
        text = " ".join(text.split())
        return text.replace(self._secret, "…") if self._secret else text


def _unwrapped(text: str, request: Request) -> str:
    """The array inside ``{"calls": […]}``, our own wrapping."""
    import json

    if request.tools is None or not text.lstrip().startswith("{"):
        return text
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(row, dict) and list(row) == ["calls"]:
        return json.dumps(row["calls"], ensure_ascii=False)
    return text


def open_reference(ref: str, *, slots: int = 8, style: PromptStyle | None = None, **more: Any) -> Model:
    kept = {k: v for k, v in more.items() if k in ("instruction", "backoff", "timeout")}
    return OpenAIEndpoint(ref, slots=slots, style=style, **kept)
