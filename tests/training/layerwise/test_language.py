"""A language model learns from another on trajectories, and is then a model like any."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lamina.build import BuildSettings
from lamina.build.making import tune
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.base import load_base
from lamina.training.layerwise.language import Distillation, check_same_tokenizer
from lamina.training.layerwise.language_teacher import LanguageTeacher
from lamina.training.layerwise.rates import RateRule
from lamina.training.layerwise.row_memory import RowMemory
from lamina.training.layerwise.thinning import kept_layers, thinned
from lamina.training.layerwise.token_rows import Rows
from lamina.training.layerwise.transfer import TransferSettings
from lamina.training.packing import collate
from lamina.trajectories import TrajectoryStore
from tiny_llama import save_tiny_llama, split_rows

FEW = TrainSettings(epochs=1, batch=4, learning_rate=2e-3, max_length=200, threads=1)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("teacher"), seed=1)


def distilled(tiny: Path, teacher: Path, out: Path, toolbox: Toolbox, **plan) -> dict:
    made = Distillation(str(teacher), **plan)
    return fine_tune(str(tiny), split_rows(8), [], out, FEW, toolbox, Progress(silent=True), made)


@pytest.mark.parametrize("kind", ["logits", "attention", "jacobian"])
def test_each_transfer_trains_a_student(kind: str, tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox):
    metrics = distilled(tiny, teacher, tmp_path, toolbox, transfer=TransferSettings(kind, samples=2))
    assert metrics["transfer"] == kind
    assert [layer["teacher"] for layer in metrics["layers"]] == ["model.layers.0", "model.layers.1"]
    assert all(layer["first_difference"] > 0 for layer in metrics["layers"])
    lines = list(csv.DictReader((tmp_path / "layer-rates.csv").open()))
    assert [int(line["step"]) for line in lines] == [1, 1, 2, 2]
    assert any(float(line["rate"]) != 1 for line in lines)


def test_a_teacher_that_is_computed_again_teaches_the_same(tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox):
    logs = []
    for recompute in (False, True):
        settings = TransferSettings("jacobian", samples=2, recompute=recompute)
        distilled(tiny, teacher, tmp_path / str(recompute), toolbox, transfer=settings)
        logs.append((tmp_path / str(recompute) / "layer-rates.csv").read_text())
    assert logs[0] == logs[1]


def test_attention_transfer_brings_the_maps_closer_than_training_alone(
    tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox
):
    ends = {}
    for weight in (1e-6, 30.0):
        plan = {"transfer": TransferSettings("attention", weight), "rule": RateRule("uniform")}
        found = distilled(tiny, teacher, tmp_path / str(weight), toolbox, **plan)
        last = list(csv.DictReader((tmp_path / str(weight) / "layer-rates.csv").open()))[-2:]
        ends[weight] = sum(float(line["difference"]) for line in last)
        assert found["rates"] == "uniform"
    assert ends[30.0] < ends[1e-6]


def test_a_student_of_every_second_layer_is_saved_as_a_whole_model(
    tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox
):
    metrics = distilled(tiny, teacher, tmp_path, toolbox, keep_every=2)
    assert [(layer["student"], layer["teacher"]) for layer in metrics["layers"]] == [
        ("model.layers.0", "model.layers.1")
    ]
    assert json.loads((tmp_path / "config.json").read_text())["num_hidden_layers"] == 1
    assert json.loads((tmp_path / "lamina.json").read_text())["prompt_style"] == "baked"
    from lamina.quantize import quantize_types

    files = quantize_types(tmp_path, ["F16"], tmp_path / "gguf")
    assert Path(files[0]["path"]).stat().st_size > 0
    again = load_base(str(tmp_path)).model
    assert again(torch.tensor([[1, 2, 3]])).logits.isfinite().all()


def test_a_build_with_a_teacher_trains_a_smaller_model_under_it(
    tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox
):
    plan = Distillation(str(teacher), TransferSettings("logits"), RateRule("uniform"), keep_every=2)
    settings = BuildSettings(base=str(tiny), train=FEW, distillation=plan)
    with Run.open(tmp_path / "run", {}) as run:
        rows = [
            row.model_copy(update={"meta": row.meta.model_copy(update={"split": "train"})}) for row in split_rows(8)
        ]
        TrajectoryStore(run.store).add(enumerate(rows))
        metrics = tune(run, toolbox, settings, Progress(silent=True))
    assert (metrics["transfer"], metrics["rates"]) == ("logits", "uniform")
    assert json.loads((tmp_path / "run" / "model" / "config.json").read_text())["num_hidden_layers"] == 1


@pytest.mark.parametrize("count", range(2, 40))
@pytest.mark.parametrize("every", [2, 3, 5])
def test_the_layers_kept_are_spread_from_the_first_to_the_last(count: int, every: int):
    kept = kept_layers(count, every)
    assert len(kept) == -(-count // every)
    assert kept == sorted(set(kept))
    assert kept[-1] == count - 1
    if len(kept) > 1:
        assert kept[0] == 0
        steps = [b - a for a, b in itertools.pairwise(kept)]
        assert max(steps) - min(steps) <= 1


def test_thinning_keeps_the_last_layer_and_what_each_layer_computes(tiny: Path):
    whole, thin = load_base(str(tiny)).model, thinned(load_base(str(tiny)).model, 2)
    ours, theirs = thin.model.layers[0].state_dict(), whole.model.layers[1].state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        cached = thin.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=2)
        plain = thin.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=2, use_cache=False)
    assert torch.equal(cached, plain), "the cache has a place for each layer that is left"
    with pytest.raises(InputError, match="leaves none"):
        thinned(thin, 2)


def test_the_table_of_rows_is_the_batch_and_leaves_out_first_tokens_and_padding():
    batch = {
        "input_ids": torch.tensor([[1, 2, 3, 4, 5]]),
        "position_ids": torch.tensor([[0, 1, 2, 0, 1]]),
        "places": torch.tensor([0, 1, 2, 3, 4]),
        "row_count": 2,
        "row_width": 3,
    }
    rows = Rows(batch)
    flat = torch.arange(1.0, 6.0).reshape(1, 5, 1)
    assert rows.apart(flat, whole=True).squeeze(2).tolist() == [[1, 2, 3], [4, 5, 0]]
    assert rows.apart(flat).squeeze(2).tolist() == [[0, 2, 3], [0, 5, 0]]
    assert rows.first(1).ids.tolist() == [[1, 2, 3]]


def test_other_tokenizers_are_refused_with_a_token(tiny: Path):
    base = load_base(str(tiny))
    other = load_base(str(tiny))
    other.tokenizer.add_tokens(["<extra>"])
    with pytest.raises(InputError, match=r"different tokenizers .*'<extra>' is number none and"):
        check_same_tokenizer(base, replace(other, ref="the other"))


def test_a_layer_that_is_no_block_is_refused_by_name(tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox):
    with pytest.raises(InputError, match=r"layer lm_head gives an output of shape .* a row|one row of numbers"):
        distilled(tiny, teacher, tmp_path, toolbox, pairs={"lm_head": "lm_head"})


def test_models_of_one_tokenizer_padded_differently_share_their_logits(
    tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox
):
    padded = load_base(str(teacher))
    padded.model.resize_token_embeddings(padded.model.config.vocab_size + 64)
    padded.model.save_pretrained(tmp_path / "padded")
    padded.tokenizer.save_pretrained(tmp_path / "padded")
    settings = TransferSettings("logits")
    found = distilled(tiny, tmp_path / "padded", tmp_path / "out", toolbox, transfer=settings)
    assert found["transfer"] == "logits"


def test_a_layer_that_is_not_trained_is_said(tiny: Path, teacher: Path, tmp_path: Path):
    base = load_base(str(tiny))
    base.model.get_submodule("model.layers.0").requires_grad_(False)
    said: list[str] = []
    progress = Progress(silent=True)
    progress.say = said.append  # type: ignore[method-assign]
    Distillation(str(teacher)).begin(base.model, base, tmp_path, progress)
    assert "layer model.layers.0 has no weight that is trained: it keeps no rate" in said


def test_widths_that_differ_are_refused_for_derivatives(tiny: Path, teacher: Path):
    from transformers import AutoConfig, AutoModelForCausalLM

    from lamina.training.layerwise.language import _check_widths

    config = AutoConfig.from_pretrained(tiny)
    config.hidden_size = 32
    narrow = AutoModelForCausalLM.from_config(config)
    wide = load_base(str(teacher)).model
    _check_widths("attention", narrow, wide)
    with pytest.raises(InputError, match="32 numbers in the student and 64 in the teacher"):
        _check_widths("jacobian", narrow, wide)


class _Counted:
    """Counts how often the teacher is run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.runs = 0
        real = LanguageTeacher._computed

        def computed(teacher: LanguageTeacher):
            self.runs += 1
            return real(teacher)

        monkeypatch.setattr(LanguageTeacher, "_computed", computed)


@pytest.mark.parametrize("kind", ["logits", "attention", "jacobian"])
def test_a_teacher_is_run_once_for_each_row_however_many_epochs(
    kind: str, tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
):
    counted = _Counted(monkeypatch)
    plan = Distillation(str(teacher), TransferSettings(kind, samples=2))
    settings = replace(FEW, epochs=3)
    logs = []
    for remembers in (True, False):
        if not remembers:
            monkeypatch.setattr(RowMemory, "recall", lambda memory, batch, learnt: None)
        counted.runs = 0
        out = tmp_path / str(remembers)
        fine_tune(str(tiny), split_rows(8), [], out, settings, toolbox, Progress(silent=True), plan)
        assert counted.runs == (2 if remembers else 6)  # 8 rows in batches of 4
        lines = list(csv.DictReader((out / "layer-rates.csv").open()))
        logs.append([[float(line[name] or 0) for name in ("rate", "difference")] for line in lines])
        assert not list(out.glob("teacher-rows*"))
    assert logs[0] == [pytest.approx(line, rel=1e-4, abs=1e-6) for line in logs[1]]


def test_another_teacher_remembers_nothing_of_the_first(tiny: Path, teacher: Path, tmp_path: Path):
    batch = Rows(
        collate([{"input_ids": [1, 2, 3], "labels": [-100, -100, 3]}, {"input_ids": [4, 5], "labels": [-100, 5]}])
    )
    learnt = torch.tensor([[False, True, False, True]])
    maps, hidden = [torch.rand(2, 3)], torch.rand(2, 4)
    maps[0][1, 2] = 0  # after the end of the second row
    first, other = load_base(str(teacher)).model, load_base(str(tiny)).model
    memory = RowMemory(tmp_path, first, ["model.layers.0"], Progress(silent=True))
    assert memory.recall(batch, learnt) is None
    memory.keep(batch, learnt, maps, hidden)
    known = RowMemory(tmp_path, first, ["model.layers.0"], Progress(silent=True)).recall(batch, learnt)
    assert known is not None
    assert torch.equal(known[0][0], maps[0])
    assert torch.equal(known[1], hidden)
    assert memory.recall(batch, torch.tensor([[True, True, False, True]])) is None
    assert RowMemory(tmp_path, other, ["model.layers.0"], Progress(silent=True)).recall(batch, learnt) is None
    assert RowMemory(tmp_path, first, ["model.layers.1"], Progress(silent=True)).recall(batch, learnt) is None


def test_a_full_disk_ends_the_remembering_and_not_the_training(
    tiny: Path, teacher: Path, tmp_path: Path, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    real = RowMemory.__init__

    def small(memory: RowMemory, *args) -> None:
        real(memory, *args)
        memory._open.execute("PRAGMA max_page_count=3")

    monkeypatch.setattr(RowMemory, "__init__", small)
    plan = Distillation(str(teacher), TransferSettings("logits"))
    fine_tune(str(tiny), split_rows(8), [], tmp_path, replace(FEW, epochs=2), toolbox, Progress(), plan)
    assert "full; the teacher is asked anew" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").is_file()


def test_a_damaged_memory_is_begun_anew(tiny: Path, tmp_path: Path):
    model = load_base(str(tiny)).model
    (tmp_path / "teacher-rows-0.sqlite").write_bytes(b"no data base" * 400)
    rows = [{"input_ids": [1, 2, 3], "labels": [-100, -100, 3]}]
    batch, learnt = Rows(collate(rows)), torch.tensor([[False, True]])
    memory = RowMemory(tmp_path, model, ["model.layers.0"], Progress(silent=True))
    memory.keep(batch, learnt, [torch.rand(1, 3)], torch.rand(1, 4))
    assert memory.recall(batch, learnt) is not None
    memory.forget()
    assert memory.recall(batch, learnt) is None
    assert not list(tmp_path.iterdir())
