"""What a training leaves: one model in float32, with its tokenizer, its template and what it was made from; of LoRA the
adapter too."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lamina.errors import StorageError
from lamina.runs.files import storage_error
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.base import Base, load_base
from lamina.training.folder import write_json
from lamina.training.lora import restore
from lamina.training.processes import is_first
from lamina.training.rows import learnt_template
from lamina.training.settings import TrainSettings
from lamina.training.weights import trainable

ADAPTER = "adapter"
"""In the model's folder, where the adapter of a LoRA training lies as PEFT saves it."""
REFERENCE = "ref"
"""What TRL calls its copy of the adapter as it began, which DPO compares with."""
_UNWRITTEN = ("No space left", "PytorchStreamWriter", "unexpected pos", "iostream error")
"""Of what torch's writer of archives says where a file took no more; it loses the system's own number. The reader of
archives says none of it."""


def whole_model(trainer: Any, base: Base, settings: TrainSettings, bf16: bool) -> Any:
    """The trained model in one piece, in the first process at least: what was sharded is gathered into a new one."""
    if trainer.accelerator.distributed_type.value not in ("FSDP", "DEEPSPEED"):
        return trainer.model
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # all processes take part
    if not is_first():
        return None
    model, _ = trainable(load_base(base.ref).model, settings, bf16)
    model.load_state_dict({name: weight for name, weight in weights.items() if f".{REFERENCE}." not in name})
    return model


def save_merged(
    model: Any,
    base: Base,
    out: Path,
    settings: TrainSettings,
    toolbox: Toolbox,
    copied: Sequence[str],
    bf16: bool,
    keep_adapter: bool = True,
) -> None:
    """The merged model in float32, its tokenizer, its template and ``lamina.json``, each renamed into place.
    ``copied``: the arguments that an engine may hold to words and numbers of the request. Where LoRA was trained
    the adapter is kept too, in ``adapter``, unless ``keep_adapter`` is false: its base is then nobody's model."""
    temporary = out / "unfinished"
    shutil.rmtree(temporary, ignore_errors=True)
    facts = _facts(base, settings, toolbox, copied)
    # with its marks of what is learnt, which Transformers knows: whoever trains on learns the assistant's turns alone
    base.tokenizer.chat_template = learnt_template(settings.learn, base.tokenizer.eos_token)
    if settings.update == "lora":
        model = _merged(model, base, temporary / ADAPTER, settings, facts, bf16)
        if not keep_adapter:
            shutil.rmtree(temporary / ADAPTER)
    model.save_pretrained(str(temporary))
    base.tokenizer.save_pretrained(str(temporary))
    write_json(temporary / "lamina.json", facts)
    shutil.rmtree(out / ADAPTER, ignore_errors=True)  # of a kill between these lines; a folder replaces no full one
    for file in sorted(temporary.iterdir()):
        file.replace(out / file.name)
    temporary.rmdir()


def _merged(model: Any, base: Base, folder: Path, settings: TrainSettings, facts: JSON, bf16: bool) -> Any:
    """The model with its adapter added to the weights, after the adapter was saved in ``folder`` as PEFT saves it, with
    what says how it is asked."""
    if REFERENCE in model.peft_config:
        model.delete_adapter(REFERENCE)
    restore(model)
    model.peft_config["default"].base_model_name_or_path = base.ref.removeprefix("hf:")
    model.save_pretrained(str(folder), save_embedding_layers=False)  # none is trained; PEFT would ask the hub about it
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's card has blanks for all that is to be said
    (folder / "chat_template.jinja").write_text(base.tokenizer.chat_template, "utf-8")
    write_json(folder / "lamina.json", facts)
    if bf16:  # the base was rounded for training; the adapter goes onto the unrounded one
        from peft import PeftModel

        model = PeftModel.from_pretrained(load_base(base.ref).model, str(folder)).float()
    return model.merge_and_unload()


def _facts(base: Base, settings: TrainSettings, toolbox: Toolbox, copied: Sequence[str]) -> JSON:
    return {
        "prompt_style": settings.prompt_style,
        "tools": toolbox.as_openai(),
        "copied": list(copied),
        **({"speaks": True} if settings.learn == "words" else {}),
        "base": base.ref,
        "base_gguf": str(base.gguf) if base.gguf else None,
        "seed": settings.seed,
        "settings": asdict(settings),
    }


@contextmanager
def storage(out: Path) -> Iterator[None]:
    """What torch and safetensors say of a full disk, as StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise storage_error(error.filename or out, error) from error
    except Exception as error:
        said = str(error)
        if number := re.search(r"os error (\d+)", said):  # safetensors
            raise storage_error(out, OSError(int(number[1]), os.strerror(int(number[1])))) from error
        if any(part in said for part in _UNWRITTEN):
            what = "torch could not write a file to its end (the disk is full, or ulimit -f limits files)"
            raise StorageError(f"{out}: {what}; free some space and run the same command again") from error
        raise
