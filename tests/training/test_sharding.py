"""Several processes train what one does, and say beforehand what they lack."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from lamina.errors import InputError, WorkFailedError
from lamina.runs import Progress
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune, read_training_data
from lamina.training.processes import is_sent_weights
from lamina.training.sharding import Shards, check_shards, config_file, train_sharded
from lamina.trajectories import ToolCall
from tiny_llama import desk_toolbox, save_tiny_llama, split_rows

SHARED = TrainSettings(
    epochs=2, batch=2, accumulate=4, learning_rate=2e-3, max_length=200, precision="float32", threads=1
)


def rows_file(folder: Path, held: int = 5) -> Path:
    """16 rows to train on; those held out fill no last batch."""
    tools = desk_toolbox().as_openai()
    splits = ["train"] * 16 + ["validation"] * held
    rows = [
        row.model_copy(update={"tools": tools, "meta": row.meta.model_copy(update={"split": split})})
        for row, split in zip(split_rows(16 + held), splits, strict=True)
    ]
    file = folder / "trajectories.jsonl"
    file.write_bytes(b"\n".join(row.to_json() for row in rows))
    return file


@pytest.mark.parametrize("kind", ["ddp", "fsdp", "deepspeed"])
def test_accelerate_takes_the_configuration_of_each_kind(kind: str):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(config_file(kind)))
    assert config.distributed_type.value == {"ddp": "MULTI_GPU"}.get(kind, kind.upper())
    assert config.num_machines == 1


def test_accelerates_launcher_makes_the_fsdp_plugin_that_is_written_there(monkeypatch: pytest.MonkeyPatch):
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import FullyShardedDataParallelPlugin
    from accelerate.utils.launch import prepare_multi_gpu_env

    options = ["--config_file", str(config_file("fsdp")), "--num_processes", "2", "--num_cpu_threads_per_process", "1"]
    told, *_ = _validate_launch_command(launch_command_parser().parse_args([*options, "-m", "x"]))
    for name, value in prepare_multi_gpu_env(told).items():
        if name.startswith("FSDP_"):
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.cpu_ram_efficient_loading is True
    assert plugin.state_dict_type.name == "SHARDED_STATE_DICT"
    assert "transformer_auto_wrap_policy" in str(plugin.auto_wrap_policy)


def test_the_launched_processes_take_no_file_of_the_current_folder_for_a_module_of_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from lamina.training import sharding

    (tmp_path / "queue.py").write_text("raise RuntimeError('mine')\n")
    monkeypatch.chdir(tmp_path)
    child = "import sys; sys.exit(bool(subprocess.run([sys.executable, '-c', 'import queue']).returncode))"
    monkeypatch.setattr(sharding, "command", lambda *_: [sys.executable, "-c", f"import subprocess; {child}"])
    monkeypatch.setattr(sharding, "check_shards", lambda shards, settings: shards)
    with pytest.raises(FileNotFoundError, match=sharding.FINISHED):  # they ended well, and trained nothing
        sharding.train_sharded(sharding.Shards("ddp", 2), "base", tmp_path, tmp_path / "out", TrainSettings())


def test_what_is_missing_or_cannot_be_shared_is_said_first(monkeypatch: pytest.MonkeyPatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(InputError, match="fsdp needs a GPU for each process; torch sees 0"):
        check_shards(Shards("fsdp", 2), SHARED)
    with pytest.raises(InputError, match="torch sees no GPU; --processes says"):
        check_shards(Shards("ddp"), SHARED)
    with pytest.raises(InputError, match="4 batches cannot be shared among 3 processes"):
        check_shards(Shards("ddp", 3), SHARED)
    with pytest.raises(InputError, match="patience"):
        check_shards(Shards("ddp", 2), TrainSettings(**{**vars(SHARED), "patience": 2}))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert check_shards(Shards("fsdp"), SHARED) == Shards("fsdp", 4)
    with pytest.raises(InputError, match="whole matrices, which fsdp cuts"):
        check_shards(Shards("fsdp"), TrainSettings(**{**vars(SHARED), "update": "full", "qat": "Q4_0"}))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "deepspeed" else name)
    with pytest.raises(InputError, match="pip install deepspeed"):
        check_shards(Shards("deepspeed", 2), SHARED)


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_a_process_that_is_sent_the_weights_knows_their_shapes_and_holds_none(kind: str, tiny: Path, tmp_path: Path):
    import torch

    from lamina.quantize import export_gguf
    from lamina.training.base import load_base

    ref = str(tiny)
    if kind == "gguf":
        export_gguf(tiny, tmp_path / "m.gguf", "F32")
        ref = str(tmp_path / "m.gguf")
    read, sent = load_base(ref).model, load_base(ref, empty=True).model
    shapes = [{name: (w.shape, w.dtype) for name, w in model.named_parameters()} for model in (read, sent)]
    assert shapes[0] == shapes[1]
    assert all(weight.is_meta for weight in sent.parameters())
    for (name, ours), (_, theirs) in zip(sent.named_buffers(), read.named_buffers(), strict=True):
        assert torch.equal(ours, theirs), name


def test_only_fsdp_sends_weights_and_not_to_the_process_that_reads_them(monkeypatch: pytest.MonkeyPatch):
    assert not is_sent_weights()
    for name, value in (("FSDP_CPU_RAM_EFFICIENT_LOADING", "true"), ("ACCELERATE_USE_FSDP", "true"), ("RANK", "1")):
        assert not is_sent_weights(), name
        monkeypatch.setenv(name, value)
    assert is_sent_weights()
    monkeypatch.setenv("RANK", "0")
    assert not is_sent_weights()


@pytest.mark.slow
def test_two_processes_train_the_weights_that_one_does(tiny: Path, tmp_path: Path):
    from safetensors.torch import load_file

    data = rows_file(tmp_path)
    found = read_training_data(data)
    alone = fine_tune(str(tiny), found.train, found.held, tmp_path / "one" / "model", SHARED, found.toolbox)
    shared = train_sharded(Shards("ddp", 2), str(tiny), data, tmp_path / "two" / "model", SHARED)
    assert shared["steps"] == alone["steps"] == 4
    assert shared["tokens"] == alone["tokens"]
    for name in ("validation_loss", "validation_token_accuracy"):
        assert shared[name] == pytest.approx(alone[name], abs=2e-4), name
    logs = {name: [float(said) for said in losses(tmp_path / name / "model")] for name in ("one", "two")}
    assert logs["two"] == pytest.approx(logs["one"], abs=2e-4)
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two"))
    assert all((one[name] - two[name]).abs().max() < 1e-4 for name in one)


@pytest.mark.slow
def test_two_processes_of_which_one_is_killed_go_on_to_the_same_weights(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data, settings = rows_file(tmp_path), replace(SHARED, epochs=4, save_seconds=0.0)
    broken, unbroken = tmp_path / "broken" / "model", tmp_path / "unbroken" / "model"
    with monkeypatch.context() as patched:
        with_workers(patched, "killed_worker.py")
        with pytest.raises(WorkFailedError, match="ended with status"):
            train_sharded(Shards("ddp", 2), str(tiny), data, broken, settings)
    assert not (broken / "training.json").exists()
    whole, resumed = (train_sharded(Shards("ddp", 2), str(tiny), data, out, settings) for out in (unbroken, broken))
    assert resumed["resumed_from_step"] == 5, "it was killed in step 6"
    assert losses(broken) == losses(unbroken)
    assert len(losses(broken)) == whole["steps"] == 8
    assert {k: resumed[k] for k in ("tokens", "loss", "validation_loss")} == {
        k: whole[k] for k in ("tokens", "loss", "validation_loss")
    }
    assert (broken / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()


def losses(folder: Path) -> list[str]:
    return [line["loss"] for line in csv.DictReader((folder / "train-log.csv").open())]


def with_workers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """``train_sharded`` starts that script of ours for a worker."""
    from lamina.training import sharding

    script = Path(__file__).with_name(name)

    def command(shards: Shards, job: Path) -> list[str]:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(shards.processes)]
        return [sys.executable, *launcher, str(script), str(job)]

    monkeypatch.setattr(sharding, "command", command)
    monkeypatch.setattr(sharding, "check_shards", lambda shards, settings: shards)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


RECIPES = {
    "full": {},
    "adapters": {"update": "lora", "lora_rank": 4},
    "preferred": {"method": "dpo", "update": "lora", "lora_rank": 4},
    "experts": {},
    "adapters of experts": {"update": "lora", "lora_rank": 4},
    "as xlam-7b": {"precision": "mixed", "gradient_checkpointing": True},
    "as xlam-8x22b": {"update": "lora", "precision": "bf16", "gradient_checkpointing": True, "lora_rank": 4},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_that_cut_the_weights_train_the_model_that_one_does(
    name: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from safetensors.torch import load_file

    data = rows_file(tmp_path)
    found = read_training_data(data)
    settings = replace(SHARED, epochs=1, **RECIPES[name])
    base = save_tiny_llama(tmp_path / "base", "mixtral") if "experts" in name else tiny
    wrong = {row.id: [ToolCall.of("split_bill", {"total": 0, "people": 1})] for row in found.train}
    told = wrong if settings.method == "dpo" else None
    out = tmp_path / "one" / "model"
    alone = fine_tune(str(base), found.train, found.held, out, settings, found.toolbox, wrong=told)
    with_workers(monkeypatch, "fsdp_on_processors.py")  # its accelerate shards with gloo
    cut = train_sharded(Shards("fsdp", 2), str(base), data, tmp_path / "two" / "model", settings, told)
    assert (cut["steps"], cut["tokens"]) == (alone["steps"], alone["tokens"]) == (2, cut["tokens"])
    assert cut["trainable_parameters"] == alone["trainable_parameters"], "counted before they are cut"
    assert cut["loss"] == pytest.approx(alone["loss"], abs=2e-2 if "precision" in RECIPES[name] else 2e-4)
    if settings.method == "sft":
        near = 2e-2 if "precision" in RECIPES[name] else 2e-4
        assert cut["validation_loss"] == pytest.approx(alone["validation_loss"], abs=near)
    one, two, before = (load_file(folder / "model.safetensors") for folder in (out, tmp_path / "two" / "model", base))
    assert one.keys() == two.keys()
    moved, apart = (sum(float((one[key] - other[key]).abs().sum()) for key in one) for other in (before, two))
    # Adam's first steps go as far for the least gradient, whose sign is chance in bf16; half of it is a part untrained
    assert apart < moved * (0.1 if "precision" in RECIPES[name] else 0.02), (apart, moved)


@pytest.mark.slow
def test_what_ends_a_worker_is_what_is_said(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    short = TrainSettings(**{**vars(SHARED), "max_length": 10})
    with pytest.raises(WorkFailedError, match="longer than max_length 10"):
        train_sharded(Shards("ddp", 2), str(tiny), rows_file(tmp_path), tmp_path / "run" / "model", short)


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_one_process_that_sees_several_gpus_trains_on_one_and_says_so(
    method: str, tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import torch
    from transformers import TrainingArguments

    setup = TrainingArguments.__dict__["_setup_devices"].func

    def as_with_two(arguments):
        device = setup(arguments)
        arguments._n_gpu = 2
        return device

    two = cached_property(as_with_two)
    two.__set_name__(TrainingArguments, "_setup_devices")
    monkeypatch.setattr(TrainingArguments, "_setup_devices", two)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    few = replace(SHARED, epochs=1, accumulate=1, method=method, update="lora" if method == "dpo" else "full")
    wrong = {row.id: [ToolCall.of("split_bill", {"total": 0, "people": 1})] for row in split_rows(4)}
    said = io.StringIO()
    metrics = fine_tune(
        str(tiny), split_rows(4), [], tmp_path, few, toolbox, Progress(stream=said),
        wrong=wrong if method == "dpo" else None,
    )  # fmt: skip
    assert metrics["steps"] == 2
    assert "torch sees 2 GPUs, and one trains; --sharding ddp" in said.getvalue()
