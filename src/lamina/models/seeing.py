"""What a Transformers model needs to see: the right class, and the processor that makes its inputs of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.errors import InputError, ModelError
from lamina.models.images import picture
from lamina.models.metadata import facts_of


def kind_of_model(ref: str, config: Any, images: bool) -> Any:
    """The class that loads a model of this configuration. Raises ModelError where it has to see and cannot."""
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    may_see = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    if images and not may_see:
        raise ModelError(_of_text_alone(ref, config.model_type))
    if images or (may_see and type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING):
        return AutoModelForImageTextToText
    return AutoModelForCausalLM


def why_blind_folder(folder: Path) -> str | None:
    """Why the model in it cannot be asked about images, by its configuration; None where nothing speaks against it, and
    where the folder is damaged: that is said when it is loaded."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    try:
        architecture = facts_of(str(folder)).architecture
    except ModelError:
        return None
    if not architecture or architecture in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return None
    return _of_text_alone(str(folder), architecture)


def _of_text_alone(ref: str, architecture: str) -> str:
    return f"{ref}: cannot be asked about images; its architecture ({architecture}) is of text alone"


class Eyes:
    """The processor of a model that sees (LLaVA, Idefics3, SmolVLM, …). ``mark`` stands for an image in a prompt.
    Raises ModelError where the model's folder has no processor."""

    def __init__(self, ref: str):
        from transformers import AutoProcessor

        try:
            kind: Any = AutoProcessor
            self._processor: Any = kind.from_pretrained(ref.removeprefix("hf:"))
        except (OSError, ValueError, KeyError, ImportError) as error:
            said = " ".join(str(error).split())[:200]
            raise ModelError(f"{ref}: Transformers cannot load the processor of its images ({said})") from None
        if getattr(self._processor, "image_processor", None) is None:
            raise ModelError(f"{ref}: no processor of images in it (processor_config.json); save it beside the model")
        self.mark: str = getattr(self._processor, "image_token", None) or ""

    def inputs(self, prompt: str, images: Sequence[Path | str]) -> tuple[list[int], dict[str, Any]]:
        """The tokens of the prompt, each mark as many as its image takes, and what else the model is given. Raises
        InputError for an image that cannot be read, or that the processor does not take."""
        pictures = [picture(image) for image in images]
        try:
            found = self._processor(text=[prompt], images=[pictures], add_special_tokens=False, return_tensors="pt")
        except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
            said = " ".join(str(error).split())[:200]
            raise InputError(f"the model's processor does not take it ({said})", file=images[0]) from None
        ids: list[int] = found["input_ids"][0].tolist()
        return ids, {key: value for key, value in found.items() if key not in ("input_ids", "attention_mask")}
