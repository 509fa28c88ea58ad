"""``bfcl:multi_turn_…``: conversations are played on the simulators and scored as the leaderboard scores them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamina.agents.environments.bfcl_multi_turn import known_folders
from lamina.bench import BenchModel, BenchSettings, bench_models, open_task, score_answers, write_samples
from lamina.bench.tasks import Outcome, Sample, Setting, Task
from lamina.bench.tasks.bfcl import MULTI_TURN
from lamina.bench.tasks.bfcl.multi_turn import MOST_STEPS, TOLD
from lamina.errors import InputError
from lamina.models import Reply, Request
from lamina.models.model import PromptStyle
from lamina.reports.sampled import write_samples_page
from lamina.runs import Run
from lamina.tools import Toolbox

sys.path.insert(0, str(Path(__file__).parent))

from tiny_bfcl import NAMES, call, first, tiny_bfcl, tiny_model, truth

SETTINGS = BenchSettings(timing_samples=0, slots=2)
SETTING = Setting(Toolbox([]), "full")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tiny_bfcl(tmp_path / "bfcl")


def benched(data: Path, run: Path, ref: str, settings: BenchSettings = SETTINGS) -> dict[str, Any]:
    with Run.open(run, {"verb": "bench"}) as opened:
        task, model = open_task("bfcl:multi_turn_base", data=data), BenchModel(ref, "m", "", "full")
        found = bench_models([model], [task], run=opened, toolbox=Toolbox([]), settings=settings)
        write_samples(opened)
    return found


def figures(found: dict[str, Any]) -> dict[str, tuple[float, int]]:
    return {row["metric"]: (row["value"], row["n"]) for row in found["rows"]}


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def played(task: Task, sample: Sample | int, answer: Callable[[Request, int], Reply]) -> Outcome:
    """``answer`` is told the request and how many there were before."""
    talk = task.solve(task.samples()[sample] if isinstance(sample, int) else sample, SETTING)
    request, number = next(talk), 0
    try:
        while True:
            reply = answer(request, number)
            request, number = talk.send(reply), number + 1
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


@pytest.mark.parametrize(
    ("mode", "accuracy", "progress"),
    [("right", 1.0, 1.0), ("chatty", 1.0, 1.0), ("nothing", 0.0, 0.0), ("not the last", 0.0, 2 / 3)],
)
def test_a_sample_is_right_where_every_turn_is(data: Path, tmp_path: Path, mode: str, accuracy: float, progress: float):
    found = benched(data, tmp_path / "run", tiny_model(tmp_path / "m.py", mode))
    assert found["crashes"] == []
    told = figures(found)
    assert told["accuracy"] == (accuracy, 4)
    assert told["progress"] == (pytest.approx(progress), 4)
    assert told["stopped"] == (0.0, 4)
    assert "unscored" not in told
    (row,) = [row for row in found["rows"] if row["metric"] == "accuracy"]
    assert (row["low"], row["high"]) == pytest.approx((0.51, 1.0) if accuracy else (0.0, 0.49), abs=0.001)


def test_all_that_was_asked_called_and_said_can_be_read(data: Path, tmp_path: Path):
    benched(data, tmp_path / "run", tiny_model(tmp_path / "m.py", "not the last"))
    lamp = next(row for row in rows(tmp_path / "run") if row["prompts"][0] == first("lamp"))
    assert lamp["verdict"] == "wrong"
    assert lamp["reasons"] == ["turn 3: no call was made"]
    assert lamp["target"] == truth("lamp")
    assert lamp["answers"] == [json.dumps(truth("lamp")[0]), "[]", json.dumps(truth("lamp")[1]), "[]", "[]"]
    assert lamp["prompts"][:3] == [first("lamp"), '{"open": 2}', "Which are open?"]
    roles = [message["role"] for message in lamp["messages"]]
    assert roles == ["system", *["user", "assistant", "tool", "assistant"] * 2, "user"]
    assert "answer []" in lamp["messages"][0]["content"]
    page = write_samples_page(tmp_path / "run", ["m"])
    assert page is not None
    held = json.loads(page.read_text().split('id="data">', 1)[1].split("</script>", 1)[0])
    steps = next(row for row in held["rows"] if row["steps"][1]["text"] == first("lamp"))["steps"]
    assert [step["text"] for step in steps if step["who"].startswith("user")] == [
        first("lamp"), "Which are open?", "Another one, number 2.",
    ]  # fmt: skip
    (said,) = [step["text"] for step in steps if step["who"] == "m"]
    assert '→ {"tickets": ["old", "lamp"]}' in said


def test_the_run_keeps_of_each_turn_what_is_new(data: Path, tmp_path: Path):
    benched(data, tmp_path / "run", tiny_model(tmp_path / "m.py"))
    with Run.at(tmp_path / "run") as run:
        record = json.loads(next(iter(run.store.iterate("sample"))).payload)
    assert [len(turn["messages"]) for turn in record["transcript"]] == [2, 2, 2, 2, 2, 2]


def test_a_conversation_that_ends_the_process_costs_no_other_and_is_asked_again_where_that_is_wanted(
    data: Path, tmp_path: Path
):
    ref, trap, log = tiny_model(tmp_path / "m.py"), tmp_path / "trap", tmp_path / "m.log"
    trap.write_text("sink")
    found = benched(data, tmp_path / "run", ref)
    assert {crash["stage"] for crash in found["crashes"]} == {"generate"}
    assert figures(found)["accuracy"] == (1.0, 3)
    kept = {row["sample"]: row for row in rows(tmp_path / "run") if row["verdict"] == "right"}
    assert len(kept) == 3
    trap.unlink()
    log.unlink()
    assert figures(benched(data, tmp_path / "run", ref))["accuracy"] == (1.0, 3)
    assert not log.exists(), "nothing is asked again"
    found = benched(data, tmp_path / "run", ref, replace(SETTINGS, retry_crashed=True))
    assert figures(found)["accuracy"] == (1.0, 4)
    assert set(log.read_text().splitlines()) == {first("sink")}
    after = {row["sample"]: row for row in rows(tmp_path / "run")}
    assert {sample: after[sample] for sample in kept} == kept


@pytest.mark.parametrize("mode", ["right", "nothing"])
def test_a_function_that_is_withheld_comes_with_its_turn(data: Path, tmp_path: Path, mode: str):
    """The turn that asks for it too early has no right call, and is not judged."""
    task = open_task("bfcl:multi_turn_miss_func", data=data)
    calls = [truth("lamp")[0], [], truth("lamp")[1], truth("lamp")[2]]
    offered = []

    def answer(request: Request, number: int) -> Reply:
        assert request.tools is not None
        turn = sum(message.role == "user" for message in request.messages) - 1
        offered.append((turn, "list_tickets" in request.tools))
        silent = request.messages[-1].role == "tool" or (mode == "nothing" and turn == 2)
        return Reply("[]" if silent else json.dumps(calls[turn]))

    outcome = played(task, 0, answer)
    assert outcome.right is (mode == "right")
    assert outcome.scores["progress"] == pytest.approx(1.0 if mode == "right" else 1 / 3)
    assert all(there is (turn >= 2) for turn, there in offered)
    assert outcome.transcript[0]["target"] == calls


def test_a_model_that_never_ends_its_turn_is_stopped_and_wrong(data: Path):
    task = open_task("bfcl:multi_turn_base", data=data)
    outcome = played(task, 0, lambda request, number: Reply(json.dumps([call("list_tickets")])))
    assert not outcome.right
    assert outcome.scores == {"unscored": False, "progress": 0.0, "stopped": True, "cut": False}
    assert len(outcome.transcript) == MOST_STEPS + 1
    assert outcome.reasons == ["more than 20 answers with calls in one turn"]


def test_a_request_that_was_not_answered_is_neither_right_nor_wrong(data: Path):
    task = open_task("bfcl:multi_turn_base", data=data)
    calls = truth("lamp")

    def answer(request: Request, number: int) -> Reply:
        if number == 2:
            return Reply("", problem="the request exceeds the context of 8192 tokens")
        return Reply(json.dumps(calls[0]) if number == 0 else "[]")

    outcome = played(task, 0, answer)
    assert outcome.scores["unscored"]
    assert outcome.reasons == ["not answered: the request exceeds the context of 8192 tokens"]
    right = played(task, 1, lambda request, number: Reply("[]"))
    told = {f.metric: f.interval for f in task.figures([{**o.scores, "right": o.right} for o in (outcome, right)])}
    assert (told["accuracy"].n, told["unscored"].value, told["unscored"].n) == (1, 0.5, 2)
    assert not task.counts_in_pair(outcome.scores)


@pytest.mark.parametrize(
    "answer",
    [
        [call("nothing_of_the_kind")], [call("open_ticket", name="lamp")], [call("open_ticket", title="old")],
        [call("_load_scenario", scenario={})], [call("respond", message="Done.")],
    ],
)  # fmt: skip
def test_what_goes_wrong_with_a_call_is_told_the_model_and_the_turn_goes_on(data: Path, answer: list[dict[str, Any]]):
    task = open_task("bfcl:multi_turn_base", data=data)
    seen = []

    def answered(request: Request, number: int) -> Reply:
        seen.append(request.messages[-1])
        return Reply(json.dumps([answer, truth("lamp")[0], []][number] if number < 3 else []))

    outcome = played(task, 0, answered)
    assert seen[1].role == "tool"
    assert "error" in seen[1].content.lower() or "no function" in seen[1].content
    assert outcome.scores["progress"] == pytest.approx(1 / 3)


def test_what_is_wrong_is_said_with_its_turn(data: Path):
    task = open_task("bfcl:multi_turn_base", data=data)

    def reasons(*calls: dict[str, Any]) -> list[str]:
        return played(task, 0, lambda request, number: Reply(json.dumps(list(calls) if number == 0 else []))).reasons

    assert reasons(call("open_ticket", title="lamb")) == ["turn 1: another state than after the right calls: TicketAPI"]
    assert reasons(call("open_ticket", title="lamp"), call("list_tickets")) == ["turn 2: no call was made"]


@pytest.mark.parametrize(
    ("style", "system", "told"),
    [("full", None, [TOLD]), ("compact", "Be quick.", [f"Be quick.\n{TOLD}"]), ("baked", None, []),
     ("baked", "Be quick.", ["Be quick."])],
)  # fmt: skip
def test_a_model_is_told_how_a_turn_ends_unless_it_was_taught_one_form_of_prompt(
    data: Path, style: PromptStyle, system: str | None, told: list[str]
):
    task = open_task("bfcl:multi_turn_base", data=data)
    request = next(task.solve(task.samples()[0], Setting(Toolbox([]), style, system)))
    assert [m.content for m in request.messages if m.role == "system"] == told


def test_anybodys_answers_are_made_and_scored_as_a_models_are(data: Path, tmp_path: Path):
    task = open_task("bfcl:multi_turn_base", data=data)
    samples = task.samples()
    right = {sample.id: [[turn] if turn else [] for turn in sample.row["calls"]] for sample in samples}
    first, second, third, fourth = right
    right[first] = [
        [[{**c, "arguments": json.dumps(c["arguments"])}] for c in turn] for turn in samples[0].row["calls"]
    ]
    right[second] = right[second][:-1]
    right[third] = [*right[third], []]
    right[fourth] = samples[3].row["calls"]
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps({"id": id, "calls": calls}) + "\n" for id, calls in right.items()))
    found = score_answers(task, file)
    assert found["scores"] == {first: True, second: False, third: False, fourth: False}
    assert "turn" in found["problems"][second]
    assert found["problems"][third].startswith(f"answers to {len(right[third])} requests")
    assert found["problems"][fourth] == "not a list for each request, of a list for each answer, of calls"


def test_an_unknown_category_is_said_with_all_there_are(data: Path):
    with pytest.raises(InputError, match="live_relevance, multi_turn_base, multi_turn_miss_func"):
        open_task("bfcl:multi_turn_composite", data=data)


def test_simulators_are_looked_for_in_the_root_of_all_benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LAMINA_BFCL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lamina.agents.environments.bfcl_multi_turn.installed_folder", lambda package: None)
    with pytest.raises(InputError, match=rf"{tmp_path}: holds no multi-turn data.*lamina bench fetch bfcl"):
        open_task("bfcl:multi_turn_base", data=tmp_path).samples()
    tiny_bfcl(tmp_path / "bfcl")
    assert len(open_task("bfcl:multi_turn_base", data=tmp_path).samples()) == len(NAMES)
    tiny_bfcl(tmp_path / "cache/lamina/bfcl")
    assert len(open_task("bfcl:multi_turn_base", data=tmp_path / "mmlu").samples()) == len(NAMES)
    monkeypatch.setenv("LAMINA_BFCL", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere: holds no multi-turn data"):
        open_task("bfcl:multi_turn_base").samples()


def test_a_broken_row_or_simulator_is_one_line_before_a_model_is_loaded(data: Path):
    simulator, questions = data / "simulators/ticket_api.py", data / "BFCL_v4_multi_turn_base.json"
    text = questions.read_text()
    questions.write_text(text.replace('"involved_classes"', '"classes"'))
    with pytest.raises(InputError, match=r"BFCL_v4_multi_turn_base\.json: is not of the published form"):
        open_task("bfcl:multi_turn_base", data=data).samples()
    questions.write_text(text)
    simulator.write_text("class TicketAPI(:")
    with pytest.raises(InputError, match=r"ticket_api\.py: is no Python"):
        open_task("bfcl:multi_turn_base", data=data).samples()


needs_wheel = pytest.mark.skipif(known_folders() is None, reason="BFCL is not here: 'lamina bench fetch bfcl'")


@needs_wheel
@pytest.mark.parametrize("category", MULTI_TURN)
def test_the_right_calls_of_every_published_row_are_right(category: str):
    """Those too that don't fit their descriptions (row 173) or come before their function does (row 49)."""
    task = open_task(f"bfcl:{category}")
    samples = task.samples()
    wrong = []
    for sample in samples:
        turns = sample.row["calls"]

        def answer(request: Request, _: int, turns: Any = turns) -> Reply:
            turn = sum(message.role == "user" for message in request.messages) - 1
            return Reply("[]" if request.messages[-1].role == "tool" else json.dumps(turns[turn]))

        outcome = played(task, sample, answer)
        if not outcome.right:
            wrong.append((sample.id, outcome.reasons))
    assert (len(samples), wrong) == (200, [])
