"""Prompt style compact: a tool as one line that keeps what a call needs."""

from __future__ import annotations

from lamina.models.model import Request
from lamina.models.signatures import signature, signatures
from lamina.models.templates import DEFAULT_INSTRUCTION, EXPORT_TEMPLATE, PLAIN_CHATML, request_prompt
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message

FORECAST = Tool(
    "forecast",
    "Says the weather. Asks a service on the network for it.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Its name in English."},
            "unit": {"enum": ["c", "f"], "default": "c"},
            "days": {"type": "array", "items": {"type": "string", "format": "date"}},
            "place": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["city", "days"],
    },
)
LINE = (
    'forecast(city: string, unit: "c"|"f" = "c", days: [string date], place?: {lat: number}, note?: string|null): '
    "Says the weather"
)


def test_a_signature_keeps_names_types_choices_and_defaults():
    assert signature(FORECAST) == LINE
    assert signature(Tool("stop", "", {"type": "object", "properties": {}})) == "stop()"


def test_the_compact_prompt_has_the_signatures_first_whatever_the_template():
    request = Request([Message(role="user", content="Rome?")], tools=Toolbox([FORECAST]), style="compact")
    for template, foreign in ((EXPORT_TEMPLATE, False), (PLAIN_CHATML, True)):
        prompt = request_prompt(request, template, foreign=foreign, instruction=DEFAULT_INSTRUCTION)
        assert prompt.startswith(f"<|im_start|>system\nFunctions:\n{LINE}\n{DEFAULT_INSTRUCTION}<|im_end|>\n")
        assert prompt.endswith("<|im_start|>user\nRome?<|im_end|>\n<|im_start|>assistant\n")


def test_an_instruction_of_ones_own_stays_after_the_signatures():
    messages = [Message(role="system", content="Be brief."), Message(role="user", content="Rome?")]
    request = Request(messages, tools=Toolbox([FORECAST]), style="compact")
    prompt = request_prompt(request, EXPORT_TEMPLATE, foreign=False, instruction="Call.")
    assert f"{signatures(Toolbox([FORECAST]))}\nCall.\nBe brief.<|im_end|>" in prompt
    assert prompt.count("<|im_start|>system") == 1
