"""``spider``'s set_match beside Spider's own evaluation, on a thousand seeded pairs.

    python -m venv references && references/bin/pip install nltk sqlparse
    references/bin/pip install --no-deps nl2sql360==1.1.0            # it carries the official test_suite_sql_eval
    python benchmarks/spider_structure.py --references references/bin/python --data DIR      # DIR/spider-dev/dev.json

An answer is another query of the same database, the target with a token dropped, exchanged or moved, the target spelt
otherwise, or the target with a keyword changed. The evaluation is the wheel's, values left out as it does by default;
its word tokenizer asks for a download, so NLTK's rules for words are called without it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import subprocess
import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Case = dict[str, Any]
CHANGES = (
    ("DESC", "ASC"), ("count(*)", "sum(1)"), (" AND ", " OR "), (">", "<"), ("=", "!="), ("SELECT", "SELECT DISTINCT"),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", required=True, help="a Python that has nl2sql360, nltk and sqlparse")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from lamina.bench.sql_structure import Schema, set_match
    from lamina.bench.tasks import open_task

    rows = {sample.id: sample.row for sample in open_task("spider", data=options.data).samples()}
    described = options.data / "spider-dev"
    questions = json.loads((described / "dev.json").read_text())
    asked = list(cases(questions, options.n, random.Random(options.seed)))
    command = [options.references, __file__, "--judge", str(described / "tables.json")]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the reference failed: {done.stderr[-2000:]}")
    theirs = json.loads(done.stdout)
    counted: Counter[tuple[bool, bool]] = Counter()
    for case, official in zip(asked, theirs, strict=True):
        row = rows[case["id"]]
        ours = bool(set_match(case["answer"], case["target"], Schema(row["columns"], row["same"])))
        counted[ours, official] += 1
        if ours != official:
            print(f"Lamina {ours}, Spider's {official}\n    {case['target']}\n    {case['answer']}", file=sys.stderr)
    same = counted[True, True] + counted[False, False]
    print(f"{same} of {len(asked)} agree, {counted[True, True]} of them matches; Lamina alone matches")
    print(f"{counted[True, False]}, Spider's evaluation alone {counted[False, True]} (listed on standard error)")
    return 0


def cases(questions: list[Case], n: int, chance: random.Random) -> Iterator[Case]:
    numbered = [(f"spider-{i}", q["db_id"], q["query"]) for i, q in enumerate(questions, 1)]
    of: dict[str, list[str]] = {}
    for _, database, query in numbered:
        of.setdefault(database, []).append(query)
    for _ in range(n):
        id, database, target = chance.choice(numbered)
        yield {"id": id, "database": database, "target": target, "answer": _answer(target, of[database], chance)}


def _answer(target: str, others: list[str], chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.35:
        return chance.choice(others)
    if kind < 0.55:
        return target.lower().replace("'", '"')
    if kind < 0.75:
        before, after = chance.choice(CHANGES)
        return target.replace(before, after, 1)
    words = target.split()
    place, other = chance.randrange(len(words)), chance.randrange(len(words))
    match chance.choice(("drop", "exchange", "move")):
        case "drop":
            words.pop(place)
        case "exchange":
            words[place] = chance.choice(chance.choice(others).split())
        case _:
            words[place], words[other] = words[other], words[place]
    return " ".join(words)


def judge(tables: Path) -> None:
    """In the references' Python: what Spider's evaluation says of the cases on standard input. An answer that it cannot
    read is no match."""
    parsing, evaluation = official()
    described = {table["db_id"]: table for table in json.loads(tables.read_text())}
    found = []
    for case in json.load(sys.stdin):
        table = described[case["database"]]
        names = [name.lower() for name in table["table_names_original"]]
        columns = {
            name: [c.lower() for k, c in table["column_names_original"] if k == i] for i, name in enumerate(names)
        }
        schema, keys = parsing.Schema(columns), evaluation.build_foreign_key_map(table)
        try:
            target, answer = (_rebuilt(case[side], schema, keys, parsing, evaluation) for side in ("target", "answer"))
            found.append(bool(evaluation.Evaluator().eval_exact_match(answer, target)))
        except Exception:
            found.append(False)
    json.dump(found, sys.stdout)


def _rebuilt(query: str, schema: Any, keys: Any, parsing: Any, evaluation: Any) -> Any:
    """Values taken out and a foreign key counted as what it refers to, as ``evaluate`` does."""
    tree = parsing.get_sql(schema, query)
    units = evaluation.build_valid_col_units(tree["from"]["table_units"], schema)
    return evaluation.rebuild_sql_col(units, evaluation.rebuild_sql_val(tree), keys)


def official() -> tuple[Any, Any]:
    """Its modules by their path: the package around them wants databases and clients."""
    import nltk
    from nltk.tokenize.destructive import NLTKWordTokenizer

    nltk.word_tokenize = NLTKWordTokenizer().tokenize
    for name, member in (("loguru", "logger"), ("tqdm", "tqdm")):
        sys.modules[name] = types.ModuleType(name)
        setattr(sys.modules[name], member, None)
    inside = "nl2sql360/evaluator/test_suite_sql_eval"
    package = types.ModuleType("official")
    package.__path__ = [str(Path(entry) / inside) for entry in sys.path if (Path(entry) / inside).is_dir()]
    sys.modules["official"] = package
    return importlib.import_module("official.process_sql"), importlib.import_module("official.evaluation")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge(Path(sys.argv[2]))
    else:
        sys.exit(main())
