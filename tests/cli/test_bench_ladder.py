"""``lamina bench --quantize``: from one model to files, figures, advice and a page, on a tiny model of random weights;
and whatever may be wrong with a file, its template or its answers."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

pytest.importorskip("torch", reason="the tiny model is made with it")

from lamina.quantize import export_gguf, quantize_types
from lamina.runs import Run
from tiny_llama import save_tiny_llama


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file of two layers."""
    folder = save_tiny_llama(tmp_path_factory.mktemp("tiny") / "model")
    file = folder.parent / "tiny.gguf"
    export_gguf(folder, file, "F16")
    return file


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    rows = [{"input": f"say {n}", "target": str(n), "metric": "contains"} for n in range(4)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def printed(said: Any) -> dict[str, Any]:
    return json.loads(said.out)


def test_a_ladder_from_one_file_to_a_page(lamina, tiny: Path, questions: Path, tmp_path: Path):
    out = tmp_path / "run"
    command = ["bench", tiny, "--tasks", f"jsonl:{questions}", "--quantize", "Q8_0,F16", "--out", out]
    command += ["--max-tokens", 12, "--repeats", 2, "--parquet"]
    found = printed(lamina(*command, "--json"))
    ladder = found["ladder"]
    assert [rung["type"] for rung in ladder["rungs"]] == ["F16", "Q8_0"], "the most precise first"
    assert ladder["title"] == "Quantization ladder of tiny.gguf"
    assert ladder["rungs"][1]["loss"]["n"] == 4
    assert ladder["advice"].endswith(".")
    assert [(pair["a"], pair["b"]) for pair in found["paired"]] == [("tiny F16", "tiny Q8_0")]
    for resource in found["resources"]:
        timing = resource["timing"]
        assert (timing["samples"], timing["rounds"], timing["requests"]) == (4, 2, 8)
        assert timing["all"]["ttft_seconds"]["mean"] > 0
        assert resource["peak_rss_bytes"] > resource["bytes"]
        assert resource["energy"]["joules"] is None or resource["energy"]["joules"] > 0
    assert {f.name for f in (out / "gguf").iterdir()} == {"model-F16.gguf", "model-Q8_0.gguf"}

    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert {row["verdict"] for row in rows} <= {"right", "wrong"}
    assert all(row["total_seconds"] > 0 and row["messages"][-1]["content"].startswith("say ") for row in rows)
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(out / "samples.parquet").num_rows == 8

    page = (out / "report.html").read_text()
    assert ladder["title"] in page
    assert ladder["advice"] in page
    assert "samples.html" in page
    assert 'class="joined"' in page or sum(r["frontier"] for r in ladder["rungs"]) == 1
    samples = (out / "samples.html").read_text()
    assert '"who": "tiny Q8_0"' in samples

    again = lamina(*command)
    assert again.status == 0
    assert ladder["advice"] in again.out
    assert str(out / "report.html") in again.out


def test_one_command_makes_a_ladder_of_each_of_several_models(lamina, tiny: Path, questions: Path, tmp_path: Path):
    other, out = tmp_path / "other.gguf", tmp_path / "run"
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    with_metadata(tiny, other, tokenizer__chat_template=template)
    command = ["bench", tiny, other, "--tasks", f"jsonl:{questions}", "--quantize", "Q8_0,F16", "--out", out]
    command += ["--max-tokens", 4, "--timed", 2, "--json"]
    found = printed(lamina(*command))
    assert [resource["timing"]["samples"] for resource in found["resources"]] == [2] * 4
    assert [ladder["title"] for ladder in found["ladders"]] == [
        "Quantization ladder of tiny.gguf", "Quantization ladder of other.gguf",
    ]  # fmt: skip
    for name, ladder in zip(("tiny", "other"), found["ladders"], strict=True):
        assert [rung["model"] for rung in ladder["rungs"]] == [f"{name} F16", f"{name} Q8_0"]
        assert all(rung["otps"]["value"] > 0 for rung in ladder["rungs"])
    assert {(p["a"], p["b"]) for p in found["paired"]} >= {("tiny F16", "tiny Q8_0"), ("other F16", "other Q8_0")}
    files = sorted((out / "gguf").glob("*/model-*.gguf"))
    assert len(files) == 4
    page = (out / "report.html").read_text()
    assert page.count("Quantization ladder of ") == 2
    made = {file: file.stat().st_mtime_ns for file in files}
    assert printed(lamina(*command))["rows"] == found["rows"], "nothing is asked again"
    assert {file: file.stat().st_mtime_ns for file in files} == made, "nothing is made again"


def test_files_named_by_hand_make_the_ladder_that_their_source_makes(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    asked = ["--tasks", f"jsonl:{questions}", "--max-tokens", 4, "--repeats", 0, "--json"]
    made = printed(lamina("bench", tiny, "--quantize", "F16,Q8_0", "--out", tmp_path / "made", *asked))
    rungs = [tmp_path / f"named/any-{n}.gguf" for n in range(2)]
    rungs[0].parent.mkdir()
    for file, rung in zip(("model-Q8_0.gguf", "model-F16.gguf"), rungs, strict=True):
        shutil.copy(tmp_path / "made/gguf" / file, rung)
    out = tmp_path / "run"
    named = printed(lamina("bench", *rungs, "--out", out, *asked))
    for ladder in (made["ladder"], named["ladder"]):
        assert [rung["type"] for rung in ladder["rungs"]] == ["F16", "Q8_0"]
    same = ("advice", "take", "reference", "tasks", "left_out", "unable")
    assert {key: named["ladder"][key] for key in same} == {key: made["ladder"][key] for key in same}
    for mine, theirs in zip(named["ladder"]["rungs"], made["ladder"]["rungs"], strict=True):
        assert [mine[key] for key in ("quality", "loss", "bytes")] == [
            theirs[key] for key in ("quality", "loss", "bytes")
        ]
    assert "side_by_side" not in named
    page = (out / "report.html").read_text()
    assert "The quantization ladder" in page
    assert named["ladder"]["advice"] in page


def test_models_that_are_not_roundings_of_one_have_a_picture_and_no_advice(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    other = with_metadata(tiny, tmp_path / "other.gguf", tokenizer__chat_template=template)
    (q8,) = quantize_types(tiny, ["Q8_0"], tmp_path)
    command = ["bench", other, q8["path"], "--tasks", f"jsonl:{questions}", "--max-tokens", 4, "--repeats", 0]
    found = printed(lamina(*command, "--out", tmp_path / "run", "--json"))
    assert {"ladder", "ladders"} & found.keys() == set()
    assert len(found["side_by_side"]["models"]) == 2
    page = (tmp_path / "run/report.html").read_text()
    assert "The models side by side" in page
    assert "Quality against file size, MB" in page
    assert 'class="advice"' not in page


def test_a_ladder_that_was_cut_off_makes_no_file_twice(lamina, tiny: Path, questions: Path, tmp_path: Path):
    out = tmp_path / "run"
    command = ["bench", tiny, "--tasks", f"jsonl:{questions}", "--quantize", "F16,Q8_0", "--out", out, "--limit", 2]
    command += ["--max-tokens", 4, "--repeats", 0, "--json"]
    first = printed(lamina(*command))
    made = {file: file.stat().st_mtime_ns for file in (out / "gguf").iterdir()}
    with Run.at(out) as run:
        run.store.delete("stage")  # as a kill before the end leaves it
    (out / "gguf" / "model-Q8_0.gguf").write_bytes(b"half")
    assert printed(lamina(*command))["rows"] == first["rows"]
    again = {file: file.stat().st_mtime_ns for file in (out / "gguf").iterdir()}
    assert again[out / "gguf" / "model-F16.gguf"] == made[out / "gguf" / "model-F16.gguf"]
    assert (out / "gguf" / "model-Q8_0.gguf").stat().st_size > 1000, "a file that is not whole is made again"


@pytest.mark.parametrize(
    ("models", "types", "says"),
    [
        (["TINY"], "Q9", "Q9 is no type for a GGUF file"),
        (["TINY"], "F16,f16", "F16 is named twice"),
        (["TINY", "scripted:SCRIPT"], "F16", "no file can be made of it"),
        (["scripted:SCRIPT"], "F16", "no file can be made of it"),
    ],
)
def test_a_ladder_that_cannot_be_is_said_in_one_line(
    lamina, tiny: Path, questions: Path, tmp_path: Path, models: list[str], types: str, says: str
):
    script = tmp_path / "model.py"
    script.write_text("def reply(messages, tools, seed):\n    return ''\n")
    named = [m.replace("TINY", str(tiny)).replace("SCRIPT", str(script)) for m in models]
    said = lamina("bench", *named, "--tasks", f"jsonl:{questions}", "--quantize", types, "--out", tmp_path / "run")
    assert said.status == 2
    assert says in said.err
    assert "Traceback" not in said.err


def good_script(folder: Path) -> str:
    file = folder / "good.py"
    file.write_text("def reply(messages, tools, seed):\n    return messages[-1]['content'][4:]\n")
    return f"scripted:{file}"


def benched(lamina, tmp_path: Path, questions: Path, model: object) -> dict[str, Any]:
    """Benched beside a model that answers right, which is benched to its end; what was found."""
    command = ["bench", model, good_script(tmp_path), "--tasks", f"jsonl:{questions}", "--out", tmp_path / "run"]
    said = lamina(*command, "--repeats", 0, "--max-tokens", 16, "--json")
    found = printed(said)
    good = [
        r["value"]
        for r in found["rows"]
        if r["model"] == f"scripted:{tmp_path / 'good.py'}" and r["metric"] == "contains"
    ]
    assert good == [1.0], "the other model is benched all the same"
    return {**found, "status": said.status}


def test_a_file_that_is_cut_short_is_a_row_that_says_so_and_the_next_model_is_benched(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.read_bytes()[: tiny.stat().st_size * 2 // 3])
    found = benched(lamina, tmp_path, questions, cut)
    (crash,) = found["crashes"]
    assert (found["status"], crash["model"], crash["stage"]) == (1, "cut", "load")
    size = tiny.stat().st_size
    assert f"its header promises {size:,} bytes, it has {size * 2 // 3:,}; fetch" in crash["detail"]


def test_a_cut_source_of_a_ladder_is_named_before_anything_is_benched(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.read_bytes()[: tiny.stat().st_size * 2 // 3])
    said = lamina("bench", cut, "--tasks", f"jsonl:{questions}", "--quantize", "Q8_0", "--out", tmp_path / "run")
    assert said.status == 2
    assert "cut.gguf: the file is cut short: its header promises" in said.err
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_cut_in_its_header_is_a_row_too_and_the_next_model_is_benched(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    half = tmp_path / "half.gguf"
    half.write_bytes(tiny.read_bytes()[:300])
    for ref in (half, f"{tiny}+{half}"):
        found = benched(lamina, tmp_path, questions, ref)
        (crash,) = found["crashes"]
        assert (found["status"], crash["stage"]) == (1, "load")
        assert "half.gguf: the file is damaged or cut short" in crash["detail"]
        shutil.rmtree(tmp_path / "run")


def test_a_source_of_which_no_file_can_be_made_is_a_row_and_the_ladder_of_the_others_is_benched(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    whole = tiny.read_bytes()
    sources = {"half": whole[:300], "cut": whole[: len(whole) * 2 // 3], "whole": whole}
    for name, content in sources.items():
        (tmp_path / f"{name}.gguf").write_bytes(content)
    files = [tmp_path / f"{name}.gguf" for name in sources]
    command = ["bench", *files, "--tasks", f"jsonl:{questions}", "--quantize", "F16", "--out", tmp_path / "run"]
    said = lamina(*command, "--repeats", 0, "--max-tokens", 4, "--json")
    found = printed(said)
    assert (said.status, found["ladder"]["rungs"][0]["type"]) == (1, "F16")
    assert {(crash["model"], crash["stage"]) for crash in found["crashes"]} == {
        ("half", "quantize"),
        ("cut", "quantize"),
    }
    assert any(r["model"] == "whole" and r["metric"] == "contains" and r["n"] == 4 for r in found["rows"])
    assert [r["model"] for r in found["rows"] if r["metric"] == "crashed"] == ["half", "cut"]
    assert "crashed at quantize" in (tmp_path / "run" / "report.html").read_text()


def with_metadata(tiny: Path, file: Path, **changed: str | None) -> Path:
    """The tiny file with other text under a key of its metadata (underscores for dots), or without the key."""
    from gguf import GGUFReader, GGUFWriter

    reader = GGUFReader(tiny)
    names = {key.replace("__", "."): value for key, value in changed.items()}
    architecture = names.pop("general.architecture", None) or str(reader.fields["general.architecture"].contents())
    writer = GGUFWriter(file, architecture)
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture" or (key in names and names[key] is None):
            continue
        member = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(key, names.get(key) or field.contents(), field.types[0], member)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_an_architecture_that_the_engine_does_not_know_is_a_row_that_names_the_file(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    odd = with_metadata(tiny, tmp_path / "odd.gguf", general__architecture="nonsense")
    (crash,) = benched(lamina, tmp_path, questions, odd)["crashes"]
    assert crash["stage"] == "load"
    assert "odd.gguf" in crash["detail"]


def test_a_template_that_raises_is_a_row_that_says_why(lamina, tiny: Path, questions: Path, tmp_path: Path):
    template = "{{ raise_exception('roles must alternate') }}"
    picky = with_metadata(tiny, tmp_path / "picky.gguf", tokenizer__chat_template=template)
    (crash,) = benched(lamina, tmp_path, questions, picky)["crashes"]
    assert crash["stage"] == "prompt"
    assert "chat template fails: roles must alternate" in crash["detail"]


def test_the_context_may_be_named_and_what_does_not_fit_is_unscored(lamina, tiny: Path, tmp_path: Path):
    file = tmp_path / "long.jsonl"
    rows = [{"input": "bill " * n, "target": "4", "metric": "contains"} for n in (2, 130)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = ["bench", tiny, "--tasks", f"jsonl:{file}", "--max-tokens", 4, "--repeats", 0, "--json"]
    shares = []
    for context in ([], ["--context", 256]):
        found = printed(lamina(*command, *context, "--out", tmp_path / f"run{len(context)}"))
        shares.append({row["value"] for row in found["rows"] if row["metric"] == "unscored"})
    assert shares == [set(), {0.5}]


def test_a_file_without_a_template_is_benched_with_a_plain_one(lamina, tiny: Path, questions: Path, tmp_path: Path):
    bare = with_metadata(tiny, tmp_path / "bare.gguf", tokenizer__chat_template=None)
    found = benched(lamina, tmp_path, questions, bare)
    assert found["crashes"] == []
    assert any(r["model"] == "bare" and r["metric"] == "contains" and r["n"] == 4 for r in found["rows"])
    (remark,) = found["remarks"]
    assert (remark["model"], "asked in ChatML" in remark["detail"]) == ("bare", True)
    assert "brings no chat template" in (tmp_path / "run" / "report.html").read_text()


def test_a_template_that_takes_no_system_message_gets_its_words_before_the_request(lamina, tiny: Path, tmp_path: Path):
    template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    )
    file = tmp_path / "told.jsonl"
    file.write_text(json.dumps({"input": "say 1", "target": "1", "metric": "contains", "system": "Be short."}) + "\n")
    picky = with_metadata(tiny, tmp_path / "picky.gguf", tokenizer__chat_template=template)
    found = benched(lamina, tmp_path, file, picky)
    assert found["crashes"] == []
    assert "no system message" in found["remarks"][0]["detail"]
    rows = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    assert [row["sent"] for row in rows if row["model"] == "picky"] == [["user: Be short.\n\nsay 1\n"]]


def test_what_a_random_model_writes_without_end_and_in_broken_bytes_is_cut_and_counted(
    lamina, tiny: Path, questions: Path, tmp_path: Path
):
    found = benched(lamina, tmp_path, questions, tiny)
    assert found["crashes"] == []
    cut = [r["value"] for r in found["rows"] if r["model"] == "tiny" and r["metric"] == "cut"]
    assert cut, "a random model does not stop in sixteen tokens"
    rows = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(row["verdict"] in ("right", "wrong") for row in rows)
    answers = ["".join(row["answers"]) for row in rows if row["model"] == "tiny"]
    assert any("\ufffd" in answer for answer in answers), "bytes that are no text stand as U+FFFD, and break nothing"


def test_a_prompt_longer_than_the_context_is_unscored_and_counted_never_cut(lamina, tiny: Path, tmp_path: Path):
    file = tmp_path / "questions.jsonl"
    rows = [{"input": "say 1", "target": "1", "metric": "contains"}]
    rows.append({"input": "word " * 20_000, "target": "word", "metric": "contains"})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = lamina("bench", tiny, "--tasks", f"jsonl:{file}", "--out", tmp_path / "run", "--repeats", 1,
                  "--max-tokens", 4, "--json")  # fmt: skip
    found = printed(said)
    shares = {r["metric"]: (r["value"], r["n"]) for r in found["rows"] if r["task"] != "device"}
    assert shares["unscored"] == (0.5, 2)
    assert shares["contains"][1] == 1
    (resource,) = found["resources"]
    assert resource["timing"]["failed"] == 1, "what was refused has no speed"
    rows = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    assert [row["verdict"] for row in rows].count("unscored") == 1


def test_a_model_that_says_nothing_is_wrong_and_no_crash(lamina, questions: Path, tmp_path: Path):
    silent = tmp_path / "silent.py"
    silent.write_text("def reply(messages, tools, seed):\n    return ''\n")
    found = benched(lamina, tmp_path, questions, f"scripted:{silent}")
    assert found["crashes"] == []
    assert any("silent" in r["model"] and r["metric"] == "contains" and r["value"] == 0 for r in found["rows"])


def test_a_model_that_memory_ran_out_for_is_a_row_that_says_so(lamina, questions: Path, tmp_path: Path):
    greedy = tmp_path / "greedy.py"  # loads here, where the reference is checked; in the worker it is killed
    greedy.write_text(
        "import os, signal, sys\n"
        "if sys.argv[0].endswith('worker.py'):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "def reply(messages, tools, seed):\n    return ''\n"
    )
    (crash,) = benched(lamina, tmp_path, questions, f"scripted:{greedy}")["crashes"]
    assert crash["stage"] == "load"
    assert "SIGKILL" in crash["detail"]
    assert "memory" in crash["detail"]


def test_a_folder_is_a_source_too(lamina, tiny: Path, questions: Path, tmp_path: Path):
    folder = tmp_path / "copied"
    shutil.copytree(tiny.parent / "model", folder)
    command = ["bench", folder, "--tasks", f"jsonl:{questions}", "--quantize", "Q8_0", "--out", tmp_path / "run"]
    said = lamina(*command, "--repeats", 0, "--max-tokens", 4)
    assert said.status == 0, said.err
    assert "There is no advice" in said.out


def test_a_ladder_of_a_model_that_sees_takes_its_vision_part_along(lamina, tiny: Path, tmp_path: Path):
    for library in ("PIL", "transformers", "llguidance"):
        pytest.importorskip(library)
    from lamina.quantize.vision_part import export_vision_part
    from tiny_vlm import ANSWERS, QUESTIONS, draw, save_tiny_vlm

    folder = save_tiny_vlm(tmp_path / "sees")
    questions = tmp_path / "seen.jsonl"
    rows = [{"input": QUESTIONS[0], "target": "yes", "choices": list(ANSWERS), "images": image.name}
            for image in draw(tmp_path)]  # fmt: skip
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = tmp_path / "file" / "sees.gguf"
    file.parent.mkdir()
    export_gguf(folder, file, "F16")
    export_vision_part(folder, file.parent)
    for source in (folder, file):
        command = ["bench", source, "--tasks", f"jsonl:{questions}", "--quantize", "F16,Q8_0", "--repeats", 0, "--json"]
        found = printed(lamina(*command, "--out", tmp_path / f"run-{source.name}"))
        assert found["crashes"] == []
        assert [rung["quality"]["n"] for rung in found["ladder"]["rungs"]] == [4, 4]
        samples = (tmp_path / f"run-{source.name}" / "samples.jsonl").read_text().splitlines()
        assert all(json.loads(line)["verdict"] in ("right", "wrong") for line in samples), "every image was seen"
    words = tmp_path / "words.jsonl"
    words.write_text(json.dumps({"input": "say 1", "target": "1"}) + "\n")
    both = ["bench", file, tiny, "--tasks", f"jsonl:{words},jsonl:{questions}", "--quantize", "F16", "--repeats", 0]
    rows = printed(lamina(*both, "--max-tokens", 4, "--json", "--out", tmp_path / "both"))["rows"]
    reads = {
        r["task"]: r["metric"] for r in rows if r["model"] == "tiny" and r["metric"] in ("exact_match", "not_possible")
    }
    assert reads == {f"jsonl:{words}": "exact_match", f"jsonl:{questions}": "not_possible"}, (
        "one that reads alone is left"
    )
    (next(file.parent.glob("mmproj*"))).unlink()
    said = lamina(*command, "--out", tmp_path / "blind")
    assert (said.status, "there is no mmproj*.gguf beside it" in said.err) == (2, True)
