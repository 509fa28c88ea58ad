"""Validators of JSON Schemas, whoever wrote them. Every one in Lamina is made here, and a house test holds that.

Left to itself jsonschema_rs reads what a ``$ref`` names: a URL, also one inside the user's network, or a file of this
machine, whose content then stands in what it says of a value. A schema comes with a data set or from somebody's server,
so nothing that is outside of it is ever read.
"""

from __future__ import annotations

from typing import Any

LONGEST_REASON = 200


class SchemaRefused(ValueError):
    """What is no JSON Schema, or refers to what is not in it; one sentence without a full stop."""


def validator_for(schema: Any, **options: Any) -> Any:
    """The ``jsonschema_rs`` validator of ``schema``; ``options`` are those of ``jsonschema_rs.validator_for``.

    Raises SchemaRefused; RecursionError, TypeError for what is nested too deep or no JSON data at all."""
    import jsonschema_rs

    wanted: list[str] = []

    def refuse(uri: str) -> Any:
        wanted.append(uri)
        raise ValueError("nothing outside of a schema is read")

    try:
        return jsonschema_rs.validator_for(schema, retriever=refuse, **options)
    except ValueError as error:  # jsonschema_rs.ValidationError is one
        if wanted:
            where = wanted[0].removeprefix("json-schema:///")[:LONGEST_REASON]
            raise SchemaRefused(f"it refers to {where}, which is outside of it and is not read") from None
        raise SchemaRefused((str(error).splitlines() or [""])[0][:LONGEST_REASON]) from None


def rule_problem(rule: Any) -> str:
    """Why ``rule`` cannot say which results are errors, as ``Tool.error_schema`` does; empty where it can."""
    if rule is None or isinstance(rule, bool):
        return ""
    if not isinstance(rule, dict):
        return "it is neither a JSON Schema nor false"
    try:
        validator_for(rule)
    except (SchemaRefused, RecursionError, TypeError) as error:
        return f"it is no JSON Schema ({str(error)[:LONGEST_REASON]})"
    return ""
