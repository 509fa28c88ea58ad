"""What a model is asked for: seven styles, three samplers, six wordings, and rows of a library that offer a choice."""

from __future__ import annotations

import random
import re
from collections import Counter
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from lamina.checks import Candidate, Reason
from lamina.checks.grounding import missing_values
from lamina.data.checking import Checker
from lamina.errors import UserError
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, prompts, synthesize
from lamina.synth.calls import DrawnCall
from lamina.synth.conversing import check_conversation
from lamina.synth.grammar import Words, compose
from lamina.synth.rules import RULES, Case, check_alone
from lamina.synth.sampling import SAMPLERS, companions, none_fits, on_offer
from lamina.synth.settings import FEW_TOOLS, LIBRARY, WORDINGS
from lamina.synth.styles import STYLES
from lamina.synth.unserved import foreign_material
from lamina.synth.values import ValuePool
from lamina.synth.wording import Slot
from lamina.synth.writers import Assignment
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import CallResult, Executor
from lamina.trajectories import Message, ToolCall, Trajectory, read_trajectories

MODULE = '''
def {noun}_area(width: float, height: float) -> float:
    """Compute the area of a {noun}.

    Args:
        width: How wide the {noun} is.
        height: How high the {noun} is.
    """
    return width * height


def paint_{noun}(colour: str, coats: int) -> str:
    """Paint a {noun} in a colour.

    Args:
        colour: The colour, such as "red" or "blue".
        coats: How many coats of paint.
    """
    return f"{{coats}} coats of {{colour}}"
'''


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for noun in ("door", "fence", "cupboard"):
        (folder / f"{noun}s.py").write_text(MODULE.format(noun=noun))
    return folder


def rows_of(tools: Path, out: Path, writer: str, **settings: Any) -> list[Trajectory]:
    toolbox = read_tools(tools)
    made = SynthSettings(**{"rows": 40, "batch": 20, "grammar_share": 0, "offer": 4, "writer": writer, **settings})
    with Executor(toolbox) as executor, Run.open(out, {"seed": made.seed}) as run:
        synthesize(toolbox, run, made, Progress(silent=True), executor)
    return list(read_trajectories(out / "trajectories.jsonl"))


def names_on_offer(row: Trajectory) -> set[str]:
    return {tool["function"]["name"] for tool in row.tools}


def test_every_style_is_what_its_name_says(library: Path, says_it_all: str, tmp_path: Path) -> None:
    styles = tuple((name, 1.0) for name in STYLES)
    rows = rows_of(library, tmp_path / "run", says_it_all, styles=styles, rows=60)
    found = {row.meta.style: row for row in rows}
    assert set(found) == set(STYLES)
    for row in rows:
        assert (row.meta.model_extra or {}).get("wording"), "every row of a model says how it is worded"
        called = [c.name for c in row.calls]
        assert set(called) <= names_on_offer(row)
        assert 1 <= len(row.tools) <= 4
        match row.meta.style:
            case "simple":
                assert names_on_offer(row) == set(called)
            case "multiple":
                assert len(called) == 1
                assert len(row.tools) > 1
            case "parallel":
                assert len(called) > 1 == len(set(called))
            case "parallel-multiple":
                assert len(set(called)) > 1
            case "irrelevant" | "missing-argument":
                assert called == []
            case "multi-turn":
                assert 2 <= len(called) <= 4
                assert len(called) <= sum(m.role == "user" for m in row.messages) <= len(called) + 2


def test_a_request_without_its_tool_is_a_request_for_a_tool_that_is_not_on_offer(
    library: Path, says_it_all: str, tmp_path: Path
) -> None:
    rows = rows_of(library, tmp_path / "run", says_it_all, styles=(("irrelevant", 1.0),), rows=12, near=1.0)
    assert rows
    for row in rows:
        said = row.request.split()
        noun = next(noun for noun in ("door", "fence", "cupboard") if get_close_matches(noun, said, cutoff=0.8))
        assert not any(noun in name for name in names_on_offer(row))
        assert [c.name for c in row.meta.checks if c.verdict == "passed"] == ["format", "refusal"]


def pieces_of(row: Trajectory) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each call the user's request, and the assistant's questions with their answers."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    said: list[str] = []
    for message in row.messages:
        if message.tool_calls:
            found.append((said[0], list(zip(said[1::2], said[2::2], strict=True))))
            said = []
        elif message.role != "tool" and (said or message.role == "user"):
            said.append(message.content)
    return found


def test_in_a_conversation_a_value_is_said_only_when_it_is_asked_for(
    library: Path, says_it_all: str, tmp_path: Path
) -> None:
    rows = rows_of(library, tmp_path / "run", says_it_all, styles=(("multi-turn", 1.0),), rows=40)
    toolbox = read_tools(library)
    shapes = Counter[tuple[int, int]]()
    for row in rows:
        assert [m.name for m in row.messages if m.role == "tool"] == [c.name for c in row.calls]
        pieces = pieces_of(row)
        shapes[len(pieces), sum(len(asked) for _, asked in pieces)] += 1
        for call, (request, asked) in zip(row.calls, pieces, strict=True):
            said = request
            for question, reply in asked:
                assert question.endswith("?")
                before, said = missing_values(said, [call], toolbox), f"{said} {reply}"
                assert len(missing_values(said, [call], toolbox)) == len(before) - 1, "an answer says one value"
            assert missing_values(said, [call], toolbox) == []
    assert {calls for calls, _ in shapes} == {2, 3, 4}
    assert {asked for _, asked in shapes} == {0, 1, 2}


def test_what_a_later_piece_copied_from_the_shown_functions_is_a_leak(library: Path) -> None:
    toolbox = read_tools(library)
    later = Message(role="user", content="order a taxi and paint the door teal")
    made = Candidate("hello there", [[]], "multi-turn", "w", 0, "2026-11-24T10:00:00", script=(later,))
    shown = prompts.leaks(list(toolbox))
    found = RULES["leak"](Case(made, toolbox, Assignment((), "multi-turn", 0, (), shown=shown)))
    assert found is not None
    assert "taxi" in found.detail


def test_of_two_tools_a_conversation_calls_one_again(garden: Path, says_it_all: str, tmp_path: Path) -> None:
    rows = rows_of(garden, tmp_path / "run", says_it_all, styles=(("multi-turn", 1.0),), rows=12, targets=80)
    longer = [[(c.name, str(c.arguments)) for c in row.calls] for row in rows if len(row.calls) > 2]
    assert longer
    assert all(len(set(calls)) == len(calls) for calls in longer), "never the same call twice"


PAINT = CallResult("ok", "done", '"done"')


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (["paint the door", "In which colour?", "teal please", "How many coats of paint?", "2 coats"], None),
        (["paint the door teal", "In which colour?", "teal please", "How many coats?", "2"], Reason.REQUEST_SAYS_MORE),
        (["paint the door", "In which colour?", "teal, 2 coats", "How many coats?", "2"], Reason.REQUEST_SAYS_MORE),
        (["paint the door", "In which colour?", "red", "How many coats?", "2"], Reason.VALUE_NOT_IN_REQUEST),
        (["paint the door", "In which colour?", "teal", "And 2 coats of it?", "2"], Reason.REQUEST_SAYS_MORE),
        (["paint the door", "In which colour?", "teal", "How many coats of teal?", "2"], None),
        (["paint the door", "How many coats?", "teal", "In which colour?", "2"], Reason.NOT_ASKED),
        (["paint the door", "In which colour?", "teal", "How many coats?", ""], Reason.NO_ANSWER),
    ],
)
def test_two_arguments_left_out_are_asked_for_one_after_the_other(
    library: Path, said: list[str], reason: Reason | None
) -> None:
    toolbox = read_tools(library)
    paint = DrawnCall(toolbox["paint_door"], {"colour": "teal", "coats": 2}, PAINT)
    area = DrawnCall(toolbox["door_area"], {"width": 3.0, "height": 4.0}, CallResult("ok", 12.0, "12.0"))
    calls = [ToolCall.of(d.tool.name, d.arguments) for d in (paint, area)]
    script = (
        *(Message(role="assistant" if place % 2 else "user", content=text) for place, text in enumerate(said)),
        Message(role="assistant", tool_calls=[calls[0]]),
        Message(role="assistant"),
        Message(role="user", content="compute the area of a door 3 wide and 4 high"),
        Message(role="assistant", tool_calls=[calls[1]]),
    )
    made = Candidate(said[0], [[c] for c in calls], "multi-turn", "w", 0, "2026-11-24T10:00:00", script=script)
    made.results = [[paint.result], [area.result]]
    withheld = ((0, "colour"), (0, "coats"))
    found = check_conversation(made, toolbox, Assignment((), "multi-turn", 0, (paint, area), withheld=withheld))
    assert (found and found.reason) is reason, found


def test_where_a_value_is_missing_the_right_answer_asks_for_it(library: Path, says_it_all: str, tmp_path: Path) -> None:
    rows = rows_of(library, tmp_path / "run", says_it_all, styles=(("missing-argument", 1.0),), rows=6, targets=24)
    assert rows
    for row in rows:
        _, answer = row.messages
        assert (answer.role, answer.tool_calls, answer.content[-1]) == ("assistant", None, "?")
        assert any(word in answer.content for word in ("width", "height", "colour", "coats"))
        assert Checker().check(row).rejection is None


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Which colour shall the door have?", None),
        ("How about colour number 7?", Reason.REQUEST_SAYS_MORE),
        ("Shall the colour be teal?", Reason.REQUEST_SAYS_MORE),
        ("How many coats?", Reason.NOT_ASKED),
        ("Please say the colour.", Reason.NOT_ASKED),
        ("", Reason.NO_ANSWER),
    ],
)
def test_a_question_asks_for_what_is_missing_and_says_no_value(
    library: Path, question: str, reason: Reason | None
) -> None:
    toolbox = read_tools(library)
    call = DrawnCall(toolbox["paint_door"], {"colour": "teal", "coats": 2}, CallResult("ok", "done", '"done"'))
    made = Candidate("paint the door with 2 coats", [[]], "missing-argument", "w", 0, "2026-11-24T10:00:00")
    made.answer = question
    found = check_alone(made, toolbox, Assignment((), "missing-argument", 0, (call,), withheld=((0, "colour"),)))
    assert (found and found.reason) is reason


WEATHER = Toolbox([
    Tool("get_weather", "Get the forecast for a place.",
         {"type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "string"}}}),
    Tool("playTrack", "Start a piece of music on the speaker in the kitchen.", {"type": "object", "properties": {}}),
])  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "served"),
    [
        ("what will the weather be in Quito on Friday?", True),
        ("what is the forecast for that place", True),
        ("put some music on in the kitchen", True),
        ("which track is this", True),
        ("book me a taxi to the station", False),
        ("who won the match last night", False),
        ("get me a plumber for friday", False),
    ],
)
def test_what_a_tool_on_offer_may_serve_is_no_irrelevant_request(request_: str, served: bool) -> None:
    made = Candidate(request_, [[]], "irrelevant", "w", 0, "2026-11-24T10:00:00")
    found = check_alone(made, WEATHER, Assignment((), "irrelevant", 0))
    assert (found is not None and found.reason is Reason.NOT_A_REFUSAL) is served, found


def test_the_same_seed_writes_the_same_rows(library: Path, says_it_all: str, tmp_path: Path) -> None:
    first, again, other = (
        [r.id for r in rows_of(library, tmp_path / f"run{i}", says_it_all, seed=seed)]
        for i, seed in enumerate((3, 3, 4))
    )
    assert first == again
    assert first != other


def test_the_few_tools_of_an_app_are_on_offer_as_a_whole(garden: Path, writer: str, tmp_path: Path) -> None:
    rows = rows_of(garden, tmp_path / "run", writer, grammar_share=0.3)
    assert {len(row.tools) for row in rows} == {2}
    assert {"simple"} <= {row.meta.style for row in rows}


def test_samplers_cover_what_they_say() -> None:
    def tool(name: str, category: str) -> Tool:
        return Tool(name, f"Does {name}.", {"type": "object", "properties": {}}, category=category)

    box = Toolbox([tool("a", "x"), tool("b", "x"), tool("c", "x"), tool("d", "y")])

    def drawn(sampler: str, covered: dict[str, int], count: int) -> Counter[str]:
        return Counter(islice(SAMPLERS[sampler](box, covered, random.Random(0)), count))

    assert drawn("uniform", {}, 8) == {"a": 2, "b": 2, "c": 2, "d": 2}
    assert drawn("category", {}, 8)["d"] == 4
    assert drawn("coverage", {"a": 5, "b": 5, "c": 0, "d": 3}, 5) == {"c": 4, "d": 1}


def test_companions_are_of_the_same_category_and_what_is_offered_instead_is_not() -> None:
    def tool(name: str, category: str, about: str) -> Tool:
        return Tool(name, about, {"type": "object", "properties": {}}, category=category)

    box = Toolbox(
        [tool("book_flight", "travel", "Book a flight."), tool("list_hotels", "travel", "List hotels."),
         tool("add_number", "maths", "Add two numbers."), tool("sing_song", "fun", "Sing a song.")]
    )  # fmt: skip
    rng = random.Random(0)
    assert [t.name for t in companions(box["book_flight"], box, rng, 1)] == ["list_hotels"]
    instead = none_fits(box["book_flight"], box, 3, rng)
    assert instead is not None
    assert set(instead.names) == {"add_number", "sing_song"}
    assert none_fits(box["book_flight"], Toolbox([box["book_flight"], box["list_hotels"]]), 3, rng) is None
    for _ in range(20):
        offered = on_offer([box["book_flight"]], box, 3, rng)
        assert "book_flight" in offered
        assert 2 <= len(offered) <= 3


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("called", [1, 2, 3])
def test_a_row_offers_the_tools_it_calls_however_few_are_asked_for(most: int, called: int) -> None:
    schema = {"type": "object", "properties": {}}
    nouns = ("door", "kite", "song", "boat")
    box = Toolbox([Tool(f"{verb}_{noun}", f"{verb} a {noun}.", schema) for verb in ("open", "sell") for noun in nouns])
    for seed in range(20):
        rng, tools = random.Random(seed), list(box)[:called]
        offered = on_offer(tools, box, most, rng)
        assert {tool.name for tool in tools} <= set(offered.names)
        assert len(offered) == max(most, called)
        instead = none_fits(tools[0], box, most, rng)
        assert instead is not None
        assert 1 <= len(instead) <= most


def test_a_library_of_everything_leaves_the_grammar_nothing_to_refuse(tmp_path: Path) -> None:
    words = sorted({word for entry in foreign_material()["foreign"] for word in entry["words"]})
    box = Toolbox([Tool("do_all", f"Can do {', '.join(words)}.", {"type": "object", "properties": {}})])
    with Executor(box) as executor:
        heard = Words(box, {"do_all": []}, ValuePool.of(list(box)), executor, "2026-11-23T10:00:00")
        assert compose("irrelevant", heard, random.Random(0), 0) is None


def test_every_wording_words_every_shown_function() -> None:
    assert prompts.wordings() == list(WORDINGS)
    tool = Tool("f", "Do a thing.", {"type": "object", "properties": {}})
    assert len({prompts.first_prefix(tool, wording) for wording in WORDINGS}) == len(WORDINGS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"styles": (("sequential", 1.0),)}, "style 'sequential'"),
        ({"sampler": "greedy"}, "sampler 'greedy'"),
        ({"wordings": ("rude",)}, "wording 'rude'"),
        ({"round_trip": "warm-up"}, "one set of tools"),
        ({"offer": 1}, "a multiple row has tools to choose from, and 1 is on offer"),
    ],
)
def test_what_is_no_style_sampler_or_wording_is_named(
    library: Path, says_it_all: str, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        rows_of(library, tmp_path / "run", says_it_all, **settings)


class Listening(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(silent=True)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    ("wordings", "styles", "said"),
    [
        (
            ("terse",),
            (("simple", 1.0), ("missing-argument", 1.0)),
            ["--wordings does not change missing-argument rows"],
        ),
        (("terse",), (("simple", 1.0),), []),
        (("chatty",), (("parallel", 1.0),), []),
        (("chatty",), (("parallel-multiple", 1.0),), ["--wordings does not change parallel-multiple rows"]),
        (WORDINGS, (("parallel", 1.0),), []),
    ],
)
def test_wordings_that_some_rows_cannot_have_are_said(
    library: Path, says_it_all: str, tmp_path: Path, wordings: tuple[str, ...], styles: Any, said: list[str]
) -> None:
    toolbox, heard = read_tools(library), Listening()
    made = SynthSettings(targets=2, grammar_share=0, writer=says_it_all, offer=4, wordings=wordings, styles=styles)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": made.seed}) as run:
        synthesize(toolbox, run, made, heard, executor)
    assert [line for line in heard.lines if "--wordings" in line] == said
    rows = read_trajectories(tmp_path / "run" / "trajectories.jsonl")
    wanted = {"missing-argument": {"plain"}, "parallel-multiple": {"plain"}}
    for row in rows:
        assert (row.meta.model_extra or {})["wording"] in wanted.get(row.meta.style, set(wordings))


def test_requests_of_several_calls_take_the_wordings_that_can_be_joined(
    library: Path, says_it_all: str, tmp_path: Path
) -> None:
    styles = (("parallel", 1.0), ("parallel-multiple", 1.0))
    rows = rows_of(library, tmp_path / "run", says_it_all, styles=styles, rows=40)
    found: dict[str, set[str]] = {style: set() for style, _ in styles}
    for row in rows:
        found[row.meta.style].add((row.meta.model_extra or {})["wording"])
    assert found == {"parallel": set(WORDINGS), "parallel-multiple": set(WORDINGS) - {"chatty"}}


def test_what_is_asked_of_the_model_for_several_calls_is_worded() -> None:
    tool, slots = Tool("f", "Do a thing.", {"type": "object", "properties": {}}), [[Slot("a", "1")], [Slot("a", "2")]]
    asked = {prompts.joint_prompt(tool, wording, [], slots) for wording in WORDINGS}
    assert len(asked) == len(WORDINGS)
    assert all(prompt.endswith("Do a thing.\n\n[a: 1 / a: 2]") for prompt in asked)
    shown = [line for prompt in asked for line in prompt.splitlines()[:-1] if line.startswith("[")]
    for values, request in (line[1:].split("] ", 1) for line in shown):
        assert all(value.strip() in request for value in re.findall(r": ([^;/]+)", values)), request


def test_shares_are_of_one_whole() -> None:
    for shares in (SynthSettings(offer=16).shares(12), SynthSettings(offer=16).shares(100)):
        assert sum(shares.values()) == pytest.approx(1)
    assert set(LIBRARY) == set(STYLES)
    assert set(FEW_TOOLS) < set(STYLES)
    assert SynthSettings(styles=(("simple", 3.0), ("parallel", 1.0))).shares(5) == {"simple": 0.75, "parallel": 0.25}


def test_lists_are_not_asked_for_side_by_side(tmp_path: Path, says_it_all: str) -> None:
    file = tmp_path / "sums.py"
    file.write_text(
        'def add_up(values: list[float]) -> float:\n    """Add up numbers.\n\n    Args:\n        values: The numbers.\n'
        '    """\n    return sum(values)\n'
    )
    assert rows_of(file, tmp_path / "run", says_it_all, styles=(("parallel", 1.0),), rows=3) == []


def test_what_a_writer_copied_from_the_shown_functions_is_a_leak() -> None:
    taxi = Tool("order_taxi", "Order a taxi.", {"type": "object", "properties": {}})
    assert "taxi" not in prompts.leaks([taxi])
    assert "recipe" in prompts.leaks([taxi])


def test_a_conversation_whose_question_the_writer_left_empty_is_a_reject_and_no_crash():
    said = [("user", "book a table"), ("assistant", ""), ("user", "for four"), ("user", "and a taxi")]
    script = tuple(Message(role=role, content=text) for role, text in said)
    candidate = Candidate("book a table", [[]], "multi-turn", "w", 0, "2026-11-24T10:00:00", script=script)
    found = check_conversation(candidate, Toolbox([]), Assignment((), "multi-turn", 0, ()))
    assert found is not None
    assert (found.stage, found.reason) == ("format", Reason.NO_ANSWER)
