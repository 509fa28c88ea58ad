"""Pastes the help text of every verb into its page, between two marks; ``make docs`` runs it.

usage: generate.py [--check]     --check writes nothing and exits with 1 if a page has drifted
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path

from lamina.cli import VERBS, main

PAGES = Path(__file__).parent / "verbs"
START, END = "<!-- help: written by docs/generate.py -->", "<!-- end of help -->"


def page_of(verb: str) -> Path:
    return PAGES / f"{verb.replace(' ', '-')}.md"


def help_of(verb: str) -> str:
    """``lamina VERB --help`` at a fixed width, whatever the terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "102"
    try:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            main([*verb.split(), "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


def with_help(page: str, verb: str) -> str:
    """``page`` with the block between the marks renewed. A page without the marks is an error."""
    block = f"{START}\n```text\n{help_of(verb)}\n```\n{END}"
    renewed, found = re.subn(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: block, page, flags=re.S)
    if found != 1:
        raise SystemExit(f"docs/verbs/{page_of(verb).name}: wants the two marks once: {START} and {END}")
    return renewed


def generate(*, check: bool = False) -> list[str]:
    """Renews the pages and returns those that had drifted."""
    drifted = []
    for verb in VERBS:
        file = page_of(verb)
        old = file.read_text(encoding="utf-8") if file.exists() else f"# lamina {verb}\n\n{START}\n{END}\n"
        new = with_help(old, verb)
        if new != old or not file.exists():
            drifted.append(verb)
            if not check:
                file.write_text(new, encoding="utf-8")
    return drifted


if __name__ == "__main__":
    only_check = "--check" in sys.argv[1:]
    changed = generate(check=only_check)
    print(f"docs: {', '.join(changed) or 'no page'} {'drifted' if only_check else 'renewed'}")
    sys.exit(1 if only_check and changed else 0)
