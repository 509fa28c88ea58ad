"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    ROOT / page
    for pattern in ("README.md", "CONTRIBUTING.md", "AGENTS.md", "docs/**/*.md", "examples/*/README.md")
    for page in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.M | re.S)
EXAMPLES_OF_HELP = re.compile(r"^  Examples?:\n((?:    .*\n)+)", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``info`` is what follows the language (``run``, ``file=NAME``)."""

    language: str
    info: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(a, b.strip(), c) for a, b, c in FENCE.findall(page.read_text(encoding="utf-8"))]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: Path) -> list[str]:
    """Command lines of the page: of ``console`` blocks that show no output, and of the example in a verb's help."""
    texts = [b.text for b in blocks(page) if b.language == "console" and b.info != "run"]
    texts += EXAMPLES_OF_HELP.findall(page.read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n *", "", "\n".join(texts)).splitlines()
    return [
        bare
        for line in lines
        if (bare := re.sub(r" +#.*", "", line).strip().removeprefix("$ ").removeprefix(".venv/bin/"))
    ]


def commands_that_show_output(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ (.*)\n", text, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))
