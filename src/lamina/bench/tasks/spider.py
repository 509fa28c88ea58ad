"""``spider[:execution]``: questions over databases of several tables, the development part of Spider (Yu et al. 2018,
arXiv 1809.08887; code Apache-2.0, data CC BY-SA 4.0). The model sees the tables, their columns and keys, and writes one
SQLite query.

``set_match`` is the published exact set match without values, written anew (``bench.sql_structure``): by structure,
nothing is run. It is strict: another query that gives the same rows is wrong. Where the databases are there too,
``execution`` is the share that gives the rows of the right query (in its order where that has an ORDER BY; columns in
any order), run read-only under limits (``bench.sql_execution``). ``spider:execution`` compares models by that, and is
an error without the databases. Beside them what ``sql`` says. The instruction and the wording of the tables are ours.

Files as published: ``spider/dev.json``, ``spider/tables.json`` and, for execution, ``spider/database/ID/ID.sqlite``
(also below ``spider-dev``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import sql_scores, unfenced
from lamina.bench.sql_execution import QueryFailedError, run_query, same_rows
from lamina.bench.sql_structure import Schema, is_ordered, query_form, set_match
from lamina.bench.tasks.files import benchmark_file, json_rows, place, text_in
from lamina.bench.tasks.written import Scores, Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "spider[:execution], one SELECT over several tables; match by structure, and by rows where the databases are"
VERSION = 2
FOLDERS = ("spider", "spider-dev")
SYSTEM = "Write one SQLite query that answers the question. Write the query alone, without an explanation."


def open_task(argument: str, data: str | Path | None = None) -> Written:
    if argument not in ("", "execution"):
        raise InputError(f"spider has no variant {argument!r}", mend="write spider (structure) or spider:execution")
    name = f"spider:{argument}" if argument else "spider"
    return Written(name, lambda: _rows(data, name), _score, argument or "set_match", max_tokens=200)


def _rows(data: str | Path | None, name: str) -> Iterator[JSON]:
    there = [f for f in FOLDERS if data is not None and (Path(data) / f / "dev.json").is_file()]
    folder = benchmark_file(data, f"{(there or FOLDERS)[0]}/dev.json", name).parent
    tables = {row["db_id"]: row for row in json_rows(benchmark_file(data, f"{folder.name}/tables.json", name))}
    for number, row in enumerate(json_rows(folder / "dev.json"), 1):
        id, query = text_in(row, "db_id"), text_in(row, "query")
        if id not in tables:
            raise place().error(f"asks about {id!r}, which is not in tables.json")
        described = tables[id]
        if query_form(query, Schema({}, {})) is None:
            raise place().error(f"has a 'query' that is none ({query[:60]!r})")
        yield {
            "id": f"spider-{number}",
            "system": SYSTEM,
            "prompt": f"{_definitions(described)}\n\nQuestion: {text_in(row, 'question')}",
            "target": query,
            "columns": _columns(described),
            "same": _same(described),
            **_database(folder / "database" / id / f"{id}.sqlite", needed=name != "spider"),
        }


def _database(file: Path, *, needed: bool) -> JSON:
    if file.is_file():
        return {"database": str(file)}
    if needed:
        mend = "put Spider's databases there, or take spider, which compares queries by structure"
        raise InputError("there is no such database", file=file, mend=mend)
    return {}


def _columns(described: JSON) -> dict[str, list[str]]:
    tables = [str(table).lower() for table in described["table_names_original"]]
    found: dict[str, list[str]] = {table: [] for table in tables}
    for table, column in described["column_names_original"]:
        if table >= 0:
            found[tables[table]].append(column.lower())
    return found


def _same(described: JSON) -> dict[str, str]:
    full = [f"{described['table_names_original'][table]}.{column}".lower()
            for table, column in described["column_names_original"]]  # fmt: skip
    found = {full[key]: full[to] for key, to in described["foreign_keys"]}
    for key in found:
        seen = {key}
        while found[key] in found and found[found[key]] not in seen:  # a key that refers to a key
            found[key] = found[found[key]]
            seen.add(found[key])
    return found


def _definitions(described: JSON) -> str:
    """The tables as CREATE TABLE statements."""
    tables, columns = described["table_names_original"], described["column_names_original"]
    lines: dict[int, list[str]] = defaultdict(list)
    for (table, column), kind in zip(columns, described["column_types"], strict=True):
        if table >= 0:
            lines[table].append(f"{_quoted(column)} {kind}")
    for key in described["primary_keys"]:
        for column in key if isinstance(key, list) else [key]:
            lines[columns[column][0]].append(f"PRIMARY KEY ({_quoted(columns[column][1])})")
    for key, to in described["foreign_keys"]:
        refers = f"REFERENCES {_quoted(tables[columns[to][0]])} ({_quoted(columns[to][1])})"
        lines[columns[key][0]].append(f"FOREIGN KEY ({_quoted(columns[key][1])}) {refers}")
    return "\n".join(f"CREATE TABLE {_quoted(name)} ({', '.join(lines[i])});" for i, name in enumerate(tables))


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _score(row: JSON, answer: str) -> Scores:
    found = {"set_match": set_match(answer, row["target"], Schema(row["columns"], row["same"]))}
    ran = {"execution": _gives_the_same(row, unfenced(answer))} if "database" in row else {}
    return {**ran, **found, **sql_scores(answer, row["target"])}


def _gives_the_same(row: JSON, answer: str) -> bool:
    database = Path(row["database"])
    try:
        wanted = run_query(database, row["target"])
    except QueryFailedError as error:
        raise InputError(f"the right query does not run ({error})", file=database, mend="get the file again") from None
    try:
        said = run_query(database, answer)
    except QueryFailedError:
        return False
    return same_rows(said, wanted, in_order=is_ordered(row["target"]))
