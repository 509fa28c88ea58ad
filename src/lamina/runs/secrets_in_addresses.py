"""Passwords and keys in addresses. A model reference is written into a run's configuration, into every row that the
model wrote, into reports and what is published, so it may hold none; what is shown or published loses those it has."""

from __future__ import annotations

import re
from typing import Any

from lamina.errors import ModelReferenceError

SHOWN_AS = "…"
_NAME_OF_A_SECRET = r"[^=&;?#\s]*(?:key|token|secret|pass|pwd|auth|sig|cred|code)[^=&;?#\s]*"
_VALUE = r"""[^&;#\s'",]+"""
_LOOKS_MADE_UP = r"(?=[\w.~%+-]*\d)(?=[\w.~%+-]*[A-Za-z])[\w.~%+-]{20,}"
"""A long word of letters and digits, whatever the parameter is called."""
_PARAMETER = re.compile(rf"([?&;](?:{_NAME_OF_A_SECRET}=(?={_VALUE})|[^=&;?#\s]*=(?={_LOOKS_MADE_UP}))){_VALUE}", re.I)
_BEFORE_THE_HOST = re.compile(r"(?<=://)[^/?#\s]*@")
_BARE_ADDRESS = re.compile(r"(\bopenai:[^@\s]*@)(?!https?://)[^\s@]*@")


def without_secrets(text: str) -> str:
    """``text`` with ``…`` in place of a ``user:password`` before a host and of values in an address that are keys."""
    text = _BARE_ADDRESS.sub(rf"\1{SHOWN_AS}@", _BEFORE_THE_HOST.sub(f"{SHOWN_AS}@", text))
    return _PARAMETER.sub(rf"\1{SHOWN_AS}", text)


def refuse_secrets(ref: str) -> None:
    """Raises ModelReferenceError for a reference that holds a password or a key, without showing it."""
    _, _, address = ref.partition("@" if ref.startswith("openai:") else "://")
    if "@" not in address and not _PARAMETER.search(address):
        return
    name = re.split(r"@|://", ref)[0]
    mend = "leave it out and set OPENAI_API_KEY (or OPENAI_BASE_URL, where the address itself must hold it)"
    raise ModelReferenceError(f"{name}: its address holds a password or a key, which the run would record; {mend}")


def refuse_secrets_in(value: Any) -> None:
    """As ``refuse_secrets``, for every text in a configuration: whatever a verb forgets to check reaches no file."""
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            refuse_secrets_in(inner)
    elif isinstance(value, str):
        refuse_secrets(value)
