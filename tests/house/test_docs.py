"""The docs say what is so: help pages are current, links lead somewhere, commands exist, examples run."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import typer

from doc_pages import PAGES, ROOT, blocks, commands, commands_that_show_output, named
from lamina.cli import VERBS, main, module_of


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_help_in_the_docs_is_the_help_there_is(generator: ModuleType):
    assert generator.generate(check=True) == [], "run 'make docs'"


def test_the_check_notices_a_page_that_drifted(generator: ModuleType):
    page = f"# x\n{generator.START}\n```text\nold\n```\n{generator.END}\n"
    assert generator.with_help(page, "tools") != page


def test_there_is_one_page_a_verb_and_the_index_leads_to_each():
    pages = {p.stem for p in (ROOT / "docs" / "verbs").glob("*.md")}
    assert pages == {verb.replace(" ", "-") for verb in VERBS}
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert all(f"(verbs/{verb.replace(' ', '-')}.md)" in index for verb in VERBS)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_the_docs_name_verbs_options_and_scripts_that_exist(page: Path):
    shown = [command for b in blocks(page) if b.info == "run" for command, _ in commands_that_show_output(b.text)]
    for line in [*commands(page), *shown]:
        for part in re.split(" && ", line):
            words = shlex.split(part)
            if words[0] == "make":
                assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M), line
            elif words[0] == "lamina":
                assert options(words) <= known_options(words), line
            elif words[0].endswith("python") and words[1].endswith(".py"):
                script = (ROOT / words[1]).read_text(encoding="utf-8")
                assert [o for o in options(words) if f'"{o}"' not in script] == [], line


def options(words: list[str]) -> set[str]:
    return {w.split("=")[0] for w in words if re.match(r"--?[a-z]", w)}


def known_options(words: list[str]) -> set[str]:
    verb = " ".join(words[1:3]) if " ".join(words[1:3]) in VERBS else words[1]
    app = importlib.import_module(module_of(verb)).app
    return {o for p in typer.main.get_command(app).params for o in p.opts} | {"--help"}


def test_commands_in_the_makefile_name_verbs_and_options_that_exist():
    recipes = re.findall(r"^\t\$\(BIN\)/lamina (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert len(recipes) == 2
    for recipe in recipes:
        verb, *words = shlex.split(recipe)
        app = importlib.import_module(f"lamina.cli.{verb}").app
        known = {o for p in typer.main.get_command(app).params for o in p.opts}
        assert {w for w in words if w.startswith("-")} <= known, recipe


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=named)
def test_examples_in_the_docs_run_and_print_what_they_show(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """``file=NAME`` blocks are written, ``console run`` blocks are run and compared, other Python is
    executed."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks(page):
        if block.info.startswith("file="):
            Path(block.info.removeprefix("file=")).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, named(page), "exec", dont_inherit=True), names)
        elif block.language == "console" and block.info == "run":
            for command, shown in commands_that_show_output(block.text):
                capsys.readouterr()
                main(shlex.split(command)[1:])
                assert same(shown, capsys.readouterr().out), command


def same(shown: str, printed: str) -> bool:
    """``…`` in the docs stands for anything within a line."""
    pattern = re.escape(shown.strip()).replace("…", ".*")
    return re.fullmatch(pattern, printed.strip()) is not None


def test_an_example_that_prints_something_else_is_noticed():
    assert not same("a 1", "a 2")
    assert same("took …s", "took 0.3s")
