"""The run folder: created, continued, refused, begun anew."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import lamina
from lamina.errors import ConfigMismatchError, InputError, StorageError
from lamina.runs import Row, Run
from lamina.runs.run import OWN_FILES, OWN_FOLDERS, WORKSPACE

CONFIG = {"tools": "tools.py", "synth": {"rows": 400, "judge": None}, "types": ("F16", "Q8_0")}


def test_the_same_command_again_continues_where_it_was(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", CONFIG) as run:
        run.store.put([Row("trajectory", "a", 0, b"{}")])
        run.finish("tools", {"tools": 12})
        assert not run.is_done("synth")
    with Run.open(tmp_path / "run", CONFIG) as run:
        assert run.is_done("tools")
        assert run.result("tools") == {"tools": 12}
        assert run.result("synth") is None
        assert run.store.count("trajectory") == 1


def test_results_keep_the_order_of_the_stages_and_go_to_report_json(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", CONFIG) as run:
        run.finish("tools", {"n": 1})
        run.finish("synth", {"n": 2})
        run.finish("tools", {"n": 3})
        assert list(run.results().items()) == [("tools", {"n": 3}), ("synth", {"n": 2})]
        report = json.loads(run.write_report_json().read_text())
    assert report == {"tools": {"n": 3}, "synth": {"n": 2}}


def test_another_configuration_is_an_error_that_shows_the_difference(tmp_path: Path) -> None:
    Run.open(tmp_path, CONFIG).close()
    other = {"tools": "tools.py", "synth": {"rows": 500, "judge": "embedded"}, "types": ["F16", "Q8_0"]}
    with pytest.raises(ConfigMismatchError) as error:
        Run.open(tmp_path, other)
    assert str(error.value).splitlines()[1:] == [
        "  synth.judge: (not set) -> 'embedded'",
        "  synth.rows: 400 -> 500",
    ]
    assert str(tmp_path) in str(error.value)
    assert "--fresh" in str(error.value)
    Run.open(tmp_path, CONFIG).close()  # the failed attempt left no lock behind


def test_what_may_change_is_told_and_kept_and_anything_else_is_still_an_error(tmp_path: Path) -> None:
    Run.open(tmp_path, CONFIG).close()
    grown = {**CONFIG, "types": ["F16", "Q8_0", "Q4_0"]}
    with Run.open(tmp_path, grown, may_change=("types",)) as run:
        assert run.changes == ["types: ['F16', 'Q8_0'] -> ['F16', 'Q8_0', 'Q4_0']"]
    with Run.open(tmp_path, grown) as run:
        assert run.changes == []
    with pytest.raises(ConfigMismatchError, match=r"tools: 'tools\.py' -> 'other\.py'"):
        Run.open(tmp_path, {**grown, "tools": "other.py"}, may_change=("types",))


def test_fresh_removes_lamina_own_files_and_no_others(tmp_path: Path) -> None:
    with Run.open(tmp_path, CONFIG) as run:
        run.finish("tools", {})
        for name in (
            "trajectories.jsonl",
            "report.html.tmp",
            "model/model.safetensors",
            "gguf/a.gguf",
            "notes.md",
        ):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        (tmp_path / "mine").mkdir()
    with Run.open(tmp_path, {"tools": "other.py"}, fresh=True) as run:
        assert run.results() == {}
        assert Run.at(tmp_path).config == {"tools": "other.py"}
        names = {p.name for p in tmp_path.iterdir()}
    assert {"notes.md", "mine"} <= names
    assert not names & {"model", "gguf", "report.html.tmp", "trajectories.jsonl"}


WRITES = re.compile(
    r"""(?:\b(?:run|self|there|inner)\.folder|\brun_folder|\bfolder(?= / PAGE)) / ("[^"]+"|[A-Z_]+\b)"""
)


def test_fresh_knows_everything_that_lamina_writes_into_a_run():
    """Every ``….folder / NAME`` in the sources, NAME being a text or a constant of that module."""
    source = Path(lamina.__file__).parent
    written: dict[str, str] = {}
    for file in source.rglob("*.py"):
        names = set(WRITES.findall(file.read_text(encoding="utf-8")))
        if "environments" in file.parts or "tasks" in file.parts or not names:
            continue
        module = importlib.import_module(".".join(["lamina", *file.relative_to(source).with_suffix("").parts]))
        for name in names:
            written[name.strip('"') if name.startswith('"') else str(getattr(module, name))] = file.name
    assert {"deeds.jsonl", "mix", "learning", "rows.html", "hub", "model"} <= set(written)
    known = {*OWN_FILES, *OWN_FOLDERS, WORKSPACE, "config.toml", "lock"}
    assert {Path(name).parts[0]: where for name, where in written.items() if Path(name).parts[0] not in known} == {}


def test_fresh_leaves_what_the_users_functions_wrote_and_removes_the_deeds(tmp_path: Path) -> None:
    Run.open(tmp_path, {}).close()
    (tmp_path / "workspace").mkdir()
    for name in ("workspace/reminders.json", "deeds.jsonl"):
        (tmp_path / name).write_text("x")
    Run.open(tmp_path, {}, fresh=True).close()
    assert (tmp_path / "workspace" / "reminders.json").exists()
    assert not (tmp_path / "deeds.jsonl").exists()


def test_a_fresh_that_is_killed_before_its_configuration_is_written_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run.open(tmp_path, {"n": 1}).close()
    (tmp_path / "notes.md").write_text("mine")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lamina.runs.run.write_config", killed)
        with pytest.raises(KeyboardInterrupt):
            Run.open(tmp_path, {"n": 2}, fresh=True)
    with Run.open(tmp_path, {"n": 2}, fresh=True) as run:
        assert run.config == {"n": 2}
    assert Run.at(tmp_path).config == {"n": 2}


def test_fresh_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    Run.open(tmp_path / "run", {}).close()
    (tmp_path / "run" / "model").symlink_to(tmp_path / "elsewhere")
    Run.open(tmp_path / "run", {}, fresh=True).close()
    assert (tmp_path / "elsewhere" / "precious").exists()
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "config.toml"])
def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path: Path, name: str, fresh: bool) -> None:
    (tmp_path / name).write_text("theirs = true\n")
    with pytest.raises(InputError, match=f"holds other files.*{name}"):
        Run.open(tmp_path, {}, fresh=fresh)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_creation_that_was_killed_before_its_marker_is_taken_up(tmp_path: Path) -> None:
    with Run.open(tmp_path, CONFIG):
        pass
    (tmp_path / "config.toml").unlink()
    (tmp_path / "log.jsonl").unlink()
    with Run.open(tmp_path, CONFIG) as run:
        assert run.results() == {}


def test_an_interrupted_fresh_is_not_taken_for_a_finished_run(tmp_path: Path) -> None:
    with Run.open(tmp_path, CONFIG) as run:
        run.finish("training", {})
    (tmp_path / "records.sqlite").unlink()  # the first file that --fresh removes
    with pytest.raises(StorageError, match=r"records\.sqlite: missing; .*--fresh"):
        Run.open(tmp_path, CONFIG)
    with Run.open(tmp_path, CONFIG, fresh=True) as run:
        assert not run.is_done("training")


def test_a_config_that_was_edited_badly_is_named_with_its_line(tmp_path: Path) -> None:
    Run.open(tmp_path, CONFIG).close()
    with open(tmp_path / "config.toml", "a") as file:
        file.write("rows = = 3\n")
    line = (tmp_path / "config.toml").read_text().count("\n")
    with pytest.raises(InputError, match=rf"config\.toml:{line}: not valid TOML"):
        Run.open(tmp_path, CONFIG)
    Run.open(tmp_path, CONFIG, fresh=True).close()


def test_no_run_there_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a Lamina run.*--out"):
        Run.at(tmp_path)
    with pytest.raises(InputError, match="is not a Lamina run"):
        Run.at(tmp_path / "absent")


def test_a_file_in_the_place_of_the_folder_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out: is a file"):
        Run.open(tmp_path / "out", {})
    with pytest.raises(StorageError, match="choose another folder"):
        Run.open(tmp_path / "out" / "deeper", {})


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with Run.open(tmp_path, CONFIG) as run:
        run.finish("tools", {"n": 1})
        with pytest.raises(StorageError, match="another process is working on this run"):
            Run.open(tmp_path, CONFIG)
        with Run.at(tmp_path) as reader:
            assert reader.result("tools") == {"n": 1}
            with pytest.raises(StorageError, match="another process is working on this run"):
                reader.finish("tools", {"n": 2})
        assert run.result("tools") == {"n": 1}
        outside = f"from lamina.runs import Run\nRun.open({str(tmp_path)!r}, {CONFIG!r})"
        second = subprocess.run([sys.executable, "-c", outside], capture_output=True, text=True, env=_env())
        assert "another process is working on this run" in second.stderr
    with Run.at(tmp_path) as later:
        later.finish("act", {})


def test_the_log_has_a_line_an_event_even_after_a_line_that_was_cut(tmp_path: Path) -> None:
    with Run.open(tmp_path, CONFIG) as run:
        with open(tmp_path / "log.jsonl", "ab") as file:
            file.write(b'{"time": "20')
        run.log("rejected", stage="checks", path=Path("x"), count=3)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in (lines[0], lines[2])] == ["created", "rejected"]
    assert json.loads(lines[2])["count"] == 3


def test_a_full_disk_stops_the_run_with_the_file_named_and_nothing_lost(tmp_path: Path) -> None:
    """A file size limit makes every write past it fail, as a full disk does."""
    script = f"""
        import resource, signal
        from lamina.errors import StorageError
        from lamina.runs import Run, Row
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        run = Run.open({str(tmp_path)!r}, {{}})
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        n = 0
        try:
            while True:
                run.store.put([Row("t", str(n), n, b"x" * 1000)])
                n += 1
        except StorageError as error:
            print(n)
            print(error)
    """
    done = _python(script)
    count, message = done.stdout.splitlines()
    assert "records.sqlite: the disk is full" in message
    with Run.open(tmp_path, {}) as run:
        assert int(count) > 10
        assert [r.position for r in run.store.iterate("t")] == list(range(int(count)))


def test_ctrl_c_while_writing_leaves_a_run_that_continues(tmp_path: Path) -> None:
    script = f"""
        import _thread, signal, threading
        from lamina.runs import Run, Row
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may ignore it
        run = Run.open({str(tmp_path)!r}, {{}})
        n = 0
        threading.Timer(0.15, _thread.interrupt_main).start()
        try:
            with run:
                while True:
                    run.store.put([Row("t", str(n), n, b"x")])
                    n += 1
        except KeyboardInterrupt:
            print(n)
    """
    acknowledged = int(_python(script).stdout)
    with Run.open(tmp_path, {}) as run:
        found = [r.position for r in run.store.iterate("t")]
    assert found[:acknowledged] == list(range(acknowledged))
    assert len(found) - acknowledged in (0, 1)


def _python(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=_env(), timeout=60)


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
