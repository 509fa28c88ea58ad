"""The record store: exactly once, in order, never silently wrong."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from lamina.errors import StorageError
from lamina.runs import RecordStore, Row, salvage


def row(n: int, kind: str = "trajectory", payload: bytes = b"{}") -> Row:
    return Row(kind, f"id{n:05}", n, payload)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.sqlite"


def test_rows_come_back_ordered_by_position_then_id(path: Path) -> None:
    with RecordStore(path) as store:
        rows = [
            Row("t", "b", 1, b"3"),
            Row("t", "z", 0, b"1"),
            Row("t", "a", 1, b"2"),
            Row("u", "a", 0, b"x"),
        ]
        store.put(rows)
        assert [r.payload for r in store.iterate("t")] == [b"1", b"2", b"3"]
        assert store.kinds() == ["t", "u"]


def test_the_same_work_done_twice_stores_one_row(path: Path) -> None:
    with RecordStore(path) as store:
        assert store.put([row(1, payload=b"first")]) == 1
        assert store.put([row(1, payload=b"second"), row(2)]) == 1
        assert store.count("trajectory") == 2
        assert store.get("trajectory", "id00001") == row(1, payload=b"first")


def test_replace_changes_position_and_payload_and_delete_removes_one_kind(path: Path) -> None:
    with RecordStore(path) as store:
        store.put([row(1), row(2), row(1, kind="reject")])
        store.replace(Row("trajectory", "id00001", 9, b"new"))
        assert [r.payload for r in store.iterate("trajectory")] == [b"{}", b"new"]
        assert store.delete("trajectory") == 2
        assert (store.count("trajectory"), store.count("reject")) == (0, 1)
        assert store.get("trajectory", "id00001") is None


def test_rows_that_are_moved_have_the_other_kind_and_their_checksum(path: Path) -> None:
    with RecordStore(path) as store:
        store.put([row(1), row(2), row(1, kind="aside", payload=b"old")])
        assert store.move([row(1)], "aside") == 1
        assert [r.id for r in store.iterate("trajectory")] == ["id00002"]
        assert [r.payload for r in store.iterate("aside")] == [b"{}"], "what was there under the id is replaced"
        assert store.move([], "aside") == 0


def test_a_batch_that_fails_half_way_leaves_nothing(path: Path) -> None:
    def rows() -> object:
        yield row(1)
        raise KeyboardInterrupt

    with RecordStore(path) as store:
        with pytest.raises(KeyboardInterrupt):
            store.put(rows())  # type: ignore[arg-type]
        assert store.count("trajectory") == 0
        assert store.put([row(1)]) == 1


def test_iterating_pages_sees_each_row_once_while_others_are_put(path: Path) -> None:
    with RecordStore(path) as store:
        store.put(row(n) for n in range(0, 2000, 2))
        seen = []
        for n, found in enumerate(store.iterate("trajectory")):
            if n == 10:
                store.put([row(1), row(1999)])
            seen.append(found.position)
        assert seen == [*range(0, 2000, 2), 1999]


def test_negative_and_equal_positions_are_in_order_too(path: Path) -> None:
    with RecordStore(path) as store:
        store.put(Row("t", f"{n:04}", -5, b"") for n in range(700))
        assert [r.id for r in store.iterate("t")] == [f"{n:04}" for n in range(700)]


def test_several_threads_may_put_at_once(path: Path) -> None:
    with RecordStore(path) as store:
        starts = range(0, 200, 50)
        work = [threading.Thread(target=lambda s=s: [store.put([row(n)]) for n in range(s, s + 60)]) for s in starts]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        assert [r.position for r in store.iterate("trajectory")] == list(range(210))


def test_export_writes_one_payload_a_line_and_replaces_the_file_whole(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    out.write_text("an older export\n")
    with RecordStore(path) as store:
        store.put(row(n, payload=b'{"n":%d}' % n) for n in range(3))
        assert store.export_jsonl("trajectory", out) == 3
    assert out.read_bytes() == b'{"n":0}\n{"n":1}\n{"n":2}\n'
    assert sorted(p.name for p in tmp_path.glob("t.jsonl*")) == ["t.jsonl"]


def test_a_full_disk_is_an_error_that_names_the_file_and_what_was_committed_stays(path: Path) -> None:
    with RecordStore(path) as store:
        store.put([row(1)])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageError, match=r"records\.sqlite: the disk is full; free some space"):
            store.put(row(n, payload=b"x" * 5000) for n in range(2, 20))
        assert [r.position for r in store.iterate("trajectory")] == [1]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        assert store.put(row(n) for n in range(2, 20)) == 18


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/records\.sqlite: .*choose a folder"):
        RecordStore(tmp_path / "file" / "records.sqlite")


def test_another_programs_database_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs(x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a Lamina record store"):
        RecordStore(path)
    assert path.read_bytes() == before


def test_a_creation_killed_after_its_first_page_is_taken_up(path: Path) -> None:
    half = sqlite3.connect(path)
    half.execute("PRAGMA journal_mode = WAL")
    half.close()
    assert path.stat().st_size > 0
    with RecordStore(path) as store:
        assert store.put([row(1)]) == 1


class TestDamage:
    """Bits flip and files lose their end: an error, never wrong data, and the whole rows stay readable."""

    @pytest.fixture
    def damaged(self, path: Path) -> Path:
        with RecordStore(path) as store:
            store.put(row(n, payload=b"PAYLOAD-%05d" % n + b"." * 300) for n in range(500))
        return path

    def test_a_flipped_bit_in_a_payload_is_never_read_as_data(self, damaged: Path) -> None:
        data = bytearray(damaged.read_bytes())
        data[data.index(b"PAYLOAD-00100")] ^= 1
        damaged.write_bytes(data)
        with RecordStore(damaged) as store:
            with pytest.raises(StorageError, match=r"records\.sqlite: damaged: the trajectory row id00100"):
                list(store.iterate("trajectory"))
            assert store.get("trajectory", "id00101") is not None
        problems: list[str] = []
        saved = {r.position for r in salvage(damaged, problems.append)}
        assert saved == set(range(500)) - {100}
        assert len(problems) == 1

    def test_a_truncated_file_is_an_error_and_the_rows_before_the_cut_can_be_read(self, damaged: Path) -> None:
        data = damaged.read_bytes()
        damaged.write_bytes(data[: len(data) // 2])
        with pytest.raises(StorageError, match=r"records\.sqlite: damaged"), RecordStore(damaged) as store:
            list(store.iterate("trajectory"))
        problems: list[str] = []
        saved = list(salvage(damaged, problems.append))
        assert len(saved) > 100
        assert all(r.payload.startswith(b"PAYLOAD-%05d" % r.position) for r in saved)
        assert problems

    def test_an_overwritten_page_costs_only_its_own_rows(self, damaged: Path) -> None:
        data = bytearray(damaged.read_bytes())
        start = data.index(b"PAYLOAD-00200") // 4096 * 4096
        data[start : start + 4096] = b"\xaa" * 4096
        damaged.write_bytes(data)
        saved = {r.position for r in salvage(damaged)}
        assert 470 < len(saved) < 500

    def test_a_file_that_is_no_database_at_all_is_named(self, path: Path) -> None:
        path.write_bytes(b"not a database, only text that is long enough to look at " * 100)
        with pytest.raises(StorageError, match=r"records\.sqlite: damaged"):
            RecordStore(path)
        with pytest.raises(StorageError, match=r"records\.sqlite: nothing can be read"):
            list(salvage(path))
