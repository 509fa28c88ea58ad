"""Conversations of one and of several turns are answered together; each verdict is passed on once known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from lamina.bench import OwnTask, query_of, score_queries
from lamina.bench.driving import drive
from lamina.bench.tasks import Conversation, Outcome, Setting
from lamina.models.model import Reply, Request
from lamina.models.parsing import NOTHING, SYNTAX, WORDS, read_reply
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, Query, ToolCall, Trajectory

TOOLBOX = Toolbox(
    [
        Tool(
            "greet",
            "Greet.",
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        )
    ]
)


class Echo:
    """Greets whoever the request names; ``threaded`` calls back from other threads, last request first."""

    ref = "echo"

    def __init__(self, threaded: bool = False):
        self.threaded = threaded
        self.waves: list[int] = []

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        self.waves.append(len(requests))
        said = [request.messages[-1].content for request in requests]
        replies = [Reply(name, [ToolCall.of("greet", {"name": name})]) for name in said]
        if self.threaded and on_reply:
            threads = [threading.Thread(target=on_reply, args=(i, r)) for i, r in enumerate(replies)]
            for thread in reversed(threads):
                thread.start()
            for thread in threads:
                thread.join()
        return replies

    def close(self) -> None: ...


def counting(turns: int) -> Conversation:
    """Asks ``turns`` times and returns what it heard."""
    heard = []
    for turn in range(turns):
        reply = yield Request([Message(role="user", content=str(turn))])
        heard.append(reply.text)
    return Outcome(True, {"heard": heard})


@pytest.mark.parametrize("threaded", [False, True])
def test_conversations_of_different_length_share_waves_and_each_ends_once(threaded: bool) -> None:
    model = Echo(threaded)
    ended: list[tuple[str, Outcome]] = []
    drive(model, [(f"c{n}", counting(n)) for n in range(4)], lambda key, outcome: ended.append((key, outcome)))
    assert model.waves == [3, 2, 1]
    assert sorted(key for key, _ in ended) == ["c0", "c1", "c2", "c3"]
    assert dict(ended)["c3"].scores["heard"] == ["0", "1", "2"]


def test_few_conversations_are_open_at_a_time_and_the_next_begins_when_one_ends() -> None:
    model = Echo()
    ended: list[str] = []
    turns: list[None] = []
    begun: list[int] = []

    def coming() -> Iterator[tuple[str, Conversation]]:
        for n in (3, 1, 2, 0, 2):
            begun.append(n)
            yield f"c{n}{len(begun)}", counting(n)

    drive(model, coming(), lambda key, _: ended.append(key), at_once=2, on_turn=lambda: turns.append(None))
    assert model.waves == [2, 2, 2, 1, 1]
    assert ended == ["c12", "c31", "c23", "c04", "c25"]
    assert len(turns) == 8


class Compares(Echo):
    """Writes, and says likelihoods too; keeps which way it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.scored: list[Request] = []

    def score(self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None) -> list[Reply]:
        self.scored += requests
        return [Reply("A", likelihoods=[-1.0, -2.0]) for _ in requests]


def asking(request: Request) -> Conversation:
    reply = yield request
    return Outcome(True, {"heard": reply.text})


def test_a_letter_is_compared_where_the_question_is_text_and_written_where_an_image_goes_with_it() -> None:
    def letter(question: str, *images: str) -> Request:
        said = [Message(role="user", content=question)]
        return Request(said, grammar='start: "A" | "B"', continuations=["A", "B"], images=images)

    text, seen = letter("text"), letter("seen", "map.png")
    model = Compares()
    heard: dict[str, Any] = {}
    drive(
        model, [("text", asking(text)), ("seen", asking(seen))], lambda key, o: heard.update({key: o.scores["heard"]})
    )
    assert model.scored == [text]
    assert heard == {"text": "A", "seen": "seen"}


def test_an_error_in_scoring_is_not_swallowed() -> None:
    def broken() -> Conversation:
        yield Request([Message(role="user", content="x")])
        raise ZeroDivisionError("scoring")

    ended: dict[str, Outcome] = {}
    drive(Echo(), [("a", broken()), ("b", counting(2))], lambda key, outcome: ended.__setitem__(key, outcome))
    assert ended["b"].right, "it costs its sample and no other"
    assert ended["a"].scores == {"unscored": True, "broken": True}
    assert ended["a"].reasons == ["not scored: ZeroDivisionError: scoring"]
    assert ended["a"].transcript[0]["answer"] == "x"


def test_queries_are_scored_with_an_open_model_in_the_order_given() -> None:
    wanted: list[Any] = [
        Query("a", "Ana", None, "single", [ToolCall.of("greet", {"name": "ana"})]),
        Query("b", "Bo", None, "single", [ToolCall.of("greet", {"name": "Cy"})]),
    ]
    rows, samples = score_queries(Echo(), wanted, TOOLBOX, "baked")
    assert [(s["sample"], s["right"]) for s in samples] == [("a", True), ("b", False)]
    assert {r["metric"]: r["value"] for r in rows}["call_exact"] == 0.5


@pytest.mark.parametrize("kind", ["single", "refusal", "dependent"])
def test_a_prompt_that_does_not_fit_is_unscored_not_wrong_and_no_refusal(kind: Any) -> None:
    calls = [] if kind == "refusal" else [ToolCall.of("greet", {"name": "Bo"})]
    task = OwnTask(queries=[Query("a", "Bo", None, kind, calls)])
    outcomes = []
    for problem in ("the prompt has 9,000 tokens, the model's context 8,192", NOTHING):
        talk = task.solve(task.samples()[0], Setting(TOOLBOX, "full"))
        next(talk)
        with pytest.raises(StopIteration) as ended:
            talk.send(Reply(text="", problem=problem))
        outcomes.append(ended.value.value)
    refused, silent = outcomes
    assert refused.reasons == ["not answered: the prompt has 9,000 tokens, the model's context 8,192"]
    assert not task.counts_in_pair(refused.scores)
    found = {f.metric: f.interval for f in task.figures([{**o.scores, "right": o.right} for o in outcomes])}
    assert (found["unscored"].value, found["unreadable"].value, found["unreadable"].n) == (0.5, 1.0, 1)
    assert found["dependent_exact" if kind == "dependent" else "call_exact"].n == 1
    assert "unscored" not in {f.metric for f in task.figures([{**silent.scores, "right": silent.right}])}


def test_an_answer_that_had_to_be_repaired_is_read_and_counted_as_such() -> None:
    task = OwnTask(queries=[Query("a", "Bo", None, "single", [ToolCall.of("greet", {"name": "Bo"})])])
    strictly, repaired = '[{"name": "greet", "arguments": {"name": "Bo"}}]', "Sure! [greet(name='Bo')]"
    turns: list[dict[str, Any]] = []

    def figures(*texts: str) -> dict[str, float]:
        told = []
        for text in texts:
            talk = task.solve(task.samples()[0], Setting(TOOLBOX, "full"))
            next(talk)
            with pytest.raises(StopIteration) as ended:
                talk.send(Reply(text, **read_reply(text, TOOLBOX)))
            told.append({**ended.value.value.scores, "right": ended.value.value.right})
            turns.extend(ended.value.value.transcript)
        return {f.metric: f.interval.value for f in task.figures(told)}

    assert figures(strictly, repaired)["call_exact"] == 1.0
    assert figures(strictly, repaired)["repaired"] == 0.5
    assert [(turn.get("repairs"), turn["confidence"]) for turn in turns[-2:]] == [
        (None, 1.0),
        ([SYNTAX, WORDS], pytest.approx(0.855)),
    ]
    assert "repaired" not in figures(strictly)
    assert "repaired" not in figures("no call at all"), "what cannot be read was not repaired"


def test_a_right_alternative_is_right() -> None:
    query = Query(
        "a",
        "Bo",
        None,
        "single",
        [ToolCall.of("greet", {"name": "B"})],
        [[ToolCall.of("greet", {"name": "Bo"})]],
    )
    _, samples = score_queries(Echo(), [query], TOOLBOX, "baked")
    assert samples[0]["right"]


@pytest.mark.parametrize(
    ("turns", "kind"),
    [([[]], "refusal"), ([["a"]], "single"), ([["a", "b"]], "parallel"), ([["a"], ["b"]], "dependent")],
)
def test_a_generated_row_becomes_a_query_of_its_kind(turns: list[list[str]], kind: str) -> None:
    messages = [Message(role="user", content="hi")]
    messages += [
        Message(role="assistant", tool_calls=[ToolCall.of("greet", {"name": n}) for n in names] or None)
        for names in turns
    ]
    query = query_of(Trajectory(id="t", messages=messages))
    assert (query.kind, query.query) == (kind, "hi")
    assert [c.arguments["name"] for c in query.calls] == [n for names in turns for n in names]
    assert OwnTask(queries=[query]).samples()[0].row["kind"] == kind


class Telling(Echo):
    def prompt_for(self, request: Request) -> str:
        if request.messages[-1].content == "broken":
            raise ValueError("no template")
        return f"<user>{request.messages[-1].content}<assistant>"


def test_the_prompt_is_kept_as_it_was_sent_with_what_else_decides_the_answer() -> None:
    names = ("Ann", "broken")
    queries = [Query(name, name, None, "single", [ToolCall.of("greet", {"name": name})]) for name in names]
    _, told = score_queries(Telling(), queries, TOOLBOX, "compact", max_tokens=99)
    first = told[0]["transcript"][0]
    assert first["sent"] == "<user>Ann<assistant>"
    assert (first["style"], first["constrained"], first["max_tokens"], first["seed"]) == ("compact", True, 99, 0)
    assert told[1]["right"], "a prompt that cannot be shown costs no verdict"
    assert "sent" not in told[1]["transcript"][0]
    _, silent = score_queries(Echo(), queries, TOOLBOX, "compact")
    assert "sent" not in silent[0]["transcript"][0]
