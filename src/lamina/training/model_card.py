"""The card of a trained model, ``README.md`` in its folder: what it is for, how it was trained, how it is asked."""

from __future__ import annotations

import json
from pathlib import Path

from lamina import __version__
from lamina.runs.files import atomic_file
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.settings import TrainSettings

HOW_ASKED = {
    "baked": "The tools were learned: the prompt holds the request alone.",
    "compact": "The prompt's system message holds a signature of each tool; Lamina writes it.",
    "full": "The prompt holds the tools' schemas: `tokenizer.apply_chat_template(messages, tools=tools)`.",
}
NUMBERS = (
    "rows", "validation_rows", "steps", "tokens", "trainable_parameters", "precision", "loss", "validation_loss",
    "validation_token_accuracy", "call_accuracy",
)  # fmt: skip
SETTINGS = ("epochs", "batch", "accumulate", "learning_rate", "scheduler", "max_length", "seed")


def write_card(folder: Path, settings: TrainSettings, toolbox: Toolbox, metrics: JSON) -> None:
    """Raises StorageError."""
    with atomic_file(folder / "README.md") as file:
        file.write(model_card(settings, toolbox, metrics).encode())


def model_card(settings: TrainSettings, toolbox: Toolbox, metrics: JSON) -> str:
    """Of a base on this machine only the name is said. No license is: it follows from the base's and the rows'."""
    ref = str(metrics["base"])
    base = ref.removeprefix("hf:") if ref.startswith("hf:") else Path(ref).name
    header = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["function-calling", "lamina"]}
    header |= {"base_model": base} if ref.startswith("hf:") else {}
    rows = [(name, metrics[name]) for name in NUMBERS if metrics.get(name) is not None]
    rows += [(name, getattr(settings, name)) for name in SETTINGS]
    if settings.update == "lora":
        rows += [("lora_rank", settings.lora_rank), ("lora_alpha", settings.lora_alpha)]
    what = {"sft": "supervised, loss on the assistant's tokens", "dpo": "DPO, right answers over wrong ones"}
    update = {"full": "all weights of the linear layers", "lora": "adapters, merged into the weights"}
    speaks = settings.learn == "words"
    words = " Before the calls, on lines of their own, or instead of them may stand words." if speaks else ""
    return "\n".join([
        "---", *(f"{key}: {json.dumps(value)}" for key, value in header.items()), "---", "",
        f"# {base}, trained to call functions", "",
        'It answers a request with a JSON array of calls, `[{"name": …, "arguments": {…}}]`, and with `[]` where none',
        f"serves.{words} {HOW_ASKED[settings.prompt_style]} Ask it greedily (temperature 0), as Lamina does.", "",
        "## Tools", "",
        *(_line(tool.name, tool.description) for tool in toolbox), "",
        "## Training", "",
        f"Base: {base}. Method: {what[settings.method]}. Trained: {update[settings.update]}.", "",
        "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows), "",
        "The losses are of the training; how often the model is right is for a benchmark to say, on requests of the",
        "kind that it will be asked. It was trained for these tools, and for others only as far as the rows had them.",
        "", "The license follows from the base's and that of the rows.", "",
        f"Made by Lamina {__version__}; `lamina.json` beside this file holds all settings and the tools.", "",
    ])  # fmt: skip


def _line(name: str, description: str) -> str:
    first = next(iter(description.strip().splitlines()), "")
    return f"- `{name}`: {first}" if first else f"- `{name}`"
