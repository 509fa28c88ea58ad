"""``scripted:FILE.py``: a Python file with ``reply(messages, tools, seed) -> str``, what a model would have said.
For tests, and for users who want to try a pipeline without a model."""

from __future__ import annotations

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamina.errors import InputError, ModelReferenceError
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import read_reply
from lamina.models.templates import storable


class ScriptedModel:
    """``messages`` reach the script as dicts; a request with a raw prompt as one user message holding it;
    ``tools`` as the list in OpenAI form, or None. Images come as their paths, ``images`` of the last user message."""

    sees = True

    def __init__(self, ref: str, style: PromptStyle | None = None):
        self.ref = ref
        self.prompt_style = style
        self.toolbox = None
        self.file = Path(ref.removeprefix("scripted:")).expanduser()
        self._reply = _load(self.file)

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        replies = []
        for index, request in enumerate(requests):
            reply = self._answer(request)
            replies.append(reply)
            if on_reply is not None:
                on_reply(index, reply)
        return replies

    def close(self) -> None:
        pass

    def _answer(self, request: Request) -> Reply:
        messages: list[dict[str, Any]]
        if request.raw_prompt is not None:
            messages = [{"role": "user", "content": request.raw_prompt + request.prefix}]
        else:
            messages = [m.model_dump(exclude_none=True) for m in request.messages]
            for said in [m for m in messages if m["role"] == "user"][-1:] if request.images else []:
                said["images"] = [str(path) for path in request.images]
        tools = request.tools.as_openai() if request.tools is not None else None
        started = time.perf_counter()
        try:
            text = self._reply(messages, tools, request.seed)
        except (Exception, SystemExit) as error:
            raise _broken(self.file, error) from None
        if not isinstance(text, str):
            raise InputError(f"reply() returned {type(text).__name__}", file=self.file, mend="return a string")
        text = storable(text)
        seconds = time.perf_counter() - started
        return Reply(
            text=text, **read_reply(text, request.tools), prompt_tokens=len(str(messages)) // 4,
            completion_tokens=len(text) // 4 + 1, seconds=seconds, first_token_seconds=seconds,
        )  # fmt: skip


def open_reference(ref: str, *, style: PromptStyle | None = None, **_: Any) -> Model:
    return ScriptedModel(ref, style)


def check_reference(ref: str) -> None:
    _load(Path(ref.removeprefix("scripted:")).expanduser())


def _load(file: Path) -> Callable[[list[dict[str, Any]], list[dict[str, Any]] | None, int], Any]:
    if not file.is_file():
        raise ModelReferenceError(f"{file}: there is no such file; scripted: wants a Python file with reply()")
    spec = importlib.util.spec_from_file_location(f"lamina_scripted_{abs(hash(file))}", file)
    if spec is None or spec.loader is None:
        raise ModelReferenceError(f"{file}: not a Python file; scripted: wants one ending in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(str(error.msg), file=file, line=error.lineno, mend="correct the script") from None
    except (Exception, SystemExit) as error:
        raise _broken(file, error) from None
    reply: Any = getattr(module, "reply", None)
    if not callable(reply):
        raise InputError("no function reply(messages, tools, seed)", file=file, mend="define it")
    return reply  # type: ignore[no-any-return]


def _broken(file: Path, error: BaseException) -> InputError:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file.absolute()]
    line = frames[-1].lineno if frames else None
    return InputError(f"{type(error).__name__}: {error}", file=file, line=line, mend="correct the script")
