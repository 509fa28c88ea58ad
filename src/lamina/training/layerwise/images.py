"""Image data sets for the experiments, of rising difficulty, each from files that are there: nothing is fetched."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray


SHAPES = {"circle", "rectangle", "triangle"}
"""Of easy-VQA."""


@dataclass(frozen=True)
class Images:
    """``x``: (N, channels, size, size), float32, mean 0 and deviation 1 over the training images. ``y``: (N,) class
    numbers, or (N, classes) of 0 and 1 where an image has several labels (``several``)."""

    name: str
    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    classes: int
    several: bool = False


@dataclass(frozen=True)
class Source:
    """``folder``: where its files lie within the data folder, empty where it installs with a library."""

    about: str
    folder: str
    read: Callable[[Path], Images]


def read_images(name: str, folder: Path | None) -> Images:
    """The data set of that name, from ``folder`` (the data folder of all sets). Raises InputError where it is not
    there or no such set is known, MissingExtraError."""
    source = SOURCES.get(name)
    if source is None:
        raise InputError(f"no data set {name!r}", mend=f"it is one of {', '.join(SOURCES)}")
    if not source.folder:
        return source.read(Path())
    if folder is None:
        raise InputError(f"data set {name} needs its files", mend="say with --data where the folder of data sets is")
    where = folder / source.folder
    if not where.is_dir():
        raise InputError(f"no folder {source.folder} for data set {name}", file=folder, mend="--data names its parent")
    try:
        return source.read(where)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"data set {name} cannot be read: {error}", file=where) from error


def _digits(folder: Path) -> Images:
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("scikit-learn", "vision") from None
    found = load_digits()
    return _split("digits", found.images[:, None] / 16.0, found.target, 10)


def _mnist(folder: Path) -> Images:
    import numpy as np

    with np.load(folder / "mnist.npz", allow_pickle=False) as found:
        images, labels = _named(found, ("images", "x", "x_train")), _named(found, ("labels", "y", "y_train"))
    return _split("mnist-10k", images.reshape(-1, 1, 28, 28) / 255.0, labels.astype(np.int64), 10)


def _named(found: Any, names: Iterable[str]) -> Any:
    for name in names:
        if name in found:
            return found[name]
    raise KeyError(f"has {', '.join(found)}, none of {', '.join(names)}")


def _omniglot(folder: Path) -> Images:
    """Few-shot, many-class: 20 drawings of each character, 15 to learn from."""
    import numpy as np

    images: list[Any] = []
    labels: list[int] = []
    names: dict[str, int] = {}
    with zipfile.ZipFile(folder / "images_background_small1.zip") as file:
        for path in sorted(n for n in file.namelist() if n.endswith(".png") and "__MACOSX" not in n):
            character = path.rsplit("/", 1)[0]
            images.append(1.0 - _picture(file.read(path), "L", 28, path))
            labels.append(names.setdefault(character, len(names)))
    return _split("omniglot-small", np.stack(images), np.array(labels), len(names), test_share=0.25)


def _easy_vqa(folder: Path) -> Images:
    """Shape and colour together as one class, as the questions' answers give them."""
    kinds: dict[tuple[str, str], int] = {}
    train, test = (_easy_vqa_part(folder, part, kinds) for part in ("train", "test"))
    return _normalised("easy-vqa", *train, *test, len(kinds))


def _easy_vqa_part(folder: Path, part: str, kinds: dict[tuple[str, str], int]) -> tuple[Any, Any]:
    import numpy as np

    facts: dict[int, dict[str, str]] = {}
    colours = set((folder / "answers.txt").read_text().split()) - SHAPES - {"yes", "no"}
    for question, answer, image in json.loads((folder / f"{part}_questions.json").read_text()):
        if question.startswith("what "):  # "what color is the circle?", "red" tells both
            for word in (*question.rstrip("?").split(), answer):
                about = "shape" if word in SHAPES else "color" if word in colours else None
                if about:
                    facts.setdefault(image, {})[about] = word
    both = {i: (f["shape"], f["color"]) for i, f in sorted(facts.items()) if len(f) == 2}
    for kind in sorted(set(both.values())):
        kinds.setdefault(kind, len(kinds))
    images, labels = [], []
    with zipfile.ZipFile(folder / f"{part}_images.zip") as file:
        paths = {Path(n).stem: n for n in file.namelist() if n.endswith(".png")}
        for image, kind in both.items():
            if str(image) in paths:
                images.append(_picture(file.read(paths[str(image)]), "RGB", 32, paths[str(image)]))
                labels.append(kinds[kind])
    return np.stack(images), np.array(labels)


def _cifar(classes: int) -> Callable[[Path], Images]:
    """The binary version (``data_batch_1.bin`` … or ``train.bin``): the Python version is a pickle, which can run
    code. A record is its labels (one byte, for CIFAR-100 coarse and fine) and 3072 bytes of image."""

    def read(folder: Path) -> Images:
        import numpy as np

        labels = 1 if classes == 10 else 2
        training = sorted(folder.glob("data_batch_*.bin")) if classes == 10 else [folder / "train.bin"]
        held = folder / ("test_batch.bin" if classes == 10 else "test.bin")

        if not training:
            raise ValueError("no data_batch_1.bin")

        def records(files: list[Path]) -> tuple[Any, Any]:
            raw = np.concatenate([np.fromfile(file, np.uint8) for file in files]).reshape(-1, labels + 3072)
            return raw[:, labels:].reshape(-1, 3, 32, 32) / 255.0, raw[:, labels - 1].astype(np.int64)

        return _normalised(f"cifar{classes}", *records(training), *records([held]), classes)

    return read


def _coco(folder: Path) -> Images:
    """Which of the 80 categories an image holds (``annotations/instances_val2017.json``, ``val2017/*.jpg``), at
    64x64; every fifth image is held out. ``train2017`` is taken beside it where it is there."""
    import numpy as np

    images: list[Any] = []
    labels: list[Any] = []
    held: list[bool] = []
    names: dict[int, int] = {}
    parts = [p for p in ("train2017", "val2017") if (folder / "annotations" / f"instances_{p}.json").is_file()]
    if not parts:
        raise ValueError("no annotations/instances_val2017.json")
    for part in parts:
        notes = json.loads((folder / "annotations" / f"instances_{part}.json").read_text())
        for category in notes["categories"]:
            names.setdefault(category["id"], len(names))
        holds: dict[int, set[int]] = {}
        for note in notes["annotations"]:
            holds.setdefault(note["image_id"], set()).add(names[note["category_id"]])
        for i, image in enumerate(notes["images"]):
            file = folder / part / image["file_name"]
            images.append(_picture(file.read_bytes(), "RGB", 64, file.name))
            labels.append([float(k in holds.get(image["id"], ())) for k in range(len(names))])
            held.append(part == "val2017" if len(parts) == 2 else i % 5 == 4)
    x, y, out = np.stack(images), np.array(labels, np.float32), np.array(held)
    return _normalised("coco", x[~out], y[~out], x[out], y[out], len(names), several=True)


def _picture(data: bytes, mode: str, size: int, name: str) -> Any:
    """(channels, size, size), 0 to 1. Raises ValueError, with the file's ``name``, for what is no image."""
    import numpy as np

    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "vision") from None
    try:
        with Image.open(io.BytesIO(data)) as picture:
            found = np.asarray(picture.convert(mode).resize((size, size), Image.Resampling.BOX), np.float32) / 255
    except OSError as error:
        raise ValueError(f"{name} is no image that can be read ({type(error).__name__})") from error
    return found[None] if found.ndim == 2 else found.transpose(2, 0, 1)


def _split(name: str, x: Any, y: Any, classes: int, test_share: float = 0.2) -> Images:
    """The same share of each class is held out, the same images every time."""
    import numpy as np

    chance = np.random.default_rng(0)
    held = np.zeros(len(y), bool)
    for kind in range(classes):
        of_kind = np.flatnonzero(y == kind)
        held[chance.permutation(of_kind)[: round(test_share * len(of_kind))]] = True
    return _normalised(name, x[~held], y[~held], x[held], y[held], classes)


def _normalised(name: str, x: Any, y: Any, x_test: Any, y_test: Any, classes: int, *, several: bool = False) -> Images:
    import numpy as np

    mean, deviation = float(np.mean(x)), float(np.std(x)) or 1.0
    scaled = ((part - mean) / deviation for part in (x, x_test))
    x, x_test = (np.ascontiguousarray(part, np.float32) for part in scaled)
    return Images(name, x, y, x_test, y_test, classes, several)


def rows_of(images: Images, fraction: float, seed: int) -> Any:
    """The numbers of a fraction of the training images, the same share of each class and at least one of each: the
    other axis of difficulty."""
    import numpy as np

    n = len(images.x_train)
    if fraction >= 1:
        return np.arange(n)
    chance = np.random.default_rng(seed)
    if images.several:
        return np.sort(chance.permutation(n)[: max(1, round(fraction * n))])
    kinds = (np.flatnonzero(images.y_train == kind) for kind in range(images.classes))
    return np.sort(np.concatenate([chance.permutation(k)[: max(1, round(fraction * len(k)))] for k in kinds]))


SOURCES: dict[str, Source] = {
    "digits": Source("scikit-learn's 8x8 digits, 10 classes", "", _digits),
    "mnist-10k": Source("MNIST digits, 28x28, 10 classes", "mnist-10k", _mnist),
    "omniglot-small": Source("handwritten characters, 28x28, 15 of each to learn from", "omniglot-small", _omniglot),
    "easy-vqa": Source("a shape and its colour, 32x32", "easy-vqa", _easy_vqa),
    "cifar10": Source("CIFAR-10, binary version", "cifar-10-batches-bin", _cifar(10)),
    "cifar100": Source("CIFAR-100, binary version", "cifar-100-binary", _cifar(100)),
    "coco": Source("COCO 2017, which categories an image holds", "coco", _coco),
}
"""In order of difficulty."""
