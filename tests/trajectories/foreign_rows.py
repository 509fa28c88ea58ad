"""A small row of every foreign format, written in the way its data set writes it."""

from __future__ import annotations

import json
from typing import Any

WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The city."}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}
TOOL = {"type": "function", "function": WEATHER}
CALL = {"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}
ASKED = "Weather in Paris for 2 days?"
ANSWER = "It is sunny."
RESULT = '{"sky": "clear"}'
CALL_TEXT = json.dumps(CALL)

ROWS: dict[str, Any] = {
    "openai": {
        "messages": [
            {"role": "user", "content": ASKED},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "get_weather", "arguments": json.dumps(CALL["arguments"])}}]},
            {"role": "tool", "tool_call_id": "c1", "content": RESULT},
            {"role": "assistant", "content": ANSWER},
        ],
        "tools": [TOOL],
    },
    "trl": {
        "prompt": [{"role": "user", "content": ASKED}],
        "completion": [{"role": "assistant", "tool_calls": [{"type": "function", "function": CALL}]}],
        "tools": [TOOL],
    },
    "instruction": {
        "instruction": ASKED, "input": "", "output": json.dumps([CALL]), "tools": json.dumps([TOOL]),
    },
    "xlam-60k": {
        "id": 7, "query": ASKED, "answers": json.dumps([CALL]),
        "tools": json.dumps([{"name": "get_weather", "description": "The weather of a city.", "parameters": {
            "city": {"type": "str", "description": "The city."},
            "days": {"type": "int, optional", "description": "Days.", "default": 1}}}]),
    },
    "xlam-unified": {
        "unique_trajectory_id": "u1", "task_instruction": "Help.", "tools": [TOOL], "query": ASKED,
        "steps": [{"thought": "Look it up.", "tool_calls": [CALL], "next_observation": RESULT, "user_input": ""},
                  {"thought": ANSWER, "tool_calls": [], "next_observation": "", "user_input": ""}],
    },
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": ASKED}, {"from": "function_call", "value": CALL_TEXT},
            {"from": "observation", "value": RESULT}, {"from": "gpt", "value": ANSWER}],
        "tools": json.dumps([WEATHER]), "system": "Be kind.",
    },
    "hermes": {
        "conversations": [
            {"from": "system", "value": f"You call functions. <tools>{json.dumps([TOOL])}</tools>"},
            {"from": "human", "value": ASKED},
            {"from": "gpt", "value": f"<think>\nLook.\n</think>\n<tool_call>\n{CALL_TEXT}\n</tool_call>"},
            {"from": "tool", "value": f"<tool_response>\n{RESULT}\n</tool_response>"},
            {"from": "gpt", "value": ANSWER}],
    },
    "glaive": {
        "system": "SYSTEM: You are a helpful assistant with access to the following functions. Use them if required "
                  f"-\n{json.dumps(WEATHER)}",
        "chat": f"USER: {ASKED}\n\n\nASSISTANT: <functioncall> "
                '{"name": "get_weather", "arguments": \'{"city": "Paris", "days": 2}\'} <|endoftext|>\n\n\n'
                f"FUNCTION RESPONSE: {RESULT}\n\n\nASSISTANT: {ANSWER} <|endoftext|>\n\n\n",
    },
    "toolace": {
        "system": f"Here is a list of functions in JSON format that you can invoke:\n{json.dumps([WEATHER])}",
        "conversations": [
            {"from": "user", "value": ASKED},
            {"from": "assistant", "value": '[get_weather(city="Paris", days=2)]'},
            {"from": "tool", "value": json.dumps([{"name": "get_weather", "results": {"sky": "clear"}}])},
            {"from": "assistant", "value": ANSWER}],
    },
    "xlam-2": {
        "messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": json.dumps([CALL])}],
        "tools": [TOOL],
    },
    "react": {
        "text": f"Question: {ASKED}\nThought: Look it up.\nAction: get_weather\n"
                f"Action Input: {json.dumps(CALL['arguments'])}\nObservation: {RESULT}\nFinal Answer: {ANSWER}",
    },
    "api-bank": [
        {"role": "User", "text": ASKED},
        {"role": "API", "api_name": "get_weather", "param_dict": {"city": "Paris", "days": 2},
         "result": {"output": {"sky": "clear"}, "exception": None}},
        {"role": "AI", "text": ANSWER},
    ],
    "toolalpaca": {
        "Name": "Weather", "Instructions": [ASKED],
        "Function_Description": {"get_weather": 'The weather.\nParameters: {"city": "Required. string. The city."}\n'},
        "Golden_Answers": [[{"Action": "get_weather", "Action_Input": '{"city": "Paris", "days": 2}'}]],
    },
    "toolbench": {
        "win": True, "tree": {"node": 1}, "answer_generation": {
            "valid_data": True, "finish_type": "give_answer", "function": [WEATHER],
            "train_messages": [[
                {"role": "user", "content": ASKED},
                {"role": "assistant", "content": "", "function_call": {
                    "name": "get_weather", "arguments": json.dumps(CALL["arguments"])}},
                {"role": "function", "name": "get_weather", "content": RESULT},
                {"role": "assistant", "content": ANSWER}]]},
    },
    "nestful": {
        "input": ASKED, "tools": [WEATHER],
        "output": [{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}, "label": "var1"}],
    },
    "seal-tools": {
        "id": "s1", "query": ASKED,
        "calling": [{"api": "get_weather", "parameters": {"city": "Paris", "days": 2}, "responses": ["API_call_0"]}],
    },
    "tooltalk": {
        "name": "t1", "apis_used": ["get_weather"], "metadata": {"timestamp": "2023-09-11 09:00:00"},
        "conversation": [
            {"index": 0, "role": "user", "text": ASKED},
            {"index": 1, "role": "assistant", "text": ANSWER, "apis": [
                {"request": {"api_name": "get_weather", "parameters": {"city": "Paris", "days": 2}},
                 "response": {"sky": "clear"}, "exception": None}]}],
    },
    "tau-bench": {
        "task_id": 1, "trial": 0, "reward": 1.0, "traj": [
            {"role": "user", "content": ASKED},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "get_weather", "arguments": json.dumps(CALL["arguments"])}}]},
            {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": RESULT}],
    },
    "bfcl": {
        "id": "simple_0", "question": [[{"role": "user", "content": ASKED}]],
        "function": [{**WEATHER, "parameters": {**WEATHER["parameters"], "type": "dict"}}],  # type: ignore[dict-item]
        "ground_truth": [{"get_weather": {"city": ["Paris", "Paris, France"], "days": [2]}}],
    },
    "mcp-log": [
        {"jsonrpc": "2.0", "method": "user/message", "params": {"text": ASKED}},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [
            {"name": "get_weather", "description": "The weather.", "inputSchema": WEATHER["parameters"]}]}},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": CALL},
        {"jsonrpc": "2.0", "id": 2, "result": {"content": [{"type": "text", "text": RESULT}]}},
    ],
    "toolrl": {
        "instruction": "**Available Tools**\n1. Name: get_weather\nDescription: The weather.\n"
                       'Parameters: {"city": {"type": "str", "description": "The city."}, "days": {"type": "int"}}\n\n'
                       "**Steps for Each Turn**\nThink.",
        "input": f"**Dialogue Records History**\n<user> {ASKED} </user>",
        "output": '<think> Look. </think>\n<tool_call>\n{"name": "get_weather", "parameters": {"city": "Paris", '
                  '"days": 2}}\n</tool_call>',
    },
}  # fmt: skip
"""``metatool`` is not here: its calls have no arguments."""
WHOLE_FILES = ("api-bank", "mcp-log")


def as_text(name: str) -> str:
    """The row as a file of JSON Lines holds it."""
    rows = ROWS[name] if name in WHOLE_FILES else [ROWS[name]]
    return "".join(json.dumps(row) + "\n" for row in rows)
