"""Images that are asked about: found, checked and decoded in one place, so that every backend sees the same pixels.

An image is named by its path, which may lead into a zip file (``images.zip/12.png``): data sets come packed."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.errors import InputError, MissingExtraError

AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg"}
"""Formats that every engine decodes; an image in another one, or in other colours than grey and RGB, is sent as PNG."""
_ORIENTATION = 0x0112
"""The EXIF tag by which a camera says how the picture is turned."""
_UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""What brings a picture of each orientation upright, in Pillow's numbers (``Image.Transpose``), as Pillow's own
``exif_transpose`` does, which writes the notes anew as well and fails on broken ones."""


def read_image(path: str | Path) -> bytes:
    """The bytes of an image file, or of one inside a zip file. Raises InputError where there is none."""
    path = Path(path)
    holder = _holder(path)
    try:
        if holder == path:
            return path.read_bytes()
        stat = holder.stat()
        return _opened(holder, stat.st_mtime_ns, stat.st_size).read(path.relative_to(holder).as_posix())
    except KeyError:
        raise InputError("there is no such image in the zip file", file=path, mend="check the file of images") from None
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:  # RuntimeError: encrypted
        raise InputError(f"cannot be read ({error})", file=path, mend="fetch it again") from None


def picture(path: str | Path) -> Any:
    """The image as Pillow has it, in RGB and turned as its camera says. Raises InputError for what is no image that
    can be read to its end, MissingExtraError without Pillow."""
    return _turned(_decoded(path)).convert("RGB")


def data_url(path: str | Path) -> str:
    """``data:image/png;base64,…``. Raises as ``picture``."""
    kind, data = encoded(path)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def encoded(path: str | Path) -> tuple[str, bytes]:
    """The media type, and the bytes as they lie there where every engine reads them so, else made PNG. Raises as
    ``picture``."""
    found = _decoded(path)
    if found.format in AS_THEY_ARE and found.mode in ("RGB", "L") and _orientation(found) == 1:
        return AS_THEY_ARE[found.format], read_image(path)
    packed = io.BytesIO()
    _turned(found).convert("RGB").save(packed, "PNG")
    return AS_THEY_ARE["PNG"], packed.getvalue()


def digest(path: str | Path) -> str:
    """Sixteen hexadecimal digits of an image's bytes; another word where they cannot be read, which is said when the
    image is asked about."""
    try:
        stat = _holder(Path(path)).stat()
        return _digest(str(path), stat.st_mtime_ns, stat.st_size)
    except (InputError, OSError):
        return "unreadable"


@lru_cache(maxsize=1 << 17)
def _digest(path: str, _changed: int, _size: int) -> str:
    """Remembered, because many questions are about one image."""
    return hashlib.sha256(read_image(path)).hexdigest()[:16]


def _holder(path: Path) -> Path:
    """The image's own file, or the archive that it lies in. Raises InputError where there is neither."""
    found = next((p for p in (path, *path.parents) if p.is_file()), None)
    if found is None:
        raise InputError("there is no such image", file=path, mend="check the folder of images")
    return found


def require_pillow() -> None:
    """Raises MissingExtraError without Pillow, which decodes every image."""
    if importlib.util.find_spec("PIL") is None:
        raise MissingExtraError("pillow", "vision")


def _decoded(path: str | Path) -> Any:
    require_pillow()
    from PIL import Image

    data = read_image(path)
    try:
        found = Image.open(io.BytesIO(data))
        found.load()
    except MemoryError:
        raise
    except Exception as error:  # of a broken file a decoder raises whatever it runs into
        said = "an unknown format" if "cannot identify" in str(error) else " ".join(str(error).split())
        raise InputError(f"not an image that can be read ({said})", file=path, mend="replace the file") from None
    return found


def _orientation(found: Any) -> int:
    """1 to 8; 1, as it lies, where the camera's notes say nothing or cannot be read: the picture itself is whole."""
    try:
        said = found.getexif().get(_ORIENTATION, 1)
    except Exception:  # whatever the reader of the notes runs into
        return 1
    return said if said in _UPRIGHT else 1


def _turned(found: Any) -> Any:
    return found if (said := _orientation(found)) == 1 else found.transpose(_UPRIGHT[said])


@lru_cache(maxsize=4)
def _opened(archive: Path, _changed: int, _size: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)
