"""Files that are whole or absent: written beside their place, then renamed into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from lamina.errors import StorageError


def storage_error(path: str | Path, error: OSError) -> StorageError:
    """An ``OSError`` as one line that names the file and the mend."""
    import errno

    mends = {
        errno.ENOSPC: "free some space and run the same command again",
        errno.EDQUOT: "free some space and run the same command again",
        errno.EFBIG: "raise the file size limit (ulimit -f) and run the same command again",
        errno.EACCES: "choose a folder you may write to",
        errno.EPERM: "choose a folder you may write to",
        errno.EROFS: "choose a folder you may write to",
        errno.ENOENT: "check the path",
        errno.ENOTDIR: "a part of this path is a file; choose another folder",
    }
    mend = mends.get(error.errno or 0)
    return StorageError(f"{path}: {error.strerror or error}" + (f"; {mend}" if mend else ""))


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Opens ``path`` for writing bytes; the file appears under its name only when the block ends well, and
    until then an older one stays as it is. Raises StorageError."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise


def cache_folder(name: str) -> Path:
    """Where what was fetched under ``name`` is kept."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lamina" / name


def installed_folder(package: str) -> Path | None:
    """Where an installed package lies whose files are read: it is looked up, never imported. None where there is
    none."""
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None
