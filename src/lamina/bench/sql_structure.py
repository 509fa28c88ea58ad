"""Whether two SQLite queries have the same parts: Spider's "exact set match without values" (Yu et al. 2018, arXiv
1809.08887, section 6), written anew. Nothing is run.

Compared are what is selected, the tables, the conditions and how they are joined, the groups, what they must have, the
order, whether there is a limit, and both sides of a union, an intersection or a difference; inner queries the same way.
Order counts in ORDER BY alone. As in the official evaluation values, DISTINCT and the conditions of joins don't count,
aliases stand for their tables, and a foreign key is the column that it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.bench.metrics import unfenced

VALUE = "value"


@dataclass(frozen=True)
class Schema:
    """All in lower case. ``columns`` of each table; ``same``: ``table.column`` of a foreign key -> the one that it
    refers to."""

    columns: Mapping[str, Sequence[str]]
    same: Mapping[str, str]


def set_match(answer: str, target: str, schema: Schema) -> bool:
    """False for an answer that is no query, whatever it is."""
    said = query_form(unfenced(answer), schema)
    return said is not None and said == query_form(target, schema)


def query_form(text: str, schema: Schema) -> str | None:
    """Equal for queries of the same parts; None for what is not one query."""
    import sqlglot

    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="sqlite") if tree is not None]
        return _Scope(schema, {}).query(trees[0]) if len(trees) == 1 else None
    except (sqlglot.errors.SqlglotError, RecursionError, _NoQueryError):
        return None


def is_ordered(query: str) -> bool:
    """Whether the order of the rows is asked for. Raises ParseError of sqlglot."""
    import sqlglot

    return sqlglot.parse_one(query, dialect="sqlite").args.get("order") is not None


class _NoQueryError(Exception):
    pass


@dataclass(frozen=True)
class _Scope:
    """``tables``: what each name in a query stands for, the nearest query's last."""

    schema: Schema
    tables: Mapping[str, str]

    def query(self, node: Any) -> str:
        from sqlglot import expressions as sql

        while isinstance(node, sql.Subquery):
            node = node.this
        if isinstance(node, sql.SetOperation):
            sides = [self.query(node.this), self.query(node.expression)]
            return repr((node.key, *sides, self.ordered(node), _limited(node)))
        if not isinstance(node, sql.Select):
            raise _NoQueryError
        sources = [part.this for part in (_from(node), *(node.args.get("joins") or ())) if part is not None]
        inner = _Scope(self.schema, {**self.tables, **self.named(sources)})
        where, having = (inner.conditions(node.args.get(key)) for key in ("where", "having"))
        group = node.args.get("group")
        grouped = sorted(map(inner.text, group.expressions)) if group else []
        selected = sorted(map(inner.text, node.expressions))
        tables = sorted(source.name.lower() if isinstance(source, sql.Table) else self.query(source)
                        for source in sources)  # fmt: skip
        return repr((selected, tables, where, grouped, having, inner.ordered(node), _limited(node)))

    def named(self, sources: Sequence[Any]) -> dict[str, str]:
        return {source.alias_or_name.lower(): source.name.lower() for source in sources}

    def conditions(self, clause: Any) -> tuple[list[str], list[str]]:
        """Each condition, and which of AND and OR join them."""
        from sqlglot import expressions as sql

        joints: set[str] = set()

        def parts(node: Any) -> Iterator[str]:
            node = node.unnest()
            if isinstance(node, sql.And | sql.Or):
                joints.add(node.key)
                yield from parts(node.this)
                yield from parts(node.expression)
            else:
                yield self.text(node)

        return ([], []) if clause is None else (sorted(parts(clause.this)), sorted(joints))

    def ordered(self, node: Any) -> list[str]:
        order = node.args.get("order")
        return [f"{self.text(o.this)} {'desc' if o.args.get('desc') else 'asc'}" for o in order or ()]

    def text(self, node: Any) -> str:
        from sqlglot import expressions as sql

        if isinstance(node, sql.Query):
            return self.query(node)
        if isinstance(node, sql.Column) and not isinstance(node.this, sql.Star):
            return self.column(node)
        if isinstance(node, sql.Star | sql.Column):
            return "*"
        if isinstance(node, sql.Literal) or (isinstance(node, sql.Neg) and isinstance(node.this, sql.Literal)):
            return VALUE
        if isinstance(node, sql.Alias | sql.Paren):
            return self.text(node.this)
        if isinstance(node, sql.Distinct):
            return ", ".join(map(self.text, node.expressions))
        if isinstance(node, sql.In) and not node.args.get("query"):
            return f"in({self.text(node.this)}, {VALUE})"
        inner = [self.text(child) for child in node.iter_expressions()]
        either_way = isinstance(node, sql.EQ | sql.NEQ | sql.Add | sql.Mul)
        name = node.name.lower() if isinstance(node, sql.Anonymous | sql.Identifier) else node.key
        return f"{name}({', '.join(sorted(inner) if either_way else inner)})"

    def column(self, node: Any) -> str:
        """``table.column``. A word in double quotes that is no column is a text, as SQLite has it."""
        name, table = node.name.lower(), node.table.lower()
        if table:
            full = f"{self.tables.get(table, table)}.{name}"
        else:
            holders = [t for t in reversed(list(self.tables.values())) if name in self.schema.columns.get(t, ())]
            if not holders and node.this.quoted:
                return VALUE
            full = f"{holders[0]}.{name}" if holders else name
        return self.schema.same.get(full, full)


def _from(node: Any) -> Any:
    return node.args.get("from_") or node.args.get("from")


def _limited(node: Any) -> bool:
    return node.args.get("limit") is not None
