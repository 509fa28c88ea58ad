"""A writer offers descriptions and categories; nothing takes them until a person says so."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from lamina.cli import main
from lamina.errors import InputError
from lamina.models import open_model
from lamina.synth.describing import describe
from lamina.synth.offers import read_offers, with_offers
from lamina.tools import Tool, Toolbox, read_tools

TOOLS = '''
def area(width: float, height: float) -> float:
    """Area.

    Args:
        width: In meters.
        height: In meters.
    """
    return width * height


def nothing(word: str) -> str:
    """Nothing.

    Args:
        word: A word.
    """
    return word
'''
ASKS = """
import re


def reply(messages, tools, seed):
    said = re.findall(r": ([^;\\]]+)", messages[-1]["content"].rstrip().splitlines()[-1])
    return f"what is the area of {' by '.join(said)}"
"""
WRITER = """
import json


def reply(messages, tools, seed):
    asked = messages[-1]["content"]
    if "Function: nothing" in asked:
        return "I cannot say."
    kind = "Geometry" if "Categories" not in asked else "maths"
    return json.dumps({"description": "Multiplies width and height and gives the area.", "category": kind})
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, str]:
    (tmp_path / "tools.py").write_text(TOOLS, encoding="utf-8")
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    return tmp_path / "tools.py", f"scripted:{tmp_path / 'writer.py'}"


def test_an_offer_is_shown_beside_what_was_said_before(files, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    tools, writer = files
    assert main(["tools", str(tools), "describe", "--writer", writer, "--out", str(tmp_path / "offers.toml")]) == 0
    said = capsys.readouterr().out
    assert "  - Area.\n  + Multiplies width and height and gives the area. [geometry]" in said
    assert "nothing\n  - Nothing.\n  no offer: the answer is no description with a category" in said
    written = tomllib.loads((tmp_path / "offers.toml").read_text(encoding="utf-8"))["tools"]
    assert set(written) == {"area"}
    assert read_tools(tools)["area"].description == "Area.", "nothing is changed by it"


def test_what_a_person_leaves_in_the_file_is_taken_by_synth(files, tmp_path: Path):
    tools, _ = files
    (tmp_path / "offers.toml").write_text('[tools.area]\ncategory = "geometry"\n', encoding="utf-8")
    toolbox = read_tools(tools)
    changed = with_offers(toolbox, read_offers([tmp_path / "offers.toml"], toolbox))
    assert (changed["area"].category, changed["area"].description) == ("geometry", "Area.")
    assert changed["area"].target is not None, "it still runs"
    (tmp_path / "says.py").write_text(ASKS, encoding="utf-8")
    words = ["--writer", f"scripted:{tmp_path / 'says.py'}", "-n", "8", "--out", str(tmp_path / "run")]
    assert main(["synth", str(tools), *words, "--offers", str(tmp_path / "offers.toml")]) == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["synth"]["categories"] == {"area": "geometry"}


def test_with_categories_given_the_writer_has_to_choose_one(files):
    _, writer = files
    toolbox = Toolbox([Tool("area", "Area.", {"type": "object", "properties": {}})])
    model = open_model(writer)
    assert describe(toolbox, model, ["maths", "text"])[0].category == "maths"
    assert "is no category" in describe(toolbox, model, ["text"])[0].problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tools.gone]\ncategory = 'x'\n", "there is no tool 'gone'"),
        ("tools = 3\n", "holds no offers"),
        ("[tools.area]\nusable = 'no'\n", "area: usable is 'no'; write true or false"),
        ("[tools.area]\nusable = false\n[tools.nothing]\nusable = false\n", "leaves no tool"),
        ("[", "no TOML"),
    ],
)
def test_a_file_of_offers_that_does_not_fit_is_refused(files, tmp_path: Path, text: str, said: str):
    (tmp_path / "offers.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_offers([tmp_path / "offers.toml"], read_tools(files[0]))


@pytest.mark.parametrize(
    "answer", ["[" * 3000, '{"description": "Counts all pots."}', '{"description": 5, "category": "x"}']
)
def test_an_answer_that_is_no_description_is_no_offer_and_ends_nothing(tmp_path: Path, answer: str):
    file = tmp_path / "answers.py"
    file.write_text(f"def reply(messages, tools, seed):\n    return {answer!r}\n")
    tool = Tool("count_pots", "Count.", {"type": "object", "properties": {}})
    model = open_model(f"scripted:{file}")
    (offer,) = describe(Toolbox([tool]), model)
    assert offer.problem == "the answer is no description with a category"


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("get_daily_challenge", "it says no more than the name: 'get_daily_challenge'"),
        ("Says of itself: get_daily_challenge", "it says no more than the name"),
        ("The function get daily challenge.", "it says no more than the name"),
        ("The day, as said", "it is what the argument day says"),
        ("Gives the problem of the day.", ""),
    ],
)
def test_an_offer_that_says_nothing_is_none(tmp_path: Path, description: str, problem: str):
    """As a small writer offers, of a tool whose description is its name."""
    asked = tmp_path / "asked"
    (tmp_path / "echo.py").write_text(
        f"import json\n\n\ndef reply(messages, tools, seed):\n    open({str(asked)!r}, 'w').write("
        f"messages[-1]['content'])\n    return json.dumps({{'description': {description!r}, 'category': 'days'}})\n"
    )
    parameters = {"type": "object", "properties": {"day": {"type": "string", "description": "The day, as said."}}}
    box = Toolbox([Tool("get_daily_challenge", "get_daily_challenge", parameters)])
    (offer,) = describe(box, open_model(f"scripted:{tmp_path / 'echo.py'}"))
    assert offer.problem.startswith(problem), offer
    assert bool(offer.description) is not bool(problem)
    assert "Says of itself: (nothing)" in asked.read_text()
