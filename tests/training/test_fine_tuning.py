"""Fine-tuning as a whole, on a tiny random model."""

from __future__ import annotations

import csv
import json
import re
import signal
import sys
from pathlib import Path

import pytest

from lamina.errors import ConfigMismatchError, InputError, ModelReferenceError, StorageError, WorkFailedError
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from tiny_llama import split_rows

FEW = TrainSettings(update="lora", epochs=3, batch=4, learning_rate=5e-3, lora_rank=4, lora_alpha=8, max_length=200)


def weights(folder: Path):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def finished(tiny: Path, tmp_path_factory: pytest.TempPathFactory):
    from tiny_llama import desk_toolbox

    out = tmp_path_factory.mktemp("finished") / "model"
    return out, fine_tune(str(tiny), split_rows(12), split_rows(16)[12:], out, FEW, desk_toolbox())


def test_a_training_leaves_a_whole_model_and_its_metrics(finished, toolbox: Toolbox):
    out, metrics = finished
    assert metrics["steps"] == 9
    assert metrics["rows"] == 12
    assert metrics["validation_rows"] == 4
    assert metrics["validation_loss"] > 0
    facts = json.loads((out / "lamina.json").read_text())
    assert facts["prompt_style"] == "baked"
    assert Toolbox.from_openai(facts["tools"]).names == toolbox.names
    assert all(str(w.dtype) == "torch.float32" for w in weights(out).values())
    assert not (out / "checkpoints").exists()


def test_the_adapter_is_kept_as_peft_saves_it_and_is_what_was_merged(finished, tiny: Path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = finished[0] / "adapter"
    names = {"adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "lamina.json"}
    assert {file.name for file in folder.iterdir()} == names
    assert (folder / "adapter_model.safetensors").stat().st_size < (tiny / "model.safetensors").stat().st_size / 4
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == str(tiny)
    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), str(folder)).merge_and_unload()
    whole = weights(finished[0])
    assert all(value.equal(whole[name]) for name, value in merged.state_dict().items() if name in whole)


def test_its_file_beside_that_of_the_base_calls_what_the_merged_model_calls(finished, tiny: Path, tmp_path: Path):
    from lamina.models import Request, open_model
    from lamina.quantize import export_adapter, export_gguf
    from lamina.trajectories import Message

    export_gguf(tiny, tmp_path / "base.gguf", "F32")
    export_gguf(finished[0], tmp_path / "merged.gguf", "F32")
    (file,) = export_adapter(finished[0] / "adapter", ["F32"], tmp_path)
    assert file["base"] == str(tiny)
    asked = [Request([Message(role="user", content=f"Split {n} between 3")], style="baked", constrained=False,
                     max_tokens=24) for n in (24, 84)]  # fmt: skip
    found = []
    for ref in (f"{tmp_path / 'base.gguf'}+{file['path']}", tmp_path / "merged.gguf", tmp_path / "base.gguf"):
        model = open_model(str(ref), threads=1, slots=1)
        replies = model.generate(asked)
        found.append([(model.prompt_for(request), reply.text) for request, reply in zip(asked, replies, strict=True)])
        model.close()
    assert found[0] == found[1] != found[2]


def test_the_loss_log_has_a_line_a_step_and_the_loss_falls(finished):
    out, metrics = finished
    lines = list(csv.DictReader((out / "train-log.csv").open()))
    assert [int(line["step"]) for line in lines] == list(range(1, 10))
    assert int(lines[-1]["tokens"]) == metrics["tokens"]
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])


@pytest.mark.parametrize(("rows", "passes", "epochs"), [(1, 1, [1.0]), (9, 2, [0.889, 1.778, 2.0])])
def test_the_last_batch_counts_the_rows_that_it_has(
    tiny: Path, toolbox: Toolbox, tmp_path: Path, rows: int, passes: float, epochs: list[float]
):
    settings = TrainSettings(epochs=passes, batch=8, max_length=200, precision="float32")
    fine_tune(str(tiny), split_rows(rows), [], tmp_path, settings, toolbox)
    assert [float(line["epoch"]) for line in csv.DictReader((tmp_path / "train-log.csv").open())] == epochs


@pytest.mark.parametrize(
    ("update", "rate", "golden"),
    [
        ("lora", 5e-3, [6.41965, 6.19892, 5.95626, 5.62731, 5.27177, 5.00609, 4.75304, 4.8098, 4.62733]),
        ("full", 2e-3, [6.41965, 5.15464, 4.19309, 3.43782, 3.02536, 2.69367, 2.34567, 2.28322, 2.25986]),
    ],
)
def test_the_losses_are_those_that_were_written_down(
    tiny: Path, toolbox: Toolbox, tmp_path: Path, update: str, rate: float, golden: list[float]
):
    """Whoever changes these numbers has changed the training; precision bf16 is left out, for processors differ."""
    settings = TrainSettings(**{**vars(FEW), "update": update, "learning_rate": rate, "precision": "float32"})
    fine_tune(str(tiny), split_rows(12), [], tmp_path, settings, toolbox)
    losses = [float(line["loss"]) for line in csv.DictReader((tmp_path / "train-log.csv").open())]
    assert losses == pytest.approx(golden, abs=0.01)


def test_a_finished_training_returns_its_stored_metrics(finished, tiny: Path, toolbox: Toolbox):
    out, metrics = finished
    before = (out / "model.safetensors").stat().st_mtime_ns
    again = fine_tune(str(tiny), split_rows(12), split_rows(16)[12:], out, FEW, toolbox)
    assert again == metrics
    assert (out / "model.safetensors").stat().st_mtime_ns == before


def test_other_settings_in_the_same_folder_are_an_error(finished, tiny: Path, toolbox: Toolbox):
    with pytest.raises(ConfigMismatchError, match="seed: 0 -> 7"):
        fine_tune(
            str(tiny),
            split_rows(12),
            split_rows(16)[12:],
            finished[0],
            TrainSettings(**{**vars(FEW), "seed": 7}),
            toolbox,
        )


class Killed(BaseException):
    """Stands for a kill: nothing in the training catches it."""


def test_a_killed_training_continues_to_the_same_weights(
    finished, tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch
):
    from lamina.training.trainer import TrainingLog

    settings = TrainSettings(**{**vars(FEW), "save_seconds": 0.0})
    step = TrainingLog.step

    def step_then_die(self, number: int, last: int, rate: float) -> bool:
        if number == 6:
            raise Killed
        return step(self, number, last, rate)

    monkeypatch.setattr(TrainingLog, "step", step_then_die)
    with pytest.raises(Killed):
        fine_tune(str(tiny), split_rows(12), split_rows(16)[12:], tmp_path, settings, toolbox)
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.setattr(TrainingLog, "step", step)
    metrics = fine_tune(str(tiny), split_rows(12), split_rows(16)[12:], tmp_path, settings, toolbox)
    assert metrics["resumed_from_step"] == 5
    assert metrics["tokens"] == finished[1]["tokens"]
    whole, continued = weights(finished[0]), weights(tmp_path)
    assert all(whole[name].equal(continued[name]) for name in whole)
    assert len((tmp_path / "train-log.csv").read_text().splitlines()) == 10


def test_a_half_written_checkpoint_is_passed_over(tmp_path: Path):
    from lamina.training.folder import last_checkpoint

    for step, whole in ((4, True), (8, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    found = last_checkpoint(tmp_path, {})
    assert found is not None
    assert found.name == "checkpoint-4"


def test_a_full_update_trains_the_weights_themselves_and_not_the_embedding(
    tiny: Path, tmp_path: Path, toolbox: Toolbox
):
    full = TrainSettings(**{**vars(FEW), "update": "full", "learning_rate": 2e-3})
    metrics = fine_tune(str(tiny), split_rows(12), [], tmp_path / "full", full, toolbox)
    before, after = weights(tiny), weights(tmp_path / "full")
    changed = {name for name in before if not (before[name] == after[name]).all()}
    assert changed == {name for name in before if name.endswith("_proj.weight")}
    assert metrics["trainable_parameters"] == sum(before[name].numel() for name in changed)
    assert not (tmp_path / "full" / "adapter").exists()
    lines = list(csv.DictReader((tmp_path / "full" / "train-log.csv").open()))
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])


def test_one_batch_of_eight_and_eight_of_one_train_the_same_weights(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    found = {}
    for name, batch, accumulate in (("whole", 8, 1), ("parts", 1, 8)):
        how = {"batch": batch, "accumulate": accumulate, "update": "full", "epochs": 2, "precision": "float32"}
        one = TrainSettings(**{**vars(FEW), **how})
        metrics = fine_tune(str(tiny), split_rows(16), split_rows(21)[16:], tmp_path / name, one, toolbox)
        log = list(csv.DictReader((tmp_path / name / "train-log.csv").open()))
        found[name] = (weights(tmp_path / name), [float(line["loss"]) for line in log], metrics)
    assert found["whole"][2]["steps"] == found["parts"][2]["steps"] == 4
    assert found["whole"][2]["tokens"] == found["parts"][2]["tokens"]
    for held in ("validation_loss", "validation_token_accuracy"):  # a mean over tokens, of which a refusal has few
        assert found["parts"][2][held] == pytest.approx(found["whole"][2][held], abs=2e-4)
    assert found["parts"][1] == pytest.approx(found["whole"][1], abs=2e-4)
    whole, parts = found["whole"][0], found["parts"][0]
    assert all((whole[name] - parts[name]).abs().max() < 1e-4 for name in whole)


def test_mixed_precision_multiplies_in_bf16_and_keeps_weights_in_float32(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    losses = {}
    for precision in ("float32", "mixed"):
        settings = TrainSettings(**{**vars(FEW), "update": "full", "learning_rate": 2e-3, "precision": precision})
        fine_tune(str(tiny), split_rows(12), [], tmp_path / precision, settings, toolbox)
        lines = csv.DictReader((tmp_path / precision / "train-log.csv").open())
        losses[precision] = [float(line["loss"]) for line in lines]
    assert losses["mixed"] != losses["float32"]
    assert losses["mixed"] == pytest.approx(losses["float32"], abs=0.1)
    assert all(str(w.dtype) == "torch.float32" for w in weights(tmp_path / "mixed").values())


def test_a_diverging_training_is_stopped(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    wild = TrainSettings(**{**vars(FEW), "learning_rate": 1e30, "warmup": 0.0, "scheduler": "constant"})
    with pytest.raises(WorkFailedError, match="lower the learning rate"):
        fine_tune(str(tiny), split_rows(12), [], tmp_path, wild, toolbox)


def test_only_the_top_layers_are_adapted_when_asked(finished, tiny: Path, toolbox: Toolbox, tmp_path: Path):
    top = TrainSettings(**{**vars(FEW), "lora_layers": 1, "epochs": 1})
    metrics = fine_tune(str(tiny), split_rows(12), [], tmp_path, top, toolbox)
    assert metrics["trainable_parameters"] * 2 == finished[1]["trainable_parameters"]
    before, after = weights(tiny), weights(tmp_path)
    changed = {name.split(".")[2] for name in before if "layers" in name and not before[name].equal(after[name])}
    assert changed == {"1"}


def test_nothing_to_train_on_is_said(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    with pytest.raises(InputError, match="nothing to train on"):
        fine_tune(str(tiny), [], [], tmp_path, FEW, toolbox)
    short = TrainSettings(**{**vars(FEW), "max_length": 10})
    with pytest.raises(InputError, match="longer than max_length 10"):
        fine_tune(str(tiny), split_rows(4), [], tmp_path / "short", short, toolbox)


def test_no_row_is_longer_than_what_the_base_reads(toolbox: Toolbox, tmp_path: Path):
    from tiny_llama import save_tiny_llama

    base = save_tiny_llama(tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 20}))
    said = r"rows refused: 4 \(longer than max_length 20; the base reads no more: shorten the row"
    with pytest.raises(InputError, match=said):
        fine_tune(str(base), split_rows(4), [], tmp_path / "out", FEW, toolbox)


@pytest.mark.skipif(sys.platform != "linux", reason="file-size limits as a stand-in for a full disk")
@pytest.mark.parametrize("full_at", ["model", "optimizer"])
def test_a_disk_that_is_full_at_a_checkpoint_is_said_and_the_training_goes_on_later(
    full_at: str, tiny: Path, toolbox: Toolbox, tmp_path: Path
):
    import resource

    settings = TrainSettings(**{**vars(FEW), "save_seconds": 0.0, "update": "full", "learning_rate": 2e-3})
    model = (tiny / "model.safetensors").stat().st_size  # Adam's two moments of a full update are larger
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000 if full_at == "model" else model + 20_000, limits[1]))
        said = "File too large" if full_at == "model" else r"torch could not write a file to its end.*; free some space"
        with pytest.raises(StorageError, match=f"{re.escape(str(tmp_path))}: {said}"):
            fine_tune(str(tiny), split_rows(12), [], tmp_path, settings, toolbox)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "model.safetensors").exists()
    assert fine_tune(str(tiny), split_rows(12), [], tmp_path, settings, toolbox)["steps"] == 9


@pytest.mark.parametrize("ref", ["nowhere", "nowhere.gguf", "hf:", "base.gguf+adapter.gguf"])
def test_a_reference_that_names_nothing_is_an_error(ref: str, toolbox: Toolbox, tmp_path: Path):
    with pytest.raises(ModelReferenceError):
        fine_tune(ref, split_rows(4), [], tmp_path, FEW, toolbox)


def test_an_output_that_is_a_file_is_a_storage_error(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        fine_tune(str(tiny), split_rows(4), [], tmp_path / "file" / "model", FEW, toolbox)


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batch": -1}, {"threads": -1}, {"accumulate": 0}, {"warmup": 1.0}, {"lora_layers": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict):
    with pytest.raises(InputError, match=next(iter(wrong))):
        TrainSettings(**wrong)
