"""A model that tells of each answer, so that people see a slow one work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamina.models.model import Model, PromptStyle, Reply, Request


class Answered:
    """``tell`` is called with the number of answers so far, after each one."""

    def __init__(self, model: Model, tell: Callable[[int], None]):
        self.ref = model.ref
        self.prompt_style: PromptStyle | None = getattr(model, "prompt_style", None)
        self.answers = 0
        self._model, self._tell = model, tell

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        def told(index: int, reply: Reply) -> None:
            self.answers += 1
            self._tell(self.answers)
            if on_reply is not None:
                on_reply(index, reply)

        return self._model.generate(requests, told)

    def close(self) -> None:
        self._model.close()
