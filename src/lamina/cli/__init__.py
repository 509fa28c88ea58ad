"""The command line: parse, call, print. One module a verb, imported only when that verb is asked for, so that
``lamina --help`` costs nothing.

Exit status: 0 done, 1 the work failed, 2 the user's input is at fault, 130 stopped with Ctrl-C. Errors
are one line on standard error. With ``--json`` standard output carries the result alone; everything else
goes to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import cast

from lamina.errors import LaminaError

__all__ = ["VERBS", "main", "module_of"]

VERBS: dict[str, str] = {
    "build": "functions in; verified data set, tuned model, GGUF files and report out",
    "tools": "read a file of functions and show the tools in it",
    "synth": "write verified training data for your functions",
    "data import": "read data sets of any known format into a run",
    "data check": "check every record, and say what is wrong with which",
    "data fix": "write the records that pass, mended, with a diff",
    "data augment": "the same records in other forms: shuffled, masked, with other tools, in other formats",
    "data mix": "put several data sets together by a recipe",
    "data export": "write records in another format",
    "data push": "publish the rows of a run as a data set, with a card",
    "data stats": "count what is in a data set",
    "data show": "print records as a person would read them",
    "train": "fine-tune a model on trajectories",
    "distill": "a small model learns from a large one, each layer at its own rate",
    "quantize": "export a trained model to GGUF, quantize it, check parity",
    "bench": "score models on requests for your functions, and on public benchmarks",
    "bench score": "score the answers that any program wrote",
    "bench compare": "what changed between two benches, sample by sample",
    "bench fetch": "get the data of a public benchmark",
    "act": "answer one request with a built model and execute its calls",
    "learn": "action principles, learnt by an agent from what it did",
    "report": "write the HTML report of a run",
    "models": "list the kinds of model reference",
    "formats": "list the record formats Lamina reads and writes",
    "tasks": "list the benchmark tasks",
    "envs": "list the environments an agent can learn in",
    "doctor": "what works on this machine, and the mend for what doesn't",
}
"""Every verb and its one line. ``lamina.cli.<verb>`` holds a typer app named ``app``, ``lamina.cli.<verb>_<sub>`` that
of a verb of two words; a test compares the two."""

STOPPED = "stopped; the same command continues where it was"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; the console script is this function."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if given[0] in ("--version", "-V"):
        from lamina import __version__

        print(f"lamina {__version__}")
        return 0
    words = 2 if " ".join(given[:2]) in VERBS else 1
    verb, rest = " ".join(given[:words]), given[words:]
    if verb not in VERBS and (lines := group(verb)):
        asked = len(given) < 2 or given[1] in ("--help", "-h", "help")
        print(lines) if asked else None
        return 0 if asked else _complain(f"there is no verb '{verb} {given[1]}'; 'lamina {verb}' lists them", 2)
    if verb not in VERBS:
        return _complain(f"there is no verb {verb!r}{_nearest(verb)}; 'lamina --help' lists them", 2)
    os.environ.setdefault("TQDM_DISABLE", "1")  # libraries' bars; progress is ours to show. Read when tqdm is imported
    try:
        return _run_verb(verb, rest)
    except LaminaError as error:
        return _complain(_one_line(str(error)), error.exit_status)
    except KeyboardInterrupt:
        return _complain(STOPPED, 130)
    except BrokenPipeError:
        # The reader of our output left (`| head`); what is buffered can go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        from lamina.runs.files import storage_error

        return _complain(str(storage_error(error.filename, error) if error.filename else error.strerror or error), 1)


def overview() -> str:
    """The text of ``lamina --help``."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {line}" for verb, line in VERBS.items())
    return f"""\
Usage: lamina VERB ...

Lamina turns your own functions into a small, verified, on-device tool-calling agent.

Verbs:
{verbs}

Options:
  {"--help":<{width}}  this text; 'lamina VERB --help' for one verb, with an example
  {"--version":<{width}}  the version

Example:
  lamina build examples/desk/tools.py --out runs/desk"""


def group(name: str) -> str:
    """The verbs of two words that begin with ``name``, as lines; empty where there is none."""
    found = {verb: line for verb, line in VERBS.items() if verb.startswith(f"{name} ")}
    width = max(map(len, found), default=0)
    return "\n".join([f"lamina {verb:<{width}}  {line}" for verb, line in found.items()])


def module_of(verb: str) -> str:
    """The module in which a verb lives."""
    return f"lamina.cli.{verb.replace(' ', '_')}"


def _run_verb(verb: str, arguments: list[str]) -> int:
    import importlib

    import typer

    # Typer carries its own copy of click from 0.17 on: the usage error is found through what it exports.
    found = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    usage_error = cast("type[Exception]", found)
    command = typer.main.get_command(importlib.import_module(module_of(verb)).app)
    try:
        status = command.main(args=arguments, prog_name=f"lamina {verb}", standalone_mode=False)
    except usage_error as error:
        said = error.format_message()  # type: ignore[attr-defined]
        return _complain(f"{' '.join(said.split()).rstrip('.')}; 'lamina {verb} --help' shows an example", 2)
    except typer.Abort:
        return _complain(STOPPED, 130)
    if status == 130:
        return _complain(STOPPED, 130)
    return status if isinstance(status, int) else 0


def _nearest(verb: str) -> str:
    import difflib

    near = difflib.get_close_matches(verb, VERBS, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _one_line(text: str) -> str:
    """A list that an error shows on lines of its own (a config difference) is joined with semicolons."""
    first, *rest = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    return " ".join([first, "; ".join(rest)]).strip()


def _complain(what: str, status: int) -> int:
    """No error repeats a password or key that an address on the command line or in a run holds."""
    if "://" in what or "openai:" in what:
        from lamina.runs.secrets_in_addresses import without_secrets

        what = without_secrets(what)
    print(f"lamina: {what}", file=sys.stderr)
    return status
