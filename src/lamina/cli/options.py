"""Options that several verbs share, and the one way of making a verb's typer app."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lamina.cli.output import results_alone
from lamina.errors import InputError

# Plain help: no import of rich for it, and the same text on a terminal, in a pipe and in the docs.
CONTEXT = {"help_option_names": ["--help", "-h"], "max_content_width": 100}


def verb(function: Callable[..., Any], *, example: str) -> typer.Typer:
    """A typer app of one command, whose help ends with an example. Its ``variables`` reach the tools while it works."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    lines = "\n".join(f"  {line}" for line in example.strip().splitlines())

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        from lamina.tools.environment import passing

        with results_alone(), passing(kwargs.get("variables") or ()):
            return function(*args, **kwargs)

    app.command(context_settings=CONTEXT, epilog=f"\b\nExample:\n{lines}")(command)
    return app


def _read_config(context: typer.Context, file: Path | None) -> Path | None:
    """Makes the keys of a TOML file the defaults of this verb's options."""
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
        keys = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="--config wants a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no TOML ({error})", file=file) from None
    known = {p.name: p for p in context.command.params if p.name and p.name not in ("config", "help")}
    # A key is spelled as on the command line, without the dashes in front.
    spelled = {o.lstrip("-").replace("-", "_"): n for n, p in known.items() for o in p.opts}
    defaults: dict[str, Any] = {}
    for key, value in keys.items():
        name = spelled.get(key.replace("-", "_"))
        if name is None:
            line = next((i for i, t in enumerate(text.splitlines(), 1) if t.split("=")[0].strip() == key), None)
            mend = f"known keys: {', '.join(sorted(spelled))}"
            raise InputError(f"unknown key {key!r}", file=file, line=line, mend=mend)
        defaults[name] = value
    context.default_map = {**(context.default_map or {}), **defaults}
    return file


class Style(StrEnum):
    """How the tools stand in the prompt."""

    full = "full"
    compact = "compact"
    baked = "baked"


class Method(StrEnum):
    """How an agent goes about it."""

    act = "act"
    react = "react"
    pract = "pract"


class Channel(StrEnum):
    """How calls and results are written."""

    native = "native"
    text = "text"


class Update(StrEnum):
    """What training changes."""

    lora = "lora"
    full = "full"


class Rounded(StrEnum):
    """What a quantization-aware training rounds for."""

    none = "none"
    Q4_0 = "Q4_0"
    Q5_0 = "Q5_0"


class How(StrEnum):
    """How training rows are written."""

    call_first = "call-first"
    pairs = "pairs"


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        is_eager=True,
        callback=_read_config,
        help="Options from a file, same keys.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The run folder; the same command continues it.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start anew: what Lamina made in the folder is removed first.")]
Seed = Annotated[int, typer.Option("--seed", help="Same seed and same model, same rows.")]
ToolsFile = Annotated[
    Path,
    typer.Argument(
        metavar="TOOLS",
        help="Functions (a .py file, a package, module:NAME), an OpenAPI document, an mcpServers config, a JSON list, "
        "a pattern, or several of these with commas between them.",
        show_default=False,
    ),
]
AllowChanges = Annotated[
    bool,
    typer.Option(
        "--allow-changes",
        help="Call tools that may change things elsewhere: POST, servers' tools that write, CHANGES_THINGS.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        help="The longest that one call of a tool may take.  [5]",
        show_default=False,
    ),
]
PASSED_HELP = "A variable of your environment that your Python functions see, such as API_KEY; may be repeated."
Variables = Annotated[list[str] | None, typer.Option("--env", metavar="NAME", help=PASSED_HELP)]
Targets = Annotated[
    int | None,
    typer.Option("-n", min=1, help="Targets to try, whatever passes; else --rows decides."),
]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows",
        min=1,
        help="Verified rows wanted, in at most four times as many tries.  [330]",
        show_default=False,
    ),
]
GrammarShare = Annotated[
    float | None,
    typer.Option(
        "--grammar-share",
        metavar="SHARE",
        min=0,
        help="Of the rows wanted, those that a grammar composes of your tools' own words; a third at most.  [0.32]",
    ),
]
Writer = Annotated[str, typer.Option("--writer", metavar="REF", help="The model that writes the requests.")]
Votes = Annotated[int, typer.Option("--votes", min=1, help="How often the judge is asked about a row.")]
VotesNeeded = Annotated[
    int | None,
    typer.Option("--votes-needed", metavar="K", help="Of the votes, how many must pass; else more than half."),
]
Judge = Annotated[str, typer.Option("--judge", metavar="REF", help="The model that judges them, or none.")]
RoundTrip = Annotated[
    str,
    typer.Option(
        "--round-trip",
        metavar="REF",
        help="The model that must write the call back from the request; warm-up: tuned on the spot.",
    ),
]
HowToWrite = Annotated[
    How, typer.Option("--how", help="Draw a call and have its request written, or have both written.")
]
Styles = Annotated[
    str | None,
    typer.Option(
        "--styles",
        metavar="NAME=SHARE,…",
        help="Of what is asked for: simple, multiple, parallel, parallel-multiple, irrelevant, missing-argument, "
        "multi-turn; shares equal where none is given. Pairs have the first four.",
    ),
]
Sampler = Annotated[
    str,
    typer.Option("--sampler", metavar="NAME", help="The next tool: uniform, by category, or by least coverage so far."),
]
Wordings = Annotated[
    str | None,
    typer.Option(
        "--wordings",
        metavar="NAME,…",
        help="How requests are worded: plain, terse, chatty, indirect, misspelt, vague, and like-examples for tools "
        "that have some.",
    ),
]
Near = Annotated[
    float,
    typer.Option("--near", min=0.1, max=1, help="Share of words in common from which on a request is a near copy."),
]
PerCall = Annotated[
    int | None,
    typer.Option("--per-call", metavar="N", min=1, help="Rows at most of one shape of calls (functions, arguments)."),
]
HeldOut = Annotated[
    str | None,
    typer.Option(
        "--held-out",
        metavar="FILE,…",
        help="Evaluation sets (BFCL's files, any known format): rows that copy one of their requests are set aside.",
    ),
]
Offer = Annotated[
    int, typer.Option("--offer", min=1, help="Tools on offer in a row, at most; rows of more tools offer a choice.")
]
Constrained = Annotated[
    bool, typer.Option("--constrained/--unconstrained", help="Whether pairs are held to a JSON Schema.")
]
PerRequest = Annotated[
    int | None,
    typer.Option("--per-request", metavar="N", min=1, help="Pairs that the writer is asked for at once; else 3."),
]
Base = Annotated[str, typer.Option("--base", metavar="REF", help="The model to tune.")]
Epochs = Annotated[float | None, typer.Option("--epochs", min=0.1, help="Passes over the training rows.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Of the processor; else one a core.")]
LearningRate = Annotated[
    float | None, typer.Option("--learning-rate", min=1e-7, help="At its highest; else the recipe's or a usual one.")
]
UpdateOption = Annotated[
    Update, typer.Option("--update", help="full: every linear layer's weights; lora: adapters, merged at the end.")
]
Types = Annotated[str, typer.Option("--types", metavar="TYPE,…", help="GGUF types to write.")]
PromptStyleOption = Annotated[
    Style,
    typer.Option("--style", help="baked: tools learned; compact: a signature each in the prompt; full: their schemas."),
]
Variants = Annotated[
    int | None,
    typer.Option(
        "--variants",
        min=0,
        help="How often each of your examples is said again with other values.  "
        "[2; 1 of over 300 examples, 0 of over 600]",
    ),
]
Examples = Annotated[
    Path | None,
    typer.Option(
        "--examples",
        metavar="FILE",
        help="Requests with their right calls, seen by the writers and trained on; else examples.jsonl beside TOOLS.",
    ),
]
Queries = Annotated[
    Path | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        help="Hand-written requests, scored and never trained on; else queries.jsonl beside TOOLS.",
    ),
]
