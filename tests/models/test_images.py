"""Images in requests: found, checked, put where the model expects them; a broken one is a reason, never an answer."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import pytest

from lamina.errors import InputError, MissingExtraError, ModelError, ModelReferenceError
from lamina.models import Request, check_reference, open_model
from lamina.models.gguf_files import model_file
from lamina.models.images import data_url, encoded, picture, read_image
from lamina.models.llamacpp import LlamaCppModel
from lamina.models.openai_endpoint import OpenAIEndpoint
from lamina.models.projectors import projector_of
from lamina.models.references import BACKENDS, Backend
from lamina.models.template_rendering import takes_parts
from lamina.models.templates import PLAIN_CHATML, request_prompt
from lamina.trajectories import Message

Image = pytest.importorskip("PIL.Image")

PARTS = (
    "{% for m in messages %}{{ m.role }}:{% for p in m.content %}{% if p.type == 'image' %}<image>{% else %}"
    "{{ p.text }}{% endif %}{% endfor %};{% endfor %}assistant:"
)
"""As the templates of models that see are written."""


@pytest.fixture
def red(tmp_path: Path) -> Path:
    Image.new("RGB", (6, 4), "red").save(tmp_path / "red.png")
    return tmp_path / "red.png"


def asked(*images: Path | str) -> Request:
    said = [Message(role="system", content="Be short."), Message(role="user", content="What is it?")]
    return Request(said, images=images)


def test_an_image_is_read_from_its_file_and_from_inside_a_zip(red: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.write(red, "in/red.png")
    assert read_image(tmp_path / "all.zip/in/red.png") == red.read_bytes()
    with pytest.raises(InputError, match="no such image in the zip"):
        read_image(tmp_path / "all.zip/in/blue.png")
    with pytest.raises(InputError, match=r"blue\.png: there is no such image"):
        read_image(tmp_path / "blue.png")


def test_what_every_engine_decodes_is_sent_as_it_is_and_the_rest_as_png(red: Path, tmp_path: Path):
    assert encoded(red) == ("image/png", red.read_bytes())
    Image.new("CMYK", (6, 4), "red").save(tmp_path / "print.tif")
    kind, data = encoded(tmp_path / "print.tif")
    assert (kind, data[:4]) == ("image/png", b"\x89PNG")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (6, 4), "red").save(tmp_path / "turned.jpg", exif=turned)
    assert encoded(tmp_path / "turned.jpg")[0] == "image/png"
    assert picture(tmp_path / "turned.jpg").size == (4, 6)
    assert base64.b64decode(data_url(red).removeprefix("data:image/png;base64,")) == red.read_bytes()


@pytest.mark.parametrize("harm", ["cut", "text", "empty"])
def test_a_broken_image_is_an_error_that_names_it(harm: str, tmp_path: Path):
    file = tmp_path / "broken.png"
    Image.effect_noise((64, 64), 50).save(file)
    file.write_bytes({"cut": file.read_bytes()[:900], "text": b"no image", "empty": b""}[harm])
    for read in (picture, encoded):
        with pytest.raises(InputError, match=r"broken\.png: not an image that can be read"):
            read(file)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("notes", [b"Exif\0\0no notes at all", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_a_picture_with_broken_notes_of_its_camera_is_whole(notes: bytes, tmp_path: Path):
    file = tmp_path / "photo.jpg"
    Image.new("RGB", (6, 4), "red").save(file, exif=notes)
    assert notes in file.read_bytes()
    assert picture(file).size == (6, 4)
    assert encoded(file)[0] in ("image/jpeg", "image/png")


def test_a_template_of_a_model_that_sees_is_given_parts_and_another_one_text():
    assert takes_parts(PARTS)
    assert not takes_parts(PLAIN_CHATML)
    assert not takes_parts("{{ messages[0].content + '!' }}")
    request = asked("a.png", "b.png")
    own = request_prompt(request, PARTS, foreign=True, instruction="", image_mark="<x>", own_marks=True)
    assert own == "system:Be short.;user:<image><image>What is it?;assistant:"
    marked = request_prompt(request, PARTS, foreign=True, instruction="", image_mark="<x>")
    assert marked == "system:Be short.;user:<x><x>What is it?;assistant:"
    plain = request_prompt(request, None, foreign=True, instruction="", image_mark="<x>", own_marks=True)
    assert "<|im_start|>user\n<x>\n<x>\nWhat is it?<|im_end|>" in plain


def test_a_request_without_images_is_the_same_prompt_as_ever():
    text = Request([Message(role="user", content="What is it?")])
    shown = request_prompt(text, PLAIN_CHATML, foreign=True, instruction="", image_mark="<x>")
    assert shown == "<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\n"


def test_images_without_a_user_message_are_refused():
    request = Request([Message(role="system", content="x")], images=["a.png"])
    with pytest.raises(ModelError, match="asked about in a user message"):
        request_prompt(request, None, foreign=True, instruction="")


def test_an_image_has_no_place_in_a_raw_prompt():
    with pytest.raises(ValueError, match="a raw prompt has no place for images"):
        Request([], raw_prompt="2+2=", images=["a.png"])


def test_an_endpoint_is_sent_data_urls_before_the_text(red: Path):
    endpoint = OpenAIEndpoint("openai:tiny@http://127.0.0.1:1/v1")
    _, body = endpoint._body(asked(red))
    system, user = body["messages"]
    assert system["content"] == "Be short."
    image, text = user["content"]
    assert image == {"type": "image_url", "image_url": {"url": data_url(red)}}
    assert text == {"type": "text", "text": "What is it?"}
    json.dumps(body)


def test_a_broken_image_never_reaches_an_endpoint(tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    endpoint = OpenAIEndpoint("openai:tiny@http://127.0.0.1:1/v1", backoff=0)
    (reply,) = endpoint.generate([asked(tmp_path / "broken.png")])
    assert reply.text == ""
    assert "broken.png: not an image that can be read" in str(reply.problem)


def test_a_script_is_given_the_paths(red: Path, tmp_path: Path):
    (tmp_path / "m.py").write_text("def reply(messages, tools, seed):\n    return str(messages[-1]['images'])\n")
    model = open_model(f"scripted:{tmp_path / 'm.py'}", images=True)
    assert model.generate([asked(red)])[0].text == str([str(red)])


def test_a_backend_that_cannot_see_is_refused_when_it_is_opened(monkeypatch: pytest.MonkeyPatch):
    class Blind:
        ref = "blind"

        def close(self) -> None: ...

    monkeypatch.setattr("lamina.models.llamacpp.open_reference", lambda ref, **options: Blind())
    monkeypatch.setattr(
        "lamina.models.references.BACKENDS",
        [Backend("blind", "", lambda ref: ref == "blind", "lamina.models.llamacpp"), *BACKENDS],
    )
    assert open_model("blind").ref == "blind"
    with pytest.raises(ModelError, match="blind: this kind of model cannot be asked about images"):
        open_model("blind", images=True)


def gguf(path: Path, architecture: str) -> Path:
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_the_vision_part_is_found_beside_the_model_or_named_with_it(tmp_path: Path):
    model = gguf(tmp_path / "m.gguf", "llama")
    with pytest.raises(
        ModelError, match=r"m\.gguf: cannot be asked about images, there is no mmproj\*\.gguf beside it"
    ):
        projector_of(str(model))
    first = gguf(tmp_path / "mmproj-F16.gguf", "clip")
    assert projector_of(str(model)) == first
    second = gguf(tmp_path / "mmproj-Q8_0.gguf", "clip")
    with pytest.raises(ModelError, match="more than one vision part beside it"):
        projector_of(str(model))
    both = f"{model}+{second}"
    assert (model_file(both), projector_of(both)) == (model, second)
    check_reference(both)
    with pytest.raises(ModelReferenceError, match=r"gone\.gguf: there is no such file"):
        check_reference(f"{model}+gone.gguf")
    with pytest.raises(ModelReferenceError, match="not the vision part of a model"):
        check_reference(f"{model}+{model}")


def test_a_vision_part_alone_is_no_model(tmp_path: Path):
    with pytest.raises(ModelReferenceError, match=r"mmproj\.gguf: the vision part of a model; name the model"):
        check_reference(str(gguf(tmp_path / "mmproj.gguf", "clip")))


def test_a_model_opened_without_its_vision_part_refuses_an_image():
    model = object.__new__(LlamaCppModel)
    model.ref, model.sees = "m.gguf", False
    with pytest.raises(ModelError, match="opened without its vision part"):
        model.generate([asked("a.png")])


def test_without_pillow_the_library_to_install_is_named_before_a_model_is_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pillow is not installed; pip install 'lamina\[vision\]'"):
        open_model("scripted:any.py", images=True)
