"""Any sample's prompts and answers can be read, on the page and in the file, whatever way its task asks."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from lamina.bench import OwnTask, write_samples
from lamina.bench.driving import sample_record
from lamina.bench.tasks import Outcome, Sample, Setting, Task, adversarial_instruction, open_task
from lamina.models import Reply, Request
from lamina.models.parsing import BRACKETS, read_reply
from lamina.reports import sampled
from lamina.reports.sampled import write_samples_page
from lamina.runs import Row, Run
from lamina.runs.sampling import KeyedSample, even_shares
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Query, ToolCall

OPTIONS = "a,b,c,d"
FILES = {
    "mmlu/dev.csv": f"subject,question,A,B,C,D,answer\nlogic,shown before,{OPTIONS},B\n",
    "mmlu/test_sample.csv": f"subject,question,A,B,C,D,answer\nlogic,asked now,{OPTIONS},C\n",
    "truthfulqa/TruthfulQA.csv": "Question,Best Answer,Correct Answers,Incorrect Answers\nIs it so?,No,No,Yes;Surely\n",
    "mobileaibench/adv_instruction.csv": "system,prompt,answer\n"
    ",Cook rice,0||Food||original\n,cOoK rice,0||Food||case\n,Rice: cook!,0||Food||order\n",
    "mt-bench/question.jsonl": '{"question_id": 1, "turns": ["Write a poem.", "Now shorter."]}\n',
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(text)
    monkeypatch.setattr(adversarial_instruction, "check_embedding", lambda: None)
    monkeypatch.setattr(adversarial_instruction, "consistency", lambda answers: {"consistency": 1.0})
    return tmp_path / "data"


def solved(task: Task, sample: Sample, answers: Sequence[str]) -> Outcome:
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    request: Request = next(talk)
    try:
        for text in answers:
            request = talk.send(Reply(text=text, likelihoods=[-float(n) for n in range(len(request.continuations))]))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    raise AssertionError("it asks more")


def shown(folder: Path, task: Task, models: dict[str, Sequence[str]], **more: Any) -> tuple[dict[str, Any], list[Any]]:
    """The first row of the file, and the steps of the page's row."""
    (sample,) = task.samples()
    with Run.open(folder, {"verb": "bench"}) as run:
        for place, (model, answers) in enumerate(models.items()):
            record = sample_record(task.name, sample.id, sample.row, solved(task, sample, answers))
            record |= {"model": model, "precision": ""} | more
            run.store.put([Row("sample", model, place, orjson.dumps(record))])
        file = write_samples(run)
        page = write_samples_page(folder, list(models))
    assert page is not None
    held = page.read_text().split('id="data">', 1)[1].split("</script>", 1)[0]
    (row,) = json.loads(held)["rows"]
    return json.loads(file.read_text().splitlines()[0]), [(step["who"], step["text"]) for step in row["steps"]]


def test_a_prompt_that_is_sent_as_it_is_stands_in_both(data: Path, tmp_path: Path):
    row, steps = shown(tmp_path / "run", open_task("mmlu:5-shot", data=data), {"m": [" C"]})
    (who, prompt), wanted, answer = steps
    assert who == "prompt"
    assert "shown before" in prompt
    assert prompt.endswith("asked now\nA. a\nB. b\nC. c\nD. d\nAnswer:")
    assert (wanted, answer) == (("wanted", "C"), ("m", " C"))
    assert (row["prompts"], row["answers"], row["messages"]) == ([prompt], [" C"], [])


def test_what_was_repaired_to_read_an_answer_stands_in_both(tmp_path: Path):
    tools = Toolbox([Tool("greet", "", {"type": "object", "properties": {"name": {"type": "string"}}, "required": []})])
    task = OwnTask(queries=[Query("a", "Bo", None, "single", [ToolCall.of("greet", {"name": "Bo"})])])
    (sample,) = task.samples()
    with Run.open(tmp_path / "run", {"verb": "bench"}) as run:
        for model, text in (("loose", '[{"name": "greet", "arguments": {"name": "Bo"}}'), ("words", "Hello")):
            talk = task.solve(sample, Setting(tools, "full"))
            next(talk)
            with pytest.raises(StopIteration) as ended:
                talk.send(Reply(text, **read_reply(text, tools)))
            record = sample_record(task.name, sample.id, sample.row, ended.value.value)
            run.store.put([Row("sample", model, 0, orjson.dumps(record | {"model": model, "precision": ""}))])
        loose, words = (json.loads(line) for line in write_samples(run).read_text().splitlines())
        page = write_samples_page(tmp_path / "run", ["loose", "words"])
    assert (loose["verdict"], loose["repairs"], loose["confidence"]) == ("right", [BRACKETS], 0.6)
    assert (words["verdict"], words["repairs"], words["confidence"]) == ("wrong", [], 0.0)
    assert page is not None
    assert f"repaired: {BRACKETS}" in page.read_text()


def test_answers_that_are_compared_stand_with_their_likelihoods(data: Path, tmp_path: Path):
    row, steps = shown(tmp_path / "run", open_task("truthfulqa:mc1", data=data), {"m": [" No"]})
    assert row["prompts"][0].endswith("Q: Is it so?\nA:")
    assert steps[0] == ("prompt", row["prompts"][0])
    assert steps[-1] == ("log-probability", "-0.00 No\n-1.00 Yes\n-2.00 Surely")
    assert row["likelihoods"][1] == {"text": "Yes", "log_probability": -1.0}


def test_every_form_of_an_instruction_stands_with_its_answer(data: Path, tmp_path: Path):
    models = {"one": ["Boil it.", "BOIL", "No."], "two": ["a", "b", "c"]}
    row, steps = shown(tmp_path / "run", open_task("adversarial_instruction", data=data), models)
    assert row["prompts"] == ["Cook rice", "cOoK rice", "Rice: cook!"]
    assert row["answers"] == ["Boil it.", "BOIL", "No."]
    assert steps == [
        ("user 1", "Cook rice"), ("user 2", "cOoK rice"), ("user 3", "Rice: cook!"),
        ("one", "[1] Boil it.\n[2] BOIL\n[3] No."), ("two", "[1] a\n[2] b\n[3] c"),
    ]  # fmt: skip


def test_both_turns_and_the_judges_reasons_stand_in_both(data: Path, tmp_path: Path):
    verdict = {"reason": "It rhymes.", "score": 8}
    judgements = [{"judge": "judge.gguf", "verdict": verdict}, {"judge": "judge.gguf", "verdict": None}]
    task = open_task("mt_bench", data=data)
    row, steps = shown(tmp_path / "run", task, {"m": ["Roses are red.", "Red."]}, judgements=judgements)
    assert row["prompts"] == ["Write a poem.", "Now shorter."]
    assert row["answers"] == ["Roses are red.", "Red."]
    assert row["judgements"] == judgements
    assert steps == [
        ("user 1", "Write a poem."), ("user 2", "Now shorter."), ("m", "[1] Roses are red.\n[2] Red."),
        ("judge 1", "8: It rhymes. (judge.gguf)"), ("judge 2", "no verdict that can be read (judge.gguf)"),
    ]  # fmt: skip


def test_an_image_that_was_asked_about_is_on_the_page_also_when_the_data_is_gone(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "easy-vqa/test/images").mkdir(parents=True)
    (tmp_path / "easy-vqa/test/questions.json").write_text('[["what colour?", "red", 0]]')
    picture = tmp_path / "easy-vqa/test/images/0.png"
    image.new("RGB", (600, 300), "red").save(picture)
    row, steps = shown(tmp_path / "run", open_task("easy_vqa", data=tmp_path), {"m": ["red"]})
    assert row["images"] == [str(picture)]
    assert ("image", str(picture)) in steps
    picture.unlink()
    page = write_samples_page(tmp_path / "run", ["m"])
    assert page is not None
    assert '"image": "data:image/jpeg;base64,' in page.read_text()
    assert len(page.read_bytes()) < 100_000


def test_a_long_prompt_is_whole_on_the_page_its_middle_folded_and_packed(tmp_path: Path):
    file = tmp_path / "long.jsonl"
    prompt = "".join(f"word {n} </script> é\n" for n in range(3000)) + "and now the question?"
    file.write_text(json.dumps({"input": prompt, "target": "x"}))
    row, _ = shown(tmp_path / "run", open_task(f"jsonl:{file}"), {"one": ["y" * 30_000], "two": ["y" * 30_000]})
    page = (tmp_path / "run/samples.html").read_text()
    steps = steps_of(page)
    assert [whole(step, page) for step in steps] == [prompt, '["x"]', "y" * 30_000, "y" * 30_000]
    assert len(steps[0]["text"]) + len(steps[0]["end"]) == 6_000
    assert steps[0]["end"].endswith("and now the question?")
    assert steps[0]["characters"] == len(prompt) - 6_000
    assert steps[2]["rest"] == steps[3]["rest"], "the same text is kept once"
    assert len(page) < len(prompt), "though it is all there"
    assert row["prompts"] == [prompt]


def test_a_text_that_stands_open_is_not_packed(tmp_path: Path):
    file = tmp_path / "short.jsonl"
    file.write_text(json.dumps({"input": "w" * 6_000, "target": "x"}))
    shown(tmp_path / "run", open_task(f"jsonl:{file}"), {"one": ["y"]})
    page = (tmp_path / "run/samples.html").read_text()
    assert [step.keys() & {"rest", "end"} for step in steps_of(page)] == [set()] * 3
    assert 'id="packed0"' not in page


def steps_of(page: str) -> list[dict[str, Any]]:
    (row,) = json.loads(page.split('id="data">', 1)[1].split("</script>", 1)[0])["rows"]
    steps: list[dict[str, Any]] = row["steps"]
    return steps


def whole(step: dict[str, Any], page: str) -> str:
    """The text as the page shows it when all is unfolded."""
    if "rest" not in step:
        return str(step["text"])
    packed = page.split(f'id="packed{step["rest"]}">', 1)[1].split("</script>", 1)[0]
    return str(step["text"] + zlib.decompress(base64.b64decode(packed)).decode() + step["end"])


def test_of_too_many_prompts_as_many_of_each_task_are_shown_and_the_others_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sampled, "MOST", 12)
    sizes = {"first": 30, "second": 20, "small": 2}
    ids = [(task, str(n)) for task, size in sizes.items() for n in range(size)]
    with Run.open(tmp_path / "run", {"verb": "bench"}) as run:
        for model in ("one", "two"):
            for position, (task, id) in enumerate(ids):
                record = sample_record(task, id, {}, Outcome(True, {"unscored": False}))
                record |= {"model": model, "precision": ""}
                run.store.put([Row("sample", f"{model}/{task}/{id}", position, orjson.dumps(record))])
        page = write_samples_page(tmp_path / "run", ["one", "two"])
    assert page is not None
    held = json.loads(page.read_text().split('id="data">', 1)[1].split("</script>", 1)[0])
    shown = [(row["task"], row["id"]) for row in held["rows"]]
    assert Counter(task for task, _ in shown) == {"first": 5, "second": 5, "small": 2}
    assert [id for task, id in shown if task == "first"] != ["0", "1", "2", "3", "4"], "not the first ones"
    assert shown == sorted(shown, key=ids.index), "in the order in which they were asked"
    assert all(row["right"] == ["one", "two"] for row in held["rows"]), "with the answers of both models"
    assert (held["all"], held["left_out"]) == ({"rows": 52}, {"first": 25, "second": 15})


def test_a_sample_by_key_is_even_whole_and_no_larger_than_asked():
    sample = KeyedSample[int](100, 0)
    for copy in range(3):
        for key in range(10_000):
            sample.offer(str(key), copy)
    kept = sample.smallest(100)
    assert len(sample) == len(kept) == 100
    assert all(copies == [0, 1, 2] for copies in kept.values())
    assert 30 <= sum(int(key) < 5_000 for key in kept) <= 70
    assert set(sample.smallest(10)) < set(kept)


def test_places_are_shared_evenly_and_what_a_small_task_leaves_goes_to_the_others():
    assert even_shares({"a": 100, "b": 3, "c": 50}, 23) == {"a": 10, "b": 3, "c": 10}
    assert even_shares({"a": 2, "b": 3}, 23) == {"a": 2, "b": 3}
    assert sum(even_shares({str(n): 100 for n in range(7)}, 50).values()) == 50
    assert even_shares({}, 5) == {}
