"""Spider: a query is right by its structure, and by the rows it gives where the databases are there."""

from __future__ import annotations

import json
import sqlite3
import time
from itertools import pairwise
from pathlib import Path

import pytest

from lamina.bench.sql_execution import QueryFailedError, run_query, same_rows
from lamina.bench.sql_structure import Schema, query_form, set_match
from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.bench.tasks.spider import _score
from lamina.errors import InputError
from lamina.models import Reply
from lamina.tools import Toolbox

SHARED = Path(__file__).parents[3] / "shared" / "data"
SCHEMA = Schema(
    {"singer": ("id", "name", "age"), "song": ("id", "singer_id", "title")}, {"song.singer_id": "singer.id"}
)
TABLES = {
    "db_id": "music",
    "table_names_original": ["Singer", "Song"],
    "column_names_original": [
        [-1, "*"], [0, "Id"], [0, "Name"], [0, "Age"], [1, "Id"], [1, "Singer_Id"], [1, "Title of"],
    ],
    "column_types": ["text", "number", "text", "number", "number", "number", "text"],
    "primary_keys": [1, 4],
    "foreign_keys": [[5, 1]],
}  # fmt: skip
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
QUESTION = {"db_id": "music", "question": "Who is old?", "query": "SELECT Name FROM Singer WHERE Age > 40"}


def spider(folder: Path, *, databases: bool = False, question: dict[str, str] = QUESTION) -> Path:
    (folder / "spider").mkdir()
    (folder / "spider/dev.json").write_text(json.dumps([question]))
    (folder / "spider/tables.json").write_text(json.dumps([TABLES]))
    if databases:
        made = folder / "spider/database/music/music.sqlite"
        made.parent.mkdir(parents=True)
        with sqlite3.connect(made) as connection:
            connection.execute("CREATE TABLE singer (id, name, age)")
            connection.executemany("INSERT INTO singer VALUES (?, ?, ?)", [(1, "Ana", 50), (2, "Bo", 41), (3, "Cy", 9)])
        connection.close()
    return folder


def solved(task: Task, sample: Sample, text: str) -> Outcome:
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=text))
    outcome: Outcome = ended.value.value
    return outcome


@pytest.mark.parametrize(
    ("target", "same", "other"),
    [
        (
            "SELECT name, age FROM singer WHERE age > 40 AND name = 'x'",
            (
                'select AGE, Name from Singer where NAME = "y" and age > 3',
                "SELECT DISTINCT name, age FROM singer AS s WHERE (s.age > 1) AND s.name = 'z'",
            ),
            (
                "SELECT name FROM singer WHERE age > 40 AND name = 'x'",
                "SELECT name, age FROM singer WHERE age > 40 OR name = 'x'",
                "SELECT name, age FROM singer WHERE age >= 40 AND name = 'x'",
                "SELECT name, age FROM singer",
            ),
        ),
        (
            "SELECT T1.name FROM singer AS T1 JOIN song AS T2 ON T1.id = T2.singer_id GROUP BY T1.id ORDER BY count(*) "
            "DESC LIMIT 1",
            (
                "SELECT a.name FROM song b JOIN singer a ON b.singer_id = a.id GROUP BY b.singer_id ORDER BY COUNT(*) "
                "DESC LIMIT 3",
            ),
            (
                "SELECT T1.name FROM singer AS T1 JOIN song AS T2 ON T1.id = T2.singer_id GROUP BY T1.id ORDER BY "
                "count(*) LIMIT 1",
                "SELECT name FROM singer GROUP BY id ORDER BY count(*) DESC LIMIT 1",
                "SELECT T1.name FROM singer AS T1 JOIN song AS T2 ON T1.id = T2.singer_id GROUP BY T1.id ORDER BY "
                "count(*) DESC",
            ),
        ),
        (
            "SELECT name FROM singer WHERE id NOT IN (SELECT singer_id FROM song)",
            ("SELECT s.name FROM singer s WHERE NOT s.id IN (SELECT t.singer_id FROM song AS t)",),
            (
                "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM song)",
                "SELECT name FROM singer WHERE id NOT IN (SELECT id FROM song)",
                "SELECT name FROM singer WHERE id NOT IN (1, 2)",
            ),
        ),
        (
            "SELECT name FROM singer EXCEPT SELECT title FROM song",
            ("select name from singer except select title from song;",),
            (
                "SELECT title FROM song EXCEPT SELECT name FROM singer",
                "SELECT name FROM singer UNION SELECT title FROM song",
                "SELECT name FROM singer",
            ),
        ),
    ],
)
def test_queries_match_by_their_parts_not_by_order_aliases_or_values(
    target: str, same: tuple[str, ...], other: tuple[str, ...]
):
    assert all(set_match(query, target, SCHEMA) for query in (target, f"```sql\n{target};\n```", *same))
    assert not any(set_match(query, target, SCHEMA) for query in other)


@pytest.mark.parametrize(
    "text", ["", "the singer", "DROP TABLE singer", "SELECT 1; SELECT 2", "(" * 3000, "\ud800", "\0"]
)
def test_what_is_no_query_matches_nothing(text: str):
    assert not set_match(text, "SELECT 1", SCHEMA)
    assert query_form(text, SCHEMA) is None


def test_without_databases_structure_decides_and_the_tables_are_in_the_prompt(tmp_path: Path):
    task = open_task("spider", data=spider(tmp_path))
    (sample,) = task.samples()
    assert sample.row["prompt"] == (
        "CREATE TABLE Singer (Id number, Name text, Age number, PRIMARY KEY (Id));\n"
        'CREATE TABLE Song (Id number, Singer_Id number, "Title of" text, PRIMARY KEY (Id), FOREIGN KEY (Singer_Id) '
        "REFERENCES Singer (Id));\n\nQuestion: Who is old?"
    )
    outcome = solved(task, sample, "select s.name from singer s where s.age > 7")
    assert outcome.right
    assert outcome.scores["set_match"]
    assert not outcome.scores["sql_exact"]
    assert "execution" not in outcome.scores
    with pytest.raises(
        InputError, match=r"music\.sqlite: there is no such database; .* or take spider, which compares"
    ):
        open_task("spider:execution", data=tmp_path).samples()


def test_with_databases_another_query_of_the_same_rows_is_right(tmp_path: Path):
    task = open_task("spider:execution", data=spider(tmp_path, databases=True))
    (sample,) = task.samples()
    other = solved(task, sample, "SELECT name FROM singer WHERE id < 3")
    assert (other.right, other.scores["execution"], other.scores["set_match"]) == (True, True, False)
    for wrong in ("SELECT name FROM singer WHERE age > 45", "SELECT nothing FROM singer", "", "DROP TABLE singer"):
        assert not solved(task, sample, wrong).right
    assert solved(task, sample, sample.row["target"]).right
    beside = open_task("spider", data=tmp_path)
    assert solved(beside, beside.samples()[0], "SELECT name FROM singer WHERE id < 3").scores["execution"]


def test_order_counts_where_it_was_asked_for(tmp_path: Path):
    question = QUESTION | {"query": "SELECT Name, Age FROM Singer ORDER BY lower(Age)"}
    task = open_task("spider:execution", data=spider(tmp_path, databases=True, question=question))
    (sample,) = task.samples()
    assert solved(task, sample, "SELECT age, name FROM singer ORDER BY lower(age) ASC").right
    assert not solved(task, sample, "SELECT name, age FROM singer ORDER BY name").right


def test_rows_are_the_same_as_often_and_in_any_order_of_columns():
    assert same_rows([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], in_order=False)
    assert not same_rows([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], in_order=True)
    assert not same_rows([(1, 2), (2, 1)], [(1, 1), (2, 2)], in_order=False)
    assert not same_rows([(1,), (1,), (2,)], [(1,), (2,), (2,)], in_order=False)
    assert same_rows([], [], in_order=True)


def test_execution_says_what_spiders_own_evaluation_says(tmp_path: Path):
    """``benchmarks/spider_execution.py --golden`` asked it, with DISTINCT kept."""
    kept = json.loads((Path(__file__).parent / "spider_execution.json").read_text())
    database = tmp_path / "kept.sqlite"
    with sqlite3.connect(database) as connection:
        for name, (columns, *rows) in kept["tables"].items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
    connection.close()
    assert {pair["right"] for pair in kept["pairs"]} == {True, False}
    for pair in kept["pairs"]:
        row = {"database": str(database), "target": pair["target"], "columns": {}, "same": {}}
        assert _score(row, pair["answer"])["execution"] == pair["right"], pair


def test_columns_of_a_wide_table_may_stand_in_any_order_too():
    rows = [tuple(range(n, n + 40)) for n in range(3)]
    assert same_rows([row[::-1] for row in rows], rows, in_order=True)
    assert not same_rows([row[::-1] for row in rows[:2]] + [rows[2]], rows, in_order=False)
    alike = [(1,) * 12, (2,) * 12]
    assert same_rows(alike, alike, in_order=False)
    assert not same_rows([(1, *alike[1][1:]), (2, *alike[0][1:])], alike, in_order=False)


def test_a_models_query_reads_and_does_nothing_else(tmp_path: Path):
    database = spider(tmp_path, databases=True) / "spider/database/music/music.sqlite"
    before = database.read_bytes()
    for query in (
        "DELETE FROM singer",
        "INSERT INTO singer VALUES (4, 'x', 1)",
        "CREATE TABLE t (a)",
        "PRAGMA user_version = 3",
        f"ATTACH DATABASE '{tmp_path / 'other.sqlite'}' AS o",
        "SELECT 1; SELECT 2",
        "VACUUM INTO 'x'",
        "SELECT load_extension('x')",
        "SELECT zeroblob(1000000000)",
        f"{ENDLESS} SELECT n FROM r",
    ):
        with pytest.raises(QueryFailedError):
            run_query(database, query)
    assert database.read_bytes() == before
    assert not (tmp_path / "other.sqlite").exists()
    began = time.monotonic()
    with pytest.raises(QueryFailedError, match="interrupted"):
        run_query(database, f"{ENDLESS} SELECT count(*) FROM r", seconds=0.2)
    assert time.monotonic() - began < 10


def test_a_database_on_which_the_right_query_does_not_run_is_said(tmp_path: Path):
    task = open_task("spider:execution", data=spider(tmp_path, databases=True))
    (sample,) = task.samples()
    Path(sample.row["database"]).write_bytes(b"no database at all, but long enough to be read as one" * 20)
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    next(talk)
    with pytest.raises(InputError, match=r"music\.sqlite: the right query does not run \(.*; get the file again"):
        talk.send(Reply(text="SELECT 1"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"db_id": "films"}, "asks about 'films'"),
        ({"query": "the oldest"}, "has a 'query' that is none"),
        ({"question": None}, "has no text 'question'"),
    ],
)
def test_a_row_that_cannot_be_asked_is_named(tmp_path: Path, change: dict[str, str], says: str):
    with pytest.raises(InputError, match=says):
        open_task("spider", data=spider(tmp_path, question=QUESTION | change)).samples()


def test_the_published_queries_match_themselves_and_no_other_question():
    if not (SHARED / "spider-dev").is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task("spider", data=SHARED)
    samples = task.samples()
    assert len({sample.id for sample in samples}) == len(samples) > 500
    few = samples[::40]
    assert all(solved(task, sample, sample.row["target"]).right for sample in few)
    assert not any(solved(task, one, other.row["target"]).right for one, other in pairwise(few))
