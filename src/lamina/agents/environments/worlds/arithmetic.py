"""Sums as a desk calculator does them: numbers, + - * / and brackets. Text is parsed, never evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable

_OF_TWO: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
LONGEST = 500


def calculate(expression: str) -> float:
    """Rounded to cents. Raises ValueError for what is no such sum, or comes to no number."""
    if len(expression) > LONGEST:
        raise ValueError("the expression is too long")
    try:
        return round(_value(ast.parse(expression.strip(), mode="eval").body), 2)
    except (SyntaxError, RecursionError, MemoryError, ArithmeticError, TypeError) as error:
        raise ValueError(f"{expression!r} is no sum ({type(error).__name__})") from None


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BinOp) and type(node.op) in _OF_TWO:
        return _OF_TWO[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    raise ValueError("only numbers, + - * / and brackets are calculated")
