"""An experiment from the first image to the paired differences, on digits; killed and continued."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lamina.errors import InputError
from lamina.runs import Run
from lamina.training.layerwise import cell as cell_module
from lamina.training.layerwise import grid
from lamina.training.layerwise.cell import Cell, Schedule
from lamina.training.layerwise.comparing_seeds import paired_p, student_interval, summary
from lamina.training.layerwise.grid import CELL, Experiment, run_grid
from lamina.training.layerwise.images import SOURCES, read_images, rows_of
from lamina.training.layerwise.scoring import average_precision
from lamina.training.layerwise.transfer import TransferSettings

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
pytest.importorskip("sklearn", reason="digits come with scikit-learn (extra vision)")

SMALL = Experiment("digits", fraction=0.05, width=8, schedule=Schedule(steps=4, batch=16))


def test_a_grid_gives_every_cell_once_and_continues_where_it_was(tmp_path: Path, monkeypatch):
    wanted = {
        "transfers": ["none", "attention", "jacobian"],
        "rules": ["uniform", "layerwise"],
        "seeds": 2,
        "workers": 1,
    }
    with Run.open(tmp_path / "whole", SMALL.config()) as run:
        whole = run_grid(SMALL, run, **wanted)
    assert whole["cells"] == whole["wanted"] == 12
    assert [(r["transfer"], r["rates"], r["n"]) for r in whole["rows"]] == [
        (t, r, 2) for t in ("none", "attention", "jacobian") for r in ("uniform", "layerwise")
    ]
    assert {pair["n"] for pair in whole["pairs"]} == {2}
    asked = {(pair["b"], pair["a"]) for pair in whole["pairs"]}
    assert ("attention/layerwise", "attention/uniform") in asked
    assert ("attention/uniform", "none/uniform") in asked
    assert len(asked) == len(whole["pairs"]) == 5

    done = []

    def train_then_die(cell):
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(cell.name)
        return cell_module.train_cell(cell)

    monkeypatch.setattr(grid, "train_cell", train_then_die)
    with Run.open(tmp_path / "cut", SMALL.config()) as run:
        with pytest.raises(KeyboardInterrupt):
            run_grid(SMALL, run, **wanted)
        assert run.store.count(CELL) == 7
    monkeypatch.setattr(grid, "train_cell", cell_module.train_cell)
    with Run.open(tmp_path / "cut", SMALL.config()) as run:
        continued = run_grid(SMALL, run, **wanted)
    strip = [{k: v for k, v in row.items() if k != "step_seconds"} for row in whole["rows"]]
    assert [{k: v for k, v in row.items() if k != "step_seconds"} for row in continued["rows"]] == strip


def test_a_rule_changes_the_weights_and_the_same_seed_repeats_them(tmp_path: Path):
    with Run.open(tmp_path, SMALL.config()) as run:
        run_grid(SMALL, run, transfers=["attention"], rules=["uniform"], seeds=1, workers=1)
        cells = {
            rule: [cell_module.train_cell(grid._cell(SMALL, run, "attention", rule, 1)) for _ in range(2)]
            for rule in ("uniform", "layerwise", "random")
        }
    for rule, (first, second) in cells.items():
        assert first["course"] == second["course"], rule
        assert first["score"] == second["score"]
    last = {rule: found[0]["course"][-1]["loss"] for rule, found in cells.items()}
    assert len(set(last.values())) == 3
    first_losses = {found[0]["course"][0]["loss"] for found in cells.values()}
    assert len(first_losses) == 1, "the same weights, images and batches at the start"


def test_what_is_asked_for_is_checked_before_anything_is_trained(tmp_path: Path):
    with Run.open(tmp_path, SMALL.config()) as run:
        with pytest.raises(InputError, match="no transfer 'magic'"):
            run_grid(SMALL, run, transfers=["magic"])
        with pytest.raises(InputError, match="no rule for rates 'fast'"):
            run_grid(SMALL, run, rules=["fast"])
        assert run.store.kinds() == []


def cells_of(scores: dict[tuple[str, str], list[float]]) -> list[dict]:
    return [
        {"transfer": t, "rates": r, "seed": seed, "score": score, "step_seconds": 0.1}
        for (t, r), found in scores.items()
        for seed, score in enumerate(found)
    ]


def test_pairs_see_what_two_means_do_not():
    """The seeds differ by far more than the rules do, and all in the same way."""
    before = [0.5, 0.6, 0.7, 0.8, 0.9]
    after = [0.51, 0.612, 0.71, 0.808, 0.911]
    rows, (pair,) = summary(cells_of({("attention", "uniform"): before, ("attention", "layerwise"): after}))
    assert rows[0]["high"] > rows[1]["low"]
    assert pair["difference"] == pytest.approx(0.0102, abs=1e-6)
    assert pair["low"] > 0
    assert pair["p"] < 0.001
    assert (pair["better"], pair["worse"]) == (5, 0)


def test_intervals_and_p_are_students():
    from scipy import stats

    values = [0.1, 0.4, 0.35, 0.8]
    mean, low, high = student_interval(values)
    expected = stats.t.interval(0.95, 3, loc=mean, scale=stats.sem(values))
    assert (low, high) == pytest.approx(expected)
    assert paired_p(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert student_interval([0.5]) == (0.5, None, None)
    assert paired_p([0.5]) is None


def test_layer_wise_rates_are_compared_with_their_control_too():
    scores = {("none", "uniform"): [0.5, 0.6], ("jacobian", "uniform"): [0.6, 0.7]}
    scores |= {("jacobian", "layerwise"): [0.7, 0.9], ("jacobian", "random"): [0.65, 0.7]}
    _, pairs = summary(cells_of(scores))
    assert {(p["a"], p["b"]) for p in pairs} == {
        ("none/uniform", "jacobian/uniform"),
        ("jacobian/uniform", "jacobian/layerwise"),
        ("jacobian/uniform", "jacobian/random"),
        ("jacobian/random", "jacobian/layerwise"),
    }
    control = next(p for p in pairs if p["a"] == "jacobian/random")
    assert control["difference"] == pytest.approx(0.125)


def test_several_questions_are_corrected_for_their_number():
    scores = {("none", "uniform"): [0.5, 0.6, 0.7], ("none", "layerwise"): [0.51, 0.62, 0.71]}
    scores |= {("none", "random"): [0.5, 0.61, 0.69]}
    _, pairs = summary(cells_of(scores))
    best = min(pairs, key=lambda p: p["p"])
    assert len(pairs) == 3  # two rules against uniform rates, and the layer-wise one against its control
    assert best["p_holm"] == pytest.approx(min(1.0, 3 * best["p"]))
    assert all(p["p_holm"] >= p["p"] for p in pairs)


@pytest.mark.parametrize("name", ["mnist-10k", "omniglot-small", "easy-vqa"])
def test_the_data_sets_have_images_of_every_class_apart_from_the_test(name: str):
    if not (SHARED / SOURCES[name].folder).is_dir():
        pytest.skip(f"the shared data folder with {name} is not here")
    images = read_images(name, SHARED)
    n, channels, size, _ = images.x_train.shape
    assert n == len(images.y_train) > 1000
    assert size in (28, 32)
    assert channels in (1, 3)
    assert abs(float(images.x_train.mean())) < 1e-3
    assert set(images.y_train.tolist()) == set(range(images.classes))
    assert set(images.y_test.tolist()) <= set(range(images.classes))
    assert images.classes == {"mnist-10k": 10, "omniglot-small": 136, "easy-vqa": 24}[name]


def test_a_fraction_has_every_class_and_its_seeds_choice():
    images = read_images("digits", None)
    few = rows_of(images, 0.05, seed=3)
    assert len(few) == pytest.approx(0.05 * len(images.y_train), abs=6)
    assert set(images.y_train[few].tolist()) == set(range(10))
    assert few.tolist() == rows_of(images, 0.05, seed=3).tolist() != rows_of(images, 0.05, seed=4).tolist()


@pytest.mark.parametrize(
    ("name", "folder", "training", "held", "labels"),
    [
        ("cifar10", "cifar-10-batches-bin", ["data_batch_1.bin", "data_batch_2.bin"], "test_batch.bin", 1),
        ("cifar100", "cifar-100-binary", ["train.bin"], "test.bin", 2),
    ],
)
def test_cifars_binary_version_is_read(
    tmp_path: Path, name: str, folder: str, training: list[str], held: str, labels: int
):
    (tmp_path / folder).mkdir()
    chance = torch.Generator().manual_seed(0)
    for file in (*training, held):
        records = torch.randint(0, 256, (10, 3072 + labels), generator=chance, dtype=torch.uint8)
        records[:, labels - 1] = torch.arange(10)
        (tmp_path / folder / file).write_bytes(records.numpy().tobytes())
    images = read_images(name, tmp_path)
    assert images.x_train.shape == (10 * len(training), 3, 32, 32)
    assert images.y_test.tolist() == list(range(10))


def test_a_folder_without_cifars_files_is_said(tmp_path: Path):
    (tmp_path / "cifar-10-batches-bin").mkdir()
    with pytest.raises(InputError, match="no data_batch_1"):
        read_images("cifar10", tmp_path)


def small_coco(parent: Path, parts: tuple[str, ...] = ("val2017",)) -> Path:
    """Ten images a part: the first five hold a cat, all others but the last a dog."""
    from PIL import Image

    folder = parent / "coco"
    (folder / "annotations").mkdir(parents=True)
    for part in parts:
        (folder / part).mkdir()
        for i in range(10):
            Image.new("RGB", (20, 10), (25 * i, 0, 0)).save(folder / part / f"{i}.jpg")
        notes = {
            "images": [{"id": i, "file_name": f"{i}.jpg"} for i in range(10)],
            "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}],
            "annotations": [{"image_id": i, "category_id": 7 if i < 5 else 9} for i in range(9)],
        }
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(notes))
    return folder


def test_coco_labels_are_what_each_image_holds(tmp_path: Path):
    small_coco(tmp_path)
    images = read_images("coco", tmp_path)
    assert images.several
    assert images.x_train.shape == (8, 3, 64, 64)
    assert images.y_test.tolist() == [[1, 0], [0, 0]]


def test_cocos_training_images_are_taken_where_they_are_there(tmp_path: Path):
    small_coco(tmp_path, ("train2017", "val2017"))
    images = read_images("coco", tmp_path)
    assert (len(images.x_train), len(images.x_test)) == (10, 10)


def test_an_image_that_is_broken_is_named(tmp_path: Path):
    (small_coco(tmp_path) / "val2017" / "3.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"3\.jpg is no image"):
        read_images("coco", tmp_path)


def test_colour_images_with_several_labels_are_trained_on(tmp_path: Path):
    small_coco(tmp_path)
    small = Experiment("coco", tmp_path, width=8, schedule=Schedule(steps=2, batch=4))
    with Run.open(tmp_path / "run", small.config()) as run:
        found = run_grid(small, run, transfers=["logits", "jacobian"], rules=["layerwise"], seeds=1, workers=1)
    assert found["cells"] == 2
    assert all(0 <= row["value"] <= 1 for row in found["rows"])


def test_transformers_of_images_can_be_teacher_and_student(tmp_path: Path):
    small = replace(SMALL, teacher="vit3", student="vit2", schedule=Schedule(steps=2, batch=8))
    with Run.open(tmp_path, small.config()) as run:
        found = run_grid(small, run, transfers=["attention", "hessian"], rules=["layerwise"], seeds=1, workers=1)
    assert found["cells"] == 2
    assert [pair["student"] for pair in found["teacher"]["pairs"]] == ["blocks.0", "blocks.1"]


def test_each_cell_leaves_the_rates_of_every_step_and_jacobians_are_made_when_asked_for(tmp_path: Path):
    with Run.open(tmp_path, SMALL.config()) as run:
        run_grid(SMALL, run, transfers=["attention"], rules=["layerwise"], seeds=1, workers=1)
        assert not (tmp_path / "work" / "teacher-jacobians.safetensors").exists()
        run_grid(SMALL, run, transfers=["jacobian"], rules=["layerwise"], seeds=1, workers=1)
    assert (tmp_path / "work" / "teacher-jacobians.safetensors").exists()
    lines = list(csv.DictReader((tmp_path / "rates" / "attention-layerwise-0.csv").open()))
    assert [int(line["step"]) for line in lines] == [step for step in (1, 2, 3, 4) for _ in range(4)]
    assert {line["layer"] for line in lines} == {f"stage{i}" for i in (1, 2, 3, 4)}
    assert all(float(line["difference"]) >= 0 for line in lines)
    assert any(float(line["rate"]) != 1 for line in lines)


def test_average_precision_is_its_definition():
    import numpy as np

    assert average_precision(np.array([3.0, 2.0, 1.0]), np.array([1, 0, 1])) == pytest.approx((1 + 2 / 3) / 2)


def test_data_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="no data set 'faces'"):
        read_images("faces", tmp_path)
    with pytest.raises(InputError, match="--data"):
        read_images("mnist-10k", None)
    with pytest.raises(InputError, match="no folder mnist-10k"):
        read_images("mnist-10k", tmp_path)
    (tmp_path / "omniglot-small").mkdir()
    with zipfile.ZipFile(tmp_path / "omniglot-small" / "other.zip", "w"), pytest.raises(InputError, match="omniglot"):
        read_images("omniglot-small", tmp_path)


def test_a_weight_of_ones_own_makes_another_grid(tmp_path: Path):
    own = replace(SMALL, transfer=TransferSettings("none", 0.5))
    assert own.config() != SMALL.config()
    assert "weight" not in SMALL.config()["experiment"]["transfer"], "grids from before there were weights continue"
    first = cell_of(own, tmp_path, "jacobian")
    assert (first.transfer.kind, first.transfer.weight) == ("jacobian", 0.5)
    assert cell_of(SMALL, tmp_path, "jacobian").transfer.weight == 1


def cell_of(experiment: Experiment, folder: Path, transfer: str) -> Cell:
    with Run.open(folder / str(experiment.transfer.weight), experiment.config()) as run:
        return grid._cell(experiment, run, transfer, "uniform", 0)
