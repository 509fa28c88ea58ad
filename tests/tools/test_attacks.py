"""One attack a test: whatever a tool does, the caller gets a CallResult with one sentence, and goes on."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamina.tools import read_tools
from lamina.tools.execution import CallResult, Executor, Limits

ATTACKS = '''
import ctypes, os, resource, signal, subprocess, sys, threading, time
from pathlib import Path
from pydantic import BaseModel, field_validator

class Picky(BaseModel):
    n: int
    @field_validator("n")
    @classmethod
    def check(cls, n):
        raise ValueError("odd")

class Unsayable(Exception):
    def __str__(self): raise RuntimeError

MB = 1 << 20
DEEP = []
DEEP.append(DEEP)

def fine() -> int:
    """Work."""
    return 1

def attack(kind: str, path: str = ""):
    """Attack."""
    return globals()["_" + kind](path)

def picky(p: Picky):
    """Refuse."""

def _raises(_): raise KeyError("x")
def _raises_without_words(_): raise Unsayable
def _raises_a_megabyte(_): raise ValueError("x" * MB)
def _raises_half_a_character(_): raise ValueError("\\ud800")
def _interrupts(_): raise KeyboardInterrupt
def _raises_base(_): raise BaseException("b")
def _recurses(_): return _recurses(_)
def _sleeps(_): time.sleep(60)
def _sleeps_deaf(_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try: time.sleep(60)
        except BaseException: pass
def _stops(_): os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)
def _spins(_):
    while True: pass
def _allocates(_): return len(bytearray(400 * MB)) + len(bytearray(400 * MB))
def _allocates_bit_by_bit(_):
    kept = []
    while True: kept.append(bytearray(MB))
def _writes_a_large_file(path): Path("f").write_bytes(b"x" * 3 * MB)
def _opens_files(_): return [open(os.devnull) for _ in range(1000)]
def _exits(_): sys.exit(3)
def _exits_at_length(_): sys.exit("x" * MB)
def _exits_hard(_): os._exit(3)
def _exits_hard_with_0(_): os._exit(0)
def _crashes(_): ctypes.string_at(0)
def _kills_itself(_): os.kill(os.getpid(), signal.SIGKILL)
def _kills_the_supervisor(_):
    os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)
def _stops_the_supervisor(_):
    os.kill(os.getppid(), signal.SIGSTOP); return 1
def _prints(_):
    print("y" * 2 * MB); sys.stderr.write("z" * MB); return 1
def _prints_without_end(_):
    while True: os.write(1, b"y" * 65536)
def _closes_everything(_):
    os.closerange(0, 256); return 1
def _returns_a_megabyte(_): return "ü" * MB
def _returns_nan(_): return {"x": [float("nan")]}
def _returns_infinity(_): return float("inf")
def _returns_an_object(_): return {"x": object()}
def _returns_itself(_): return DEEP
def _returns_without_end(_):
    def forever():
        while True: yield 1
    return forever()
def _returns_half_a_character(_): return "\\ud800"
def _returns_a_long_number(_): return 10 ** 5000
def _returns_deep(_):
    value = []
    for _ in range(100_000): value = [value]
    return value
def _writes_to_every_descriptor(_):
    for number in range(3, 64):
        try: os.write(number, b"\\0\\0\\0\\2xx" * 10)
        except OSError: pass
    return 1
def _floods_every_descriptor(_):
    for number in range(3, 64):
        try: [os.write(number, b"\\x7f" * 65536) for _ in range(100)]
        except OSError: pass
    return 1
def _leaves_a_thread(_):
    threading.Thread(target=time.sleep, args=(60,)).start(); return 1
def _changes_environment(_):
    os.environ.clear(); os.chdir("/"); sys.modules.clear(); return 1
def _leaves_a_child(path):
    child = subprocess.Popen(["sleep", "60"])
    Path(path).write_text(str(child.pid)); return 1
def _becomes_a_daemon(path):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            Path(path).write_text(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    while not (os.path.exists(path) and os.path.getsize(path)): time.sleep(0.01)
    return 1
def _sleeps_as_a_daemon(path):
    _becomes_a_daemon(path); time.sleep(60)
def _forks_many(path):
    for _ in range(30):
        if os.fork() == 0: time.sleep(60); os._exit(0)
    time.sleep(60)
def _forks_in_chains(path):
    deadline = time.monotonic() + 3  # a bomb that would go out by itself, should the test fail
    for _ in range(200):
        if os.fork() == 0:
            os.setsid()
            while time.monotonic() < deadline: time.sleep(0.002)
            os._exit(0)
        time.sleep(0.002)
def _leaves_a_mess(_):
    here = os.getcwd()
    for _ in range(1200):
        os.mkdir("d"); os.chdir("d")
    os.chdir(here)
    os.mkdir("locked"); Path("locked/f").write_text(""); os.chmod("locked", 0)
    return 1
def _swaps_its_folder(path):
    here = os.getcwd()
    os.rename(here, here + "x"); os.symlink(path, here)
    return 1
'''


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attacks") / "hostile.py"
    path.write_text(textwrap.dedent(ATTACKS))
    return path


@pytest.fixture(scope="module")
def executor(hostile: Path) -> Iterator[Executor]:
    """Patient: on a busy machine, too, a call meets the limit that its test is about, not the clock."""
    limits = Limits(wall_seconds=60, cpu_seconds=60, memory_mb=128, file_mb=1, output_bytes=10_000, processes=8)
    with Executor(read_tools(hostile), limits=limits, workers=1) as made:
        yield made
        assert made.run("fine", {}).value == 1, "the executor did not outlive the attacks"


@pytest.fixture(scope="module")
def hurried(hostile: Path) -> Iterator[Executor]:
    limits = Limits(wall_seconds=1.5, memory_mb=128, output_bytes=10_000, processes=8)
    with Executor(read_tools(hostile), limits=limits, workers=1) as made:
        yield made


def attack(executor: Executor, kind: str, path: Path | None = None) -> CallResult:
    return executor.run("attack", {"kind": kind, "path": str(path or "")})


def gone(pid: int) -> bool:
    stat = Path("/proc", str(pid), "stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("raises", "raised", "attack raised KeyError: 'x'"),
        ("raises_without_words", "raised", "Unsayable"),
        ("raises_a_megabyte", "raised", "xxx…"),
        ("raises_half_a_character", "raised", "ValueError: ?"),
        ("interrupts", "raised", "KeyboardInterrupt"),
        ("raises_base", "raised", "BaseException: b"),
        ("recurses", "raised", "RecursionError"),
        ("allocates", "killed", "ran out of the 128 MB of memory"),
        ("allocates_bit_by_bit", "killed", "ran out of the 128 MB of memory"),
        ("writes_a_large_file", "raised", "File too large"),
        ("opens_files", "raised", "Too many open files"),
        ("exits", "exited", "sys.exit(3)"),
        ("exits_at_length", "exited", "sys.exit('xxx"),
        ("exits_hard", "exited", "ended its process with status 3"),
        ("exits_hard_with_0", "exited", "ended its process with status 0"),
        ("crashes", "killed", "was ended by SIGSEGV"),
        ("kills_itself", "killed", "was ended by SIGKILL"),
        ("kills_the_supervisor", "killed", "took the supervisor down"),
        ("closes_everything", "exited", "ended its process"),
        ("returns_nan", "unserialisable", "attack returned a dict that has no JSON form"),
        ("returns_infinity", "unserialisable", "float"),
        ("returns_an_object", "unserialisable", "object of type object"),
        ("returns_itself", "unserialisable", "list"),
        ("returns_without_end", "killed", "ran out of"),
        ("returns_half_a_character", "unserialisable", "str"),
        ("returns_a_long_number", "unserialisable", "int"),
        ("returns_deep", "unserialisable", "list"),
        ("forks_many", "killed", "started more than 8 processes"),
        ("forks_in_chains", "killed", "started more than 8 processes"),
    ],
)
def test_an_attack_is_a_result_with_one_sentence(executor: Executor, kind: str, status: str, words: str) -> None:
    result = attack(executor, kind)
    assert (result.status, result.value) == (status, None), result.error
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")
    assert len(result.error or "") < 700
    assert executor.run("fine", {}).value == 1


@pytest.mark.parametrize("kind", ["sleeps", "sleeps_deaf", "stops", "spins", "prints_without_end"])
def test_a_call_that_does_not_end_is_ended(hurried: Executor, kind: str) -> None:
    result = attack(hurried, kind)
    assert (result.status, result.value) == ("timed_out", None), result.error
    assert "attack was still running after 1.5 s" in (result.error or "")


@pytest.mark.parametrize("kind", ["leaves_a_thread", "changes_environment", "leaves_a_mess"])
def test_what_a_call_leaves_behind_does_not_reach_the_next(executor: Executor, kind: str) -> None:
    assert attack(executor, kind).value == 1
    assert executor.run("fine", {}).value == 1
    deadline = time.monotonic() + 5
    base = Path(executor._servers[0]._base)
    while list(base.glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(base.glob("*/*")) == []
    assert len(list(base.iterdir())) <= 1  # an empty folder for the next call


def test_printing_a_megabyte_is_cut_and_does_not_block(executor: Executor) -> None:
    result = attack(executor, "prints")
    assert result.value == 1
    assert len(result.printed) == 10_000


def test_returning_a_megabyte_is_cut_between_characters(executor: Executor) -> None:
    result = attack(executor, "returns_a_megabyte")
    assert (result.status, result.truncated, result.value) == ("ok", True, None)
    assert 9_990 < len(result.text.encode()) <= 10_000
    assert set(result.text) == {'"', "ü"}


@pytest.mark.parametrize("kind", ["writes_to_every_descriptor", "floods_every_descriptor"])
def test_writing_into_the_result_channel_breaks_only_that_call(hurried: Executor, kind: str) -> None:
    assert attack(hurried, kind).status in ("killed", "timed_out")
    assert hurried.run("fine", {}).value == 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [("leaves_a_child", "ok"), ("becomes_a_daemon", "ok"), ("sleeps_as_a_daemon", "timed_out")],
)
def test_no_process_of_a_call_is_left_after_it(hurried: Executor, tmp_path: Path, kind: str, status: str) -> None:
    result = attack(hurried, kind, tmp_path / "pid")
    assert result.status == status
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_stopped_supervisor_is_replaced(hurried: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.tools.execution.supervised.GRACE_SECONDS", 0.2)
    result = attack(hurried, "stops_the_supervisor")
    assert (result.status, result.error) == ("killed", "attack left the supervisor without an answer")


def test_a_link_in_place_of_the_folder_is_not_followed(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    assert attack(executor, "swaps_its_folder", tmp_path).value == 1
    assert (tmp_path / "precious").exists()


def test_a_validator_of_the_users_own_may_refuse(executor: Executor) -> None:
    result = executor.run("picky", {"p": {"n": 1}})
    assert result.status == "invalid"
    assert "odd" in (result.error or "")


def test_results_before_a_hang_are_kept_and_each_call_has_its_own_time(hurried: Executor) -> None:
    results = hurried.run_sequence([("fine", {}), ("attack", {"kind": "sleeps"}), ("fine", {})])
    assert [r.status for r in results] == ["ok", "timed_out"]
    assert results[1].error == "attack was still running after 1.5 s"
