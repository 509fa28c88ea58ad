"""A run: a folder in which one piece of work happens, can be killed at any moment, and continues.

config.toml          effective configuration; written last when a run is created, so it marks a run
records.sqlite       rows and stage results, the record of truth
trajectories.jsonl, rejects.jsonl, model/, gguf/, report.html, report.json     made from it
log.jsonl            what happened when
lock                 held by the one process that writes
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lamina.errors import ConfigMismatchError, InputError, StorageError
from lamina.runs.config import HEADER, Config, config_difference, plain_config, read_config, write_config
from lamina.runs.files import atomic_file, storage_error
from lamina.runs.lock import FolderLock
from lamina.runs.records import RecordStore, Row
from lamina.runs.secrets_in_addresses import refuse_secrets_in

STORE = "records.sqlite"
OWN_FILES = (
    # The order in which --fresh removes: the records first, so that an interrupted --fresh can't be taken
    # for a finished run. config.toml is not removed but replaced, so that the folder stays recognisable.
    STORE, f"{STORE}-wal", f"{STORE}-shm", "trajectories.jsonl", "rejects.jsonl", "report.html",
    "report.json", "samples.jsonl", "samples.parquet", "samples.html", "rows.html", "log.jsonl", "rollouts.jsonl",
    "asked.jsonl", "deeds.jsonl", "principles.toml", "sharded-job.json", "sharded-error.txt", "config.toml.tmp",
    "wrong-answers.jsonl",
)  # fmt: skip
OWN_FOLDERS = ("model", "gguf", "work", "principles", "hub", "mix", "learning", "packed")
"""Wholly Lamina's: ``work`` is for what a stage needs only while it runs (checkpoints, scratch)."""
WORKSPACE = "workspace"
"""Where the calls of ``lamina act`` work. What the user's functions wrote there is theirs: --fresh leaves it."""
_BEFORE_CONFIG = {"lock", "config.toml.tmp", STORE, f"{STORE}-wal", f"{STORE}-shm", f"{STORE}-journal"}


class Run:
    """Open with ``Run.open`` (to work) or ``Run.at`` (to read); close it, or use it as a context manager."""

    def __init__(self, folder: Path, config: Config, store: RecordStore, lock: FolderLock):
        self.folder = folder
        self.config = config
        self.store = store
        self._lock = lock
        self.changes: list[str] = []
        """What ``open`` found changed in the configuration since the run was last open, a line a key."""

    @classmethod
    def open(
        cls, folder: str | Path, config: Mapping[str, Any], *, fresh: bool = False, may_change: Collection[str] = ()
    ) -> Run:
        """Creates the run, or continues the one that is there.

        ``fresh`` first removes Lamina's own files in the folder, and no other. ``may_change``: keys that may differ
        from those the run has; it goes on with the new ones, and ``changes`` says what they were. Raises
        ConfigMismatchError with one line a differing key that is not among them, InputError where the folder holds
        something that is no run, and StorageError where another process has the run open or the disk refuses."""
        folder = Path(folder)
        wanted = plain_config(dict(config))
        refuse_secrets_in(wanted)  # ModelReferenceError
        try:
            folder.mkdir(parents=True, exist_ok=True)
            there = is_run(folder)
            if not there:
                _refuse_foreign(folder)
        except FileExistsError as error:
            raise InputError("is a file", file=folder, mend="choose a folder for the run") from error
        except OSError as error:
            raise storage_error(folder, error) from error
        lock = FolderLock(folder)
        lock.take()
        try:
            if there and fresh:
                _remove_own(folder)
                there = False
            changes: list[str] = []
            if there:
                changes = _changes(folder, wanted, may_change)
                _check_store(folder)
            store = RecordStore(folder / STORE, before_write=lock.take)
            if not there or changes:
                write_config(folder / "config.toml", wanted)
        except BaseException:
            lock.release()
            raise
        run = cls(folder, wanted, store, lock)
        run.changes = changes
        run.log("continued" if there else "created", **({"changes": changes} if changes else {}))
        return run

    @classmethod
    def at(cls, folder: str | Path) -> Run:
        """The run that is there, whatever its configuration. Reading needs no lock, so a run can be looked
        at while it works; the first write takes it. Raises InputError if the folder is no run."""
        folder = Path(folder)
        if not is_run(folder):
            mend = "give the folder that was --out of lamina build"
            raise InputError("is not a Lamina run (it has no config.toml of one)", file=folder, mend=mend)
        config = read_config(folder / "config.toml")
        _check_store(folder)
        lock = FolderLock(folder)
        return cls(folder, config, RecordStore(folder / STORE, before_write=lock.take), lock)

    def hold(self) -> None:
        """Takes the lock now, not with the first write: before work that must not be done and then not recorded.
        Raises StorageError while another process has it."""
        self._lock.take()

    def log(self, event: str, **fields: Any) -> None:
        """Appends ``{"time", "event", …}`` to log.jsonl, on disk (kernel) when this returns."""
        self._lock.take()
        line = _json({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields})
        path = self.folder / "log.jsonl"
        try:
            with open(path, "ab+", buffering=0) as file:
                if file.tell() and not _ends_with_newline(path):
                    line = b"\n" + line  # the line before was cut off; keep this one readable
                if file.write(line + b"\n") != len(line) + 1:
                    raise StorageError(f"{path}: the disk is full; free some space and run the same again")
        except OSError as error:
            raise storage_error(path, error) from error

    def is_done(self, stage: str) -> bool:
        return self.store.get("stage", stage) is not None

    def finish(self, stage: str, result: Mapping[str, Any]) -> None:
        """Marks the stage as done, with its result (JSON), in one transaction; again replaces it."""
        known = self.store.get("stage", stage)
        position = known.position if known else self.store.count("stage")
        self.store.replace(Row("stage", stage, position, _json(result)))
        self.log("finished", stage=stage)

    def result(self, stage: str) -> dict[str, Any] | None:
        """What ``finish`` was given, or None while the stage is not done."""
        row = self.store.get("stage", stage)
        return _from_json(row.payload) if row else None

    def results(self) -> dict[str, dict[str, Any]]:
        """All stage results, in the order in which the stages were first finished."""
        return {row.id: _from_json(row.payload) for row in self.store.iterate("stage")}

    def write_report_json(self) -> Path:
        """``report.json``: ``{stage: result}``."""
        self._lock.take()
        path = self.folder / "report.json"
        with atomic_file(path) as file:
            file.write(_json(self.results(), indent=True) + b"\n")
        return path

    def close(self) -> None:
        """Closing twice is fine."""
        try:
            self.store.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def is_run(folder: Path) -> bool:
    """Whether ``config.toml`` there was written by Lamina."""
    try:
        with open(folder / "config.toml", "rb") as file:
            return file.read(len(HEADER)).decode(errors="replace") == HEADER
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _refuse_foreign(folder: Path) -> None:
    """A folder that is empty, or holds only what a killed creation leaves, may become a run."""
    foreign = sorted({entry.name for entry in folder.iterdir()} - _BEFORE_CONFIG)
    if foreign:
        what = f"holds other files ({', '.join(foreign[:3])}{', …' if len(foreign) > 3 else ''}) and is no run"
        raise InputError(what, file=folder, mend="choose an empty or a new folder")


def _changes(folder: Path, wanted: Config, may_change: Collection[str]) -> list[str]:
    """Of the keys that may change, those that did. Raises ConfigMismatchError for any other that did."""
    there = read_config(folder / "config.toml")
    fixed, free = ([{k: v for k, v in c.items() if (k in may_change) is of} for c in (there, wanted)]
                   for of in (False, True))  # fmt: skip
    difference = config_difference(*fixed)
    if difference:
        lines = "".join(f"\n  {line}" for line in difference)
        mend = "give the same one, another --out, or --fresh"
        raise ConfigMismatchError(f"{folder}: this run has another configuration; {mend}:{lines}")
    return config_difference(*free)


def _check_store(folder: Path) -> None:
    if not (folder / STORE).exists():
        raise StorageError(f"{folder / STORE}: missing; restore it, or start anew with --fresh")


def _remove_own(folder: Path) -> None:
    import shutil

    try:
        for name in OWN_FILES:
            (folder / name).unlink(missing_ok=True)
            (folder / f"{name}.tmp").unlink(missing_ok=True)  # what a kill left of an export
        for name in OWN_FOLDERS:
            path = folder / name
            if path.is_symlink():
                path.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
    except OSError as error:
        raise storage_error(error.filename or folder, error) from error


def _ends_with_newline(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _json(value: Any, *, indent: bool = False) -> bytes:
    import orjson

    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(value, default=_json_default, option=options)


def _json_default(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _from_json(payload: bytes) -> dict[str, Any]:
    import orjson

    found: dict[str, Any] = orjson.loads(payload)
    return found
