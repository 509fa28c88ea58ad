"""``openai:NAME[@URL]``: any OpenAI-compatible endpoint. The key comes from OPENAI_API_KEY and goes nowhere but into
the request's header."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

from lamina.errors import InputError, ModelError, ModelReferenceError
from lamina.models.grammar import calls_schema
from lamina.models.images import data_url
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.openai_answers import CHOICE_TOKENS, STREAM, Streamed, choice_schema, read_json, reply_of
from lamina.models.templates import DEFAULT_INSTRUCTION, asked_messages, message_row, plain_rows, storable
from lamina.runs.secrets_in_addresses import without_secrets

DEFAULT_URL = "https://api.openai.com/v1"
TRIES = 4
SECONDS, CONNECT_SECONDS = 300.0, 15.0
"""To wait for an answer, and for somebody at the address."""
LONGEST_PAUSE = 30.0
LARGEST_ANSWER = 4 << 20
OPTIONAL = ("response_format", "seed", "top_p", "temperature", "stop", "stream_options", "stream")
"""What some endpoints refuse by name; a refused one is left out from then on (answers are validated anyway)."""
SCHEMA_REFUSED = r"json.?schema|structured.output|guided|grammar"
"""Other names under which an endpoint refuses ``response_format``."""
OF_THIS_REQUEST = {
    "context|too long|too large|length": (400, 413, 422),
    "content.?(?:filter|management|policy)|moderation|flagged": (400, 403, 422),
}
"""How an endpoint says, and with which status, that it is this one request that it does not take: too long, or what its
filter of contents keeps back."""


class OpenAIEndpoint:
    """Tools are written into the system message as for every foreign model, so that answers have one form;
    ``response_format`` asks for JSON of the schema, and what an endpoint ignores is validated all the same.
    ``Request.grammar`` cannot be sent, its ``choices`` can; a prefix is sent as the beginning of the assistant's
    message. Images are sent as data URLs; whether the model behind the name sees them, its first answer says.
    ``on_progress`` is called with each try, which ends at ``timeout`` (seconds)."""

    sees = True

    def __init__(
        self,
        ref: str,
        *,
        slots: int = 8,
        style: PromptStyle | None = None,
        instruction: str = DEFAULT_INSTRUCTION,
        backoff: float = 0.5,
        timeout: float = SECONDS,
    ):
        import httpx

        name, _, url = ref.removeprefix("openai:").partition("@")
        base = (url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL).rstrip("/")
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        self._secret = key
        self.ref = self._clean(ref)
        if not name or not base.startswith(("http://", "https://")):
            raise ModelReferenceError(f"{self.ref!r}: write openai:NAME or openai:NAME@http://host/v1")
        if not (key.isascii() and key.isprintable()):
            raise ModelReferenceError("OPENAI_API_KEY has characters that no key has; set it again")
        self.name, self.slots, self.instruction, self.backoff = name, slots, instruction, backoff
        self.prompt_style, self.toolbox = style, None
        self._left_out: set[str] = set()
        self.on_progress: Callable[[], None] = lambda: None
        self._length_name = "max_tokens"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        patience = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        try:
            self._client = httpx.Client(base_url=base, headers=headers, timeout=patience)
        except (httpx.InvalidURL, ValueError):
            raise ModelReferenceError(f"{self.ref!r}: not an address; write openai:NAME@http://host/v1") from None

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        """Up to ``slots`` requests at once. Raises ModelError where the endpoint does not answer at all; an answer
        that is of no use is a Reply with a problem."""
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

    def timed(self, request: Request, *, cached: bool = True) -> Reply:
        """One request alone, its answer streamed: ``first_token_seconds`` and ``seconds`` are by our clock, the way
        there and a queue included. ``cached`` cannot be sent: where the endpoint says how much of the prompt it had
        read before, ``timings`` has the rest as ``prompt_n``. An endpoint that streams nothing has no first token, one
        that counts no tokens 0 of them."""
        return self._answer(request, Streamed())

    def _answer(self, request: Request, streamed: Streamed | None = None) -> Reply:
        started = time.perf_counter()
        try:
            path, body = self._body(request)
        except InputError as error:  # an image that is none
            return Reply(text="", problem=str(error))
        row = self._post(path, body if streamed is None else body | STREAM, streamed)
        if streamed is not None and not isinstance(row, str):
            return self._without_key(reply_of(row, request, streamed.seconds, streamed.first_token_seconds))
        seconds = time.perf_counter() - started
        if isinstance(row, str):
            return Reply(text="", problem=row, seconds=seconds)
        return self._without_key(reply_of(row, request, seconds))

    def _without_key(self, reply: Reply) -> Reply:
        return reply if reply.problem is None else replace(reply, problem=self._clean(reply.problem))

    def prompt_for(self, request: Request) -> str:
        """The JSON of the request as it is sent, without its images, for whoever wants to keep it."""
        return json.dumps(self._accepted(self._body(replace(request, images=()))[1]), ensure_ascii=False)

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {
            "model": self.name,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if request.raw_prompt is not None:
            return "/completions", {**body, "prompt": storable(request.raw_prompt + request.prefix)}
        tools = request.tools if request.style == "full" else None
        asked = asked_messages(request.messages, request.tools, request.style, self.instruction)
        rows = plain_rows([message_row(m) for m in asked], tools, self.instruction)
        if request.prefix:
            rows.append({"role": "assistant", "content": request.prefix})
        body["messages"] = _with_images([{**row, "content": storable(row["content"])} for row in rows], request)
        schema = request.constraint
        if schema is None and request.grammar is None and request.tools is not None:
            # endpoints want an object at the top
            wrapped = {"calls": calls_schema(request.tools)}
            schema = {"type": "object", "properties": wrapped, "required": ["calls"], "additionalProperties": False}
        if schema is None and request.choices and request.constrained:
            schema = choice_schema(request.choices)
            body["max_tokens"] = max(body["max_tokens"], CHOICE_TOKENS)
        if schema is not None and request.constrained:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return "/chat/completions", body

    def _post(self, path: str, body: dict[str, Any], streamed: Streamed | None = None) -> dict[str, Any] | str:
        """The answer's object, or in a sentence why this one request has none. Retries on 429, 5xx and broken
        connections; an endpoint that stays broken is a ModelError."""
        import httpx

        trouble, pause, tries = "", 0.0, 0
        while tries < TRIES:
            time.sleep(pause)
            sent = self._accepted(body)
            self.on_progress()
            try:
                status, headers, content = self._send(path, sent, streamed)
            except httpx.HTTPError as error:
                status, headers, content = 0, {}, b""
                trouble = f"{type(error).__name__}: {error}"
            if status == 200:
                found = streamed.answer() if streamed is not None else None
                return self._object(content) if found is None else found
            if 400 <= status < 500 and status not in (408, 429):
                if self._learn(content, sent):
                    pause = 0.0
                    continue
                return self._refused(status, content)
            if status:
                said = self._shown(content)[:200]
                trouble = f"HTTP {status}: {said}" if said else f"HTTP {status}"
            tries += 1
            pause = self.backoff * 2**tries * (0.5 + random.random())
            pause = min(max(pause, _retry_after(headers)), LONGEST_PAUSE)
        raise ModelError(self._clean(f"{self.ref}: no answer after {TRIES} tries ({trouble})"))

    def _accepted(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what this endpoint is known to refuse."""
        sent = {k: v for k, v in body.items() if k not in self._left_out}
        sent[self._length_name] = sent.pop("max_tokens")
        return sent

    def _send(self, path: str, sent: dict[str, Any], streamed: Streamed | None) -> tuple[int, Any, bytes]:
        """Status, headers and content; reading stops a little beyond ``LARGEST_ANSWER``. ``streamed`` hears it part by
        part, and begins anew with each try."""
        content = b""
        if streamed is not None:
            streamed.begin()
        with self._client.stream("POST", path, json=sent) as response:
            for part in response.iter_bytes():
                content += part
                if streamed is not None:
                    streamed.hear(part)
                if len(content) > LARGEST_ANSWER:
                    break
            return response.status_code, response.headers, content

    def _object(self, content: bytes) -> dict[str, Any] | str:
        if len(content) > LARGEST_ANSWER:
            return f"the answer has more than {LARGEST_ANSWER >> 20} MB; no call is that long"
        try:
            row = read_json(content)
        except (ValueError, RecursionError):
            shown = self._shown(content)[:80]
            raise ModelError(f"{self.ref}: not JSON: {shown!r}; does the address end in /v1?") from None
        return row if isinstance(row, dict) else "the endpoint's answer is no object"

    def _learn(self, content: bytes, sent: dict[str, Any]) -> bool:
        """Whether the complaint names something that can be left out or called otherwise; then it is from now on."""
        said = self._shown(content)
        if "max_completion_tokens" in said and "max_tokens" in sent:
            self._length_name = "max_completion_tokens"
            return True
        named = [k for k in OPTIONAL if k in sent and re.search(rf"\b{k}\b", said)]
        if "response_format" in sent and re.search(SCHEMA_REFUSED, said, re.IGNORECASE):
            named.append("response_format")
        self._left_out.update(named)
        return bool(named)

    def _refused(self, status: int, content: bytes) -> str:
        said = self._shown(content)
        if any(status in of and re.search(words, said, re.IGNORECASE) for words, of in OF_THIS_REQUEST.items()):
            return f"the endpoint refused the request: HTTP {status}: {said[:200]}"
        raise ModelError(f"{self.ref}: HTTP {status}: {said[:200]}")

    def _shown(self, content: bytes) -> str:
        """Cleaned before anything is cut off, so that no half of a key is left."""
        return self._clean(content[:20_000].decode("utf-8", "replace"))

    def _clean(self, text: str) -> str:
        """Endpoints repeat the key in error messages; one line, without it and without a secret in an address."""
        text = without_secrets(" ".join(text.split()))
        return text.replace(self._secret, "…") if self._secret else text


def _with_images(rows: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    """Data URLs before the text of the last user message. Raises InputError for an image that cannot be read."""
    if not request.images:
        return rows
    parts = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in request.images]
    place = max(i for i, row in enumerate(rows) if row["role"] == "user")
    rows[place] = {**rows[place], "content": [*parts, {"type": "text", "text": rows[place]["content"]}]}
    return rows


def _retry_after(headers: Any) -> float:
    try:
        return float(headers.get("retry-after", 0))
    except ValueError:  # a date
        return 0.0


def check_reference(ref: str) -> None:
    """Raises ModelReferenceError where no endpoint is named: api.openai.com is one only with a key."""
    endpoint = OpenAIEndpoint(ref)
    endpoint.close()
    named = "@" in ref or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY", "").strip()
    if not named:
        mend = f"write {ref}@http://host/v1, or set OPENAI_BASE_URL or OPENAI_API_KEY"
        raise ModelReferenceError(f"{ref} names no endpoint; {mend}")


def open_reference(ref: str, *, slots: int = 8, style: PromptStyle | None = None, **more: Any) -> Model:
    kept = {k: v for k, v in more.items() if k in ("instruction", "backoff", "timeout")}
    return OpenAIEndpoint(ref, slots=slots, style=style, **kept)
