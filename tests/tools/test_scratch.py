"""A call's folder is given to the next only as if it were new."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.tools.execution.scratch import ScratchFolders


def as_it_was(folder: Path) -> None:
    (folder / "note").write_text("a")
    (folder / "note").unlink()


def leaves_a_file(folder: Path) -> None:
    (folder / "note").write_text("a")


def opens_it_to_all(folder: Path) -> None:
    folder.chmod(0o777)


def locks_it(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "note").write_text("a")
    (folder / "deep").chmod(0)
    folder.chmod(0)


def removes_it(folder: Path) -> None:
    folder.rmdir()


def puts_another_in_its_place(folder: Path) -> None:
    folder.rename(folder.with_name("kept"))  # so that the inode is not used again
    folder.mkdir(0o700)


def puts_a_link_in_its_place(folder: Path) -> None:
    folder.rename(folder.with_name("kept"))
    folder.symlink_to(folder.with_name("kept"))


def puts_a_file_in_its_place(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("a")


def test_a_folder_that_was_left_as_it_was_is_lent_again(tmp_path: Path) -> None:
    folders = ScratchFolders(str(tmp_path))
    first = folders.take()
    as_it_was(Path(first))
    folders.give_back(first)
    assert folders.take() == first


@pytest.mark.parametrize(
    "change",
    [
        leaves_a_file,
        opens_it_to_all,
        locks_it,
        removes_it,
        puts_another_in_its_place,
        puts_a_link_in_its_place,
        puts_a_file_in_its_place,
    ],
)
def test_a_folder_that_was_changed_is_not_lent_again(tmp_path: Path, change: Callable[[Path], None]) -> None:
    folders = ScratchFolders(str(tmp_path))
    first = folders.take()
    change(Path(first))
    folders.give_back(first)
    second = Path(folders.take())
    assert str(second) != first
    assert second.stat().st_mode & 0o777 == 0o700
    assert list(second.iterdir()) == []
    assert not os.path.lexists(first)


def test_two_takers_have_two_folders(tmp_path: Path) -> None:
    folders = ScratchFolders(str(tmp_path))
    first, second = folders.take(), folders.take()
    assert first != second
    folders.give_back(second)
    folders.give_back(first)
    assert len(list(tmp_path.iterdir())) == 1
