"""What data export packs is read by load_dataset and trained on by TRL unchanged; nothing is filled in, lost or turned
into another type on the way."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.cli import main
from lamina.data import files_of
from lamina.data.packing import pack
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, read_trajectories, write_trajectories
from lamina.trajectories.formats.reading.rows import raw_rows

sys.path.insert(0, str(Path(__file__).parents[1]))

datasets = pytest.importorskip("datasets")
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"x": {}, "days": {"type": "integer"}}, "required": []},
    },
}


def rows() -> list[Trajectory]:
    """An argument of five types, a null that is meant, parallel calls, results, a refusal, an emoji."""
    found = []
    for n, value in enumerate([1, "two", [3, {"four": None}], {"five": 5.0}, None]):
        calls = [
            ToolCall.of("weather", {"x": value, "days": n}, id="a"),
            ToolCall.of("weather", {f"k{n}": "☂"}, id="b"),
        ]
        messages = [
            Message(role="user", content=f"weather {n}?"),
            Message(role="assistant", tool_calls=calls),
            Message(role="tool", name="weather", tool_call_id="a", content='{"t": 3}'),
            Message(role="assistant", content="Three degrees."),
        ]
        found.append(Trajectory(id=f"r{n}", tools=[WEATHER], messages=messages, meta=Meta(source="s", seed=n)))
    refusal = [Message(role="user", content="Sing."), Message(role="assistant", content="I cannot.")]
    return [*found, Trajectory(id="no", messages=refusal)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_trajectories(tmp_path / "rows.jsonl", rows())
    return tmp_path


def exported(folder: Path, name: str, to: str = "trl") -> Path:
    file = folder / name
    assert main(["data", "export", str(folder / "rows.jsonl"), "--to", to, "--out", str(file), "--json"]) == 0
    return file


def loaded(file: Path, cache: Path) -> Any:
    return datasets.load_dataset(
        "parquet" if file.suffix == ".parquet" else "json", data_files=str(file), split="train", cache_dir=str(cache)
    )


@pytest.mark.parametrize("to", ["trl", "jsonl", "openai"])
def test_parquet_gives_load_dataset_the_very_rows_of_the_json_lines(folder: Path, to: str):
    lines = [json.loads(line) for line in exported(folder, "t.jsonl", to).open()]
    assert list(loaded(exported(folder, "t.parquet", to), folder / "cache")) == lines


def test_a_record_comes_back_from_parquet_as_it_was(folder: Path):
    assert list(read_trajectories(exported(folder, "t.parquet", "jsonl"))) == rows()


def test_parquet_that_is_cut_off_is_a_reject_and_leaves_no_half_file(folder: Path):
    file = exported(folder, "t.parquet", "jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    rejects: list[Any] = []
    assert list(read_trajectories(file, rejects.append)) == []
    assert [one.reason for one in rejects] == ["unreadable"]
    assert not list(folder.glob("*.tmp"))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé☂\"'\\"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), JSON_VALUES, min_size=1), min_size=1, max_size=5))
def test_any_objects_come_back_from_parquet(tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, Any]]):
    folder = tmp_path_factory.mktemp("any")
    (folder / "in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects))
    pack(folder / "in.jsonl", folder / "out.parquet")
    back = [raw.value for raw in raw_rows(folder / "out.parquet")]
    assert [{k: v for k, v in one.items() if v is not None} for one in back] == [
        {k: v for k, v in one.items() if v is not None} for one in objects
    ]


@pytest.mark.parametrize("name", ["train.parquet", "train.jsonl"])
def test_trl_trains_on_what_was_packed(folder: Path, name: str):
    trl = pytest.importorskip("trl")
    from transformers import AutoTokenizer

    from lamina.models.templates import LAMINA_TEMPLATE
    from tiny_llama import save_tiny_llama

    tiny = save_tiny_llama(folder / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    tokenizer.chat_template = LAMINA_TEMPLATE  # with the marks that assistant_only_loss asks for
    settings = trl.SFTConfig(
        output_dir=str(folder / "out"), use_cpu=True, bf16=False, max_steps=2, per_device_train_batch_size=2,
        report_to="none", save_strategy="no", max_length=1024, assistant_only_loss=True, disable_tqdm=True,
    )  # fmt: skip
    trainer = trl.SFTTrainer(
        str(tiny), args=settings, train_dataset=loaded(exported(folder, name), folder / "cache"),
        processing_class=tokenizer,
    )  # fmt: skip
    for row in trainer.train_dataset:
        text = tokenizer.decode(row["input_ids"])
        assert "weather" in text or "I cannot" in text  # the tools and the calls reach the model
    assert trainer.train().training_loss > 0
    assert trainer.state.global_step == 2


def test_rows_of_a_run_are_still_found(folder: Path):
    exported(folder, "t.parquet")
    assert [f.name for f in files_of([folder])] == ["rows.jsonl", "t.parquet"]
