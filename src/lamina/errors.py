"""Every error Lamina raises on purpose.

    LaminaError
    ├── UserError               exit status 2: the user's input is at fault
    │   ├── InputError          a file, a line, what is wrong, the mend
    │   ├── ToolDefinitionError a function that cannot be described as a tool
    │   ├── ModelReferenceError a model reference that names nothing usable
    │   ├── ConfigMismatchError the run folder belongs to another configuration
    │   └── MissingExtraError   an optional library is not installed
    └── WorkFailedError         exit status 1: the input was fine, the work was not
        ├── YieldError          synthesis gave no row by its model, or too few to train on
        ├── StorageError        disk full, no permission, damaged file
        └── ModelError          a model backend failed to load or to answer at all
            ├── DamagedFileError  the model's file is none, or cut short: exit status 2, it is the user's
            └── PromptError     no prompt can be made of the messages: the model's chat template raises

Messages are one line: what is wrong, where, and the mend. Errors of other libraries are wrapped at the
boundary where they occur; what a *model* wrote never raises, it becomes a reject with a reason code.
"""

from __future__ import annotations

from pathlib import Path


class LaminaError(Exception):
    """Base of all deliberate errors. ``exit_status`` is what the command line returns."""

    exit_status = 1


class UserError(LaminaError):
    exit_status = 2


class InputError(UserError):
    """``file:line: what is wrong; the mend``."""

    def __init__(self, what: str, *, file: str | Path | None = None, line: int | None = None, mend: str = ""):
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{where}{what}" + (f"; {mend}" if mend else ""))


class ToolDefinitionError(InputError):
    pass


class ImportTooSlowError(ToolDefinitionError):
    """A module was still importing when its time was over. On a busy machine that says nothing of the module: it is no
    reason to go on without its tools."""


class ModelReferenceError(UserError):
    pass


class ConfigMismatchError(UserError):
    pass


class MissingExtraError(UserError):
    """An optional library is absent."""

    def __init__(self, library: str, extra: str):
        super().__init__(f"{library} is not installed; pip install 'lamina[{extra}]' brings it")


class WorkFailedError(LaminaError):
    pass


class YieldError(WorkFailedError):
    pass


class StorageError(WorkFailedError):
    pass


class ModelError(WorkFailedError):
    pass


class DamagedFileError(ModelError):
    """A ModelError, so that a bench of several models counts it as theirs, with the exit status of the user's."""

    exit_status = 2


class PromptError(ModelError):
    pass


def first_line(error: BaseException) -> str:
    """Of what another library says in many lines; its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
