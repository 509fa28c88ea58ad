"""Files named by hand: which are of one model, of which precision each is, and what is compared with what."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from lamina.bench.families import told_apart
from lamina.bench.identity import fingerprint
from lamina.bench.pairs import Named, default_pairs, paired_rows
from lamina.bench.tasks import open_task, open_tasks
from lamina.errors import InputError

TYPES = {"F16": 1, "Q8_0": 7, "Q4_K_M": 15}


def gguf(file: Path, name: str, kind: str, blocks: int = 30) -> str:
    """A header without tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    texts = {"general.architecture": "llama", "general.name": name}
    numbers = {"general.file_type": TYPES[kind], "llama.block_count": blocks}
    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in texts.items())
    body += b"".join(text(key) + struct.pack("<II", 4, value) for key, value in numbers.items())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(texts) + len(numbers)) + body)
    return str(file)


def named(label: str, precision: str, family: str, size: int) -> Named:
    return Named(f"{label} {precision}".strip(), label, precision, {}, family, size)


def test_the_precision_is_what_the_file_says_whatever_it_is_called(tmp_path: Path):
    plain = gguf(tmp_path / "mine.gguf", "Qwen", "Q4_K_M")
    ended = gguf(tmp_path / "qwen-q8_0.gguf", "Qwen", "Q8_0")
    found = told_apart({plain: "mine", ended: "qwen-q8_0", "scripted:x.py": "scripted:x.py"})
    assert [(t.label, t.precision) for t in found.values()] == [
        ("mine", "Q4_K_M"), ("qwen", "Q8_0"), ("scripted:x.py", ""),
    ]  # fmt: skip
    assert found[plain].family == found[ended].family != ""
    assert found["scripted:x.py"].family == ""


def test_names_stay_whole_where_they_would_be_the_same(tmp_path: Path):
    one, two = gguf(tmp_path / "m.gguf", "M", "Q8_0"), gguf(tmp_path / "m-Q8_0.gguf", "M", "Q8_0")
    assert [t.label for t in told_apart({one: "m", two: "m-Q8_0"}).values()] == ["m", "m-Q8_0"]


def test_a_name_alone_makes_no_family_and_neither_does_another_training_of_the_same_base(tmp_path: Path):
    small, large = gguf(tmp_path / "s.gguf", "Qwen", "Q8_0"), gguf(tmp_path / "l.gguf", "Qwen", "F16", blocks=60)
    found = told_apart({small: "s", large: "l"})
    assert found[small].family != found[large].family
    runs = {gguf(tmp_path / run / f"model-{t}.gguf", "model", t): f"{run}/model-{t}" for run in "ab"
            for t in ("F16", "Q8_0")}  # fmt: skip
    families = [t.family for t in told_apart(runs).values()]
    assert families[0] == families[1] != families[2] == families[3]
    beside = {gguf(tmp_path / f"{name}-{t}.gguf", "model", t): f"{name}-{t}" for name in "xy" for t in ("F16", "Q8_0")}
    families = [t.family for t in told_apart(beside).values()]
    assert families[0] == families[1] != families[2] == families[3]


def test_a_file_that_is_broken_has_no_precision_and_no_error_yet(tmp_path: Path):
    file = tmp_path / "cut.gguf"
    file.write_bytes(b"GGUF\x03")
    told = told_apart({str(file): "cut"})[str(file)]
    assert (told.label, told.precision, told.family) == ("cut", "", "")


def test_each_file_is_compared_with_the_most_precise_of_its_own_model_and_with_the_first_model():
    models = [
        named("smol", "Q8_0", "Smol", 150), named("qwen", "Q4_K_M", "Qwen", 300), named("qwen", "F16", "Qwen", 900),
        named("smol", "F16", "Smol", 280), named("embedded", "", "", 0),
    ]  # fmt: skip
    assert set(default_pairs(models)) == {
        ("smol F16", "smol Q8_0"),
        ("qwen F16", "qwen Q4_K_M"),
        ("smol Q8_0", "qwen Q4_K_M"),
        ("smol Q8_0", "qwen F16"),
        ("smol Q8_0", "embedded"),
    }


def test_where_no_file_says_its_family_the_label_does():
    models = [named("base", "", "", 0), named("tuned", "F16", "", 0), named("tuned", "Q4_0", "", 0)]
    assert default_pairs(models) == [
        ("base", "tuned F16"), ("tuned F16", "tuned Q4_0"), ("base", "tuned Q4_0"),
    ]  # fmt: skip


def test_one_name_at_two_addresses_is_two_models(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    nowhere = fingerprint("openai:m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://one/v1/")
    one = fingerprint("openai:m")
    assert one == fingerprint("openai:m@http://one/v1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://two/v1")
    assert len({nowhere, one, fingerprint("openai:m")}) == 3
    assert fingerprint("openai:m@http://one/v1") == one, "what is named whole is not completed"


def test_files_of_one_name_in_two_folders_are_two_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "q.jsonl").write_text('{"id": "1", "query": "sing", "kind": "refusal", "calls": []}\n')
    names = [task.name for task in open_tasks(["own:a/q.jsonl", "own:b/q.jsonl"])]
    assert names == ["own:q.jsonl", "own:b/q.jsonl"]
    for again in ("own:a/q.jsonl", "own:./a/../a/q.jsonl"):
        with pytest.raises(InputError, match="is named twice"):
            open_tasks(["own:a/q.jsonl", again])
    with pytest.raises(InputError, match="'gsm8k' is named twice"):
        open_tasks(["gsm8k", "gsm8k"])


def test_a_sample_that_one_of_two_models_could_not_be_scored_on_is_in_no_pair() -> None:
    task = open_task("gsm8k")
    scored, unscored = (
        {"right": right, "scores": {"unscored": not right, "kind": "", "accuracy": right}} for right in (True, False)
    )
    one = Named("one", "one", "F16", {("gsm8k", "1"): scored, ("gsm8k", "2"): scored})
    two = Named("two", "two", "Q4_0", {("gsm8k", "1"): scored, ("gsm8k", "2"): unscored})
    for pair in (("one", "two"), ("two", "one")):
        assert [row["n"] for row in paired_rows([one, two], [task], [pair])] == [1]


@pytest.mark.parametrize(("count", "shown"), [(9, False), (90, True)])
def test_a_score_between_nothing_and_all_is_compared_as_it_is_and_not_by_the_half_that_few_reach(
    count: int, shown: bool
) -> None:
    task = open_task("xsum")
    scored = [
        {("xsum", str(i)): {"right": False, "scores": {"rougeL": f1, "unscored": False}} for i, f1 in enumerate(values)}
        for values in ([0.3 + i % 9 / 100 for i in range(count)], [0.2 + i % 9 / 100 for i in range(count)])
    ]
    models = [Named(name, name, name, records) for name, records in zip(("F16", "Q2_K"), scored, strict=True)]
    (row,) = paired_rows(models, [task], [("F16", "Q2_K")])
    assert (row["metric"], row["n"], row["only_a"], row["only_b"]) == ("rougeL", count, count, 0)
    assert row["difference"] == pytest.approx(-0.1)
    assert row["low"] <= row["difference"] <= row["high"]
    assert (row["high"] < 0) is shown, "nine that agree do not show what a tenth would lose or win"
    assert row["p"] == pytest.approx(2 / 2**count)
