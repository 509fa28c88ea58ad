"""``spider:execution`` beside the execution evaluation of Spider's test suites, on a thousand seeded pairs.

    python -m venv references && references/bin/pip install nltk sqlparse tqdm
    references/bin/pip install --no-deps nl2sql360==1.1.0            # it carries the official test_suite_sql_eval
    python benchmarks/spider_execution.py --references references/bin/python --data DIR      # DIR/spider-dev/dev.json

The pairs are drawn as in ``spider_structure.py``; in a fifth of them the answer is the right query with its columns
turned round or its rows in another order. The databases are made here, a few rows to a table, with the values
that the right queries ask for among them, so that a changed condition gives other rows. The evaluation is the wheel's
``eval_exec_match`` without its exchange of values, once as it stands by default (DISTINCT taken out of both queries)
and once with DISTINCT kept, as Lamina keeps it.

``--golden tests/bench/spider_execution.json`` asks the evaluation about the pairs in that file, over the tables in it,
and writes what it says (DISTINCT kept) beside each, for the tests.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from spider_structure import Case, cases, official

ROWS = 12
"""Of a table: two tables without their condition still give a bounded number of rows."""
Values = dict[str, list[Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", required=True, help="a Python that has nl2sql360, nltk, sqlparse and tqdm")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path)
    where.add_argument("--golden", type=Path)
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.golden:
        return keep(options.golden, options.references)
    published = options.data / "spider-dev"
    questions = json.loads((published / "dev.json").read_text())
    chance = random.Random(f"turned {options.seed}")
    asked = [turned(case, chance) for case in cases(questions, options.n, random.Random(options.seed))]
    with tempfile.TemporaryDirectory() as folder:
        spider = Path(folder) / "spider"
        make_databases(spider, questions, json.loads((published / "tables.json").read_text()), options.seed)
        ours = said(Path(folder), asked)
        theirs = judged(options.references, spider / "database", asked)
        empty = sum(no_rows(spider / "database", case) for case in asked)
    other = sum(right and case["answer"] != case["target"] for case, right in zip(asked, ours, strict=True))
    print(
        f"{len(asked)} pairs; {empty} right queries give no rows or nothing but 0; {other} right answers are other text"
    )
    for name in ("DISTINCT kept", "by default"):
        report(name, asked, ours, [row[name] for row in theirs])
    return 0


def judged(python: str, databases: Path, asked: list[Case]) -> list[dict[str, bool]]:
    command = [python, __file__, "--judge", str(databases)]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the reference failed: {done.stderr[-2000:]}")
    return list(json.loads(done.stdout))


def keep(golden: Path, python: str) -> int:
    """``golden``: ``tables``, by name a list of rows, the first the names of its columns, and ``pairs``."""
    kept = json.loads(golden.read_text())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kept").mkdir()
        with closing(sqlite3.connect(Path(folder) / "kept/kept.sqlite")) as connection, connection:
            for name, (columns, *rows) in kept["tables"].items():
                connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
        asked = [{**pair, "database": "kept"} for pair in kept["pairs"]]
        for pair, told in zip(kept["pairs"], judged(python, Path(folder), asked), strict=True):
            pair["right"] = told["DISTINCT kept"]
    tables = [f"    {json.dumps(name)}: {json.dumps(rows)}" for name, rows in kept["tables"].items()]
    pairs = [f"    {json.dumps(pair)}" for pair in kept["pairs"]]
    joined = ('{\n  "tables": {\n', ",\n".join(tables), '\n  },\n  "pairs": [\n', ",\n".join(pairs), "\n  ]\n}\n")
    golden.write_text("".join(joined))
    return 0


def turned(case: Case, chance: random.Random) -> Case:
    """In a fifth of the cases the target with its columns the other way round, or its rows put in an order (which
    matters only where the target has one)."""
    import sqlglot

    kind = chance.random()
    if kind < 0.1:
        tree = sqlglot.parse_one(case["target"], dialect="sqlite")
        tree.set("expressions", tree.expressions[::-1])
        return {**case, "answer": tree.sql("sqlite")}
    if kind < 0.2:
        plain = case["target"].rstrip("; ")
        return {**case, "answer": f"SELECT * FROM ({plain}) ORDER BY 1 {chance.choice(('ASC', 'DESC'))}"}
    return case


def report(name: str, asked: list[Case], ours: list[bool], theirs: list[bool]) -> None:
    counted = Counter(zip(ours, theirs, strict=True))
    for case, one, two in zip(asked, ours, theirs, strict=True):
        if one != two:
            shown = f"    {case['database']}\n    {case['target']}\n    {case['answer']}"
            print(f"{name}: Lamina {one}, the evaluation {two}\n{shown}", file=sys.stderr)
    print(
        f"{name}: {counted[True, True] + counted[False, False]} agree, {counted[True, True]} of them right; Lamina "
        f"alone says right {counted[True, False]}, the evaluation alone {counted[False, True]} (on standard error)"
    )


def said(data: Path, asked: list[Case]) -> list[bool]:
    """What the task itself says of the answers."""
    from lamina.bench.tasks import Setting, open_task
    from lamina.models import Reply
    from lamina.tools import Toolbox

    task, found = open_task("spider:execution", data=data), []
    samples = {sample.id: sample for sample in task.samples()}
    for case in asked:
        talk = task.solve(samples[case["id"]], Setting(Toolbox([]), "plain"))
        next(talk)
        try:
            talk.send(Reply(text=case["answer"]))
        except StopIteration as end:
            found.append(bool(end.value.right))
    return found


def no_rows(databases: Path, case: Case) -> bool:
    from lamina.bench.sql_execution import run_query

    rows = run_query(databases / case["database"] / f"{case['database']}.sqlite", case["target"])
    return not any(value not in (None, 0) for row in rows for value in row)


def make_databases(spider: Path, questions: list[Case], tables: list[Case], seed: int) -> None:
    """``spider/dev.json``, ``tables.json`` and ``database/ID/ID.sqlite`` as they are published."""
    spider.mkdir()
    (spider / "dev.json").write_text(json.dumps(questions))
    (spider / "tables.json").write_text(json.dumps(tables))
    queries: dict[str, list[str]] = {}
    for question in questions:
        queries.setdefault(question["db_id"], []).append(question["query"])
    for described in (table for table in tables if table["db_id"] in queries):
        id = described["db_id"]
        (spider / "database" / id).mkdir(parents=True)
        with closing(sqlite3.connect(spider / "database" / id / f"{id}.sqlite")) as connection, connection:
            fill(connection, described, asked_values(queries[id]), random.Random(f"{id} {seed}"))


def fill(connection: sqlite3.Connection, described: Case, asked: Values, chance: random.Random) -> None:
    """A key is counted up, a foreign key draws from what it refers to (some are never referred to); another column has
    a few values again and again, those asked for among them, and an empty one now and then."""
    columns, kinds = described["column_names_original"], described["column_types"]
    keys = {k for key in described["primary_keys"] for k in (key if isinstance(key, list) else [key])}
    refers = dict(described["foreign_keys"])
    known: dict[int, set[Any]] = {}
    for i, (_, column) in enumerate(columns):
        known.setdefault(_root(i, refers), set()).update(asked.get(column.lower(), ()))
    for table, name in enumerate(described["table_names_original"]):
        if name.startswith("sqlite_"):  # SQLite keeps it itself
            continue
        mine = [i for i, (of, _) in enumerate(columns) if of == table]
        shown = [f'"{columns[i][1]}" {"NUMERIC" if kinds[i] == "number" else "TEXT"}' for i in mine]
        connection.execute(f'CREATE TABLE "{name}" ({", ".join(shown)})')
        for number in range(ROWS):
            row = []
            for i in mine:
                root = _root(i, refers)
                of = sorted(known[root], key=str)
                few = of + [n + 1 if kinds[root] == "number" else f"{columns[root][1]} {n}" for n in range(ROWS)]
                if i in refers or i in keys:
                    row.append(few[chance.randrange(ROWS * 2 // 3) if i in refers else number])
                else:
                    row.append(None if chance.random() < 0.04 else chance.choice(few[: len(of) + 4]))
            connection.execute(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(row))})', row)


def _root(column: int, refers: dict[int, int]) -> int:
    seen = {column}
    while column in refers and refers[column] not in seen:
        column = refers[column]
        seen.add(column)
    return column


def asked_values(queries: list[str]) -> Values:
    """What the queries compare each column with, by the column's name in lower case; beside a number also the next."""
    import sqlglot
    from sqlglot import exp

    found: dict[str, set[Any]] = {}
    for query in queries:
        tree = sqlglot.parse_one(query, dialect="sqlite")
        for test in tree.find_all(exp.Predicate):
            sides = [node for node in test.iter_expressions() if isinstance(node, exp.Column | exp.Literal)]
            names = [node.name.lower() for node in sides if isinstance(node, exp.Column) and not node.this.quoted]
            for node in sides:
                if names and (isinstance(node, exp.Literal) or node.this.quoted):
                    found.setdefault(names[0], set()).update(_values(node.name))
    return {name: list(values) for name, values in found.items()}


def _values(text: str) -> list[Any]:
    try:
        number = float(text)
    except ValueError:
        return [text.replace("%", "x ").strip() if "%" in text else text]
    return [int(number) if number.is_integer() else number, int(number) + 1]


def judge(databases: Path) -> None:
    """In the references' Python: what the evaluation says of the cases on standard input."""
    official()
    from official.exec_eval import eval_exec_match  # type: ignore[import-not-found]

    found = []
    for case in json.load(sys.stdin):
        file = str(databases / case["database"] / f"{case['database']}.sqlite")
        said = {}
        for name, kept in (("DISTINCT kept", True), ("by default", False)):
            said[name] = bool(eval_exec_match(file, case["answer"], case["target"], False, kept, False))
        found.append(said)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge(Path(sys.argv[2]))
    else:
        sys.exit(main())
