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
    turned = found.getexif().get(_ORIENTATION, 1) != 1
    if found.format in AS_THEY_ARE and found.mode in ("RGB", "L") and not turned:
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
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        said = "an unknown format" if "cannot identify" in str(error) else str(error)
        raise InputError(f"not an image that can be read ({said})", file=path, mend="replace the file") from None
    return found


def _turned(found: Any) -> Any:
    from PIL import ImageOps

    return ImageOps.exif_transpose(found)


@lru_cache(maxsize=4)
def _opened(archive: Path, _changed: int, _size: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)
