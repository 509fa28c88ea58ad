"""A model that sees answers the same from Transformers and, exported, from llama.cpp; one that does not says so."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench.tasks.written import one_of
from lamina.errors import InputError, ModelError
from lamina.models import Request, open_model
from lamina.trajectories import Message

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny_vlm import ANSWERS, QUESTIONS, draw, save_tiny_vlm

for library in ("PIL", "torch", "transformers", "llguidance"):
    pytest.importorskip(library)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    from lamina.quantize import export_gguf
    from lamina.quantize.vision_part import export_vision_part

    folder = tmp_path_factory.mktemp("vlm")
    model = save_tiny_vlm(folder / "model")
    (folder / "gguf").mkdir()
    file = folder / "gguf" / "model-F32.gguf"
    export_gguf(model, file, "F32")
    export_vision_part(model, folder / "gguf", "F32")
    return SimpleNamespace(folder=model, file=file, images=draw(folder))


def asked(made: SimpleNamespace, **more: object) -> list[Request]:
    grammar = one_of(ANSWERS)
    return [
        Request([Message(role="user", content=q)], images=[i], grammar=grammar, max_tokens=8, **more)
        for q in QUESTIONS
        for i in made.images
    ]


def answers(ref: str, requests: list[Request]) -> list[str]:
    model = open_model(ref, threads=1, slots=2, images=True)
    try:
        return [reply.text or str(reply.problem) for reply in model.generate(requests)]
    finally:
        model.close()


def test_an_exported_model_that_sees_gives_the_answers_of_the_original(made: SimpleNamespace):
    wanted = answers(str(made.folder), asked(made))
    assert len(set(wanted)) > 2, "constant answers would prove little"
    assert set(wanted) <= set(ANSWERS)
    assert answers(str(made.file), asked(made)) == wanted


def test_a_broken_image_is_a_reason_beside_the_answers_to_the_others(made: SimpleNamespace, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(made.images[0].read_bytes()[:60])
    requests = asked(made)[:1]
    requests.append(Request(requests[0].messages, images=[tmp_path / "broken.png"]))
    for ref in (str(made.folder), str(made.file)):
        model = open_model(ref, threads=1, images=True)
        whole, broken = model.generate(requests)
        model.close()
        assert (whole.problem, broken.text) == (None, "")
        assert "broken.png: not an image that can be read" in str(broken.problem)


def test_a_model_that_sees_is_asked_without_an_image_too(made: SimpleNamespace):
    text = [Request([Message(role="user", content=q)], grammar=one_of(ANSWERS), max_tokens=8) for q in QUESTIONS]
    assert answers(str(made.folder), text) == answers(str(made.file), text)


def test_a_model_of_text_alone_is_refused_before_it_is_asked_about_an_image(tmp_path: Path):
    from tiny_llama import save_tiny_llama

    with pytest.raises(ModelError, match=r"cannot be asked about images; its architecture \(llama\) is of text alone"):
        open_model(str(save_tiny_llama(tmp_path / "blind")), images=True)


def test_a_model_without_its_processor_is_refused(made: SimpleNamespace, tmp_path: Path):
    import shutil

    shutil.copytree(made.folder, tmp_path / "bare")
    (tmp_path / "bare" / "processor_config.json").unlink()
    with pytest.raises(ModelError, match=r"processor of (its )?images"):
        open_model(str(tmp_path / "bare"), images=True)


def test_a_vision_part_of_another_build_is_not_exported_wrong(made: SimpleNamespace, tmp_path: Path):
    import json

    from lamina.quantize.vision_part import export_vision_part

    told = {
        "vision_feature_select_strategy": ("default", "part of the patches"),
        "vision_config": ({"model_type": "clip_vision_model"}, "image encoder clip_vision_model cannot be exported"),
        "vision_feature_layer": ([-2, -1], "layer"),
        "projector_hidden_act": ("relu", "activation relu of the projector"),
        "model_type": ("idefics3", "no vision part"),
    }
    config = json.loads((made.folder / "config.json").read_text())
    for key, (value, says) in told.items():
        (tmp_path / "config.json").write_text(json.dumps({**config, key: value}))
        with pytest.raises(InputError, match=says):
            export_vision_part(tmp_path, tmp_path)


@pytest.mark.slow
def test_a_few_steps_of_training_teach_a_model_that_sees(tmp_path: Path):
    """The whole way of benchmarks/small_vlm.py: training, export, bench from both backends."""
    import small_vlm

    data = Path(__file__).parents[3] / "shared" / "data"
    if not (data / "easy-vqa").is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    small_vlm.train(data, tmp_path / "model", steps=12, minutes=1, batch=8)
    files = small_vlm.export(tmp_path / "model", tmp_path / "gguf")
    found = small_vlm.bench(data, tmp_path / "model", files, tmp_path / "bench", limit=20, threads=1)
    assert found["crashes"] == []
    assert found["same_answers"]["F16"] >= 0.9
    accuracy = {r["precision"]: r["value"] for r in found["rows"] if r["metric"] == "accuracy"}
    assert len(accuracy) == 1 + len(small_vlm.PRECISIONS)
