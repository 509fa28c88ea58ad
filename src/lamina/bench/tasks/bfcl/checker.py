"""The scorer of BFCL v4's single-turn categories: calls against ground truth, with the leaderboard's verdicts.

It follows the official checker (``bfcl-eval``, Apache-2.0) in what is right and wrong, its quirks included, and is
compared with it on tens of thousands of answers by ``benchmarks/bfcl_agreement.py``. It shares no code with it and
evaluates nothing that a model or the data set wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.bench.tasks.bfcl import java_values, javascript_values
from lamina.bench.tasks.bfcl.categories import Category, Language
from lamina.bench.tasks.bfcl.values import value_problem
from lamina.tools.tool import JSON

LONGEST_SOURCE = 10_000
"""Characters of a Java or JavaScript value that are read; a longer one is a wrong answer."""
PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
PYTHON_COLLECTIONS = ("array", "tuple")
_UNCOMPARABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

Call = tuple[str, Mapping[str, Any]]


def problem_of(
    category: Category, functions: Sequence[JSON], answers: Sequence[JSON], calls: Sequence[Call] | None
) -> str | None:
    """Why the calls are not right, in a sentence, or None where they are. ``answers`` is the ground truth, one
    ``{function: {argument: [right values]}}`` a call. ``calls`` None: what was answered is no list of calls, which is
    wrong wherever a call is asked for."""
    if category.rule == "no_call":
        return f"called {calls[0][0]} where no function fits" if calls else None
    if category.rule == "some_call":
        return None if calls else "called nothing where a function fits"
    if calls is None:
        return "the answer is not a list of calls"
    if len(calls) != (wanted := len(answers)):
        return f"{len(calls)} calls, not {wanted}"
    if category.rule == "any_order":
        return _problem_in_any_order(functions, answers, calls, category.language)
    function = _function(functions, next(iter(answers[0]))) if category.named else functions[0]
    return call_problem(function, calls[0], answers[0], category.language)


def _problem_in_any_order(
    functions: Sequence[JSON], answers: Sequence[JSON], calls: Sequence[Call], language: Language
) -> str | None:
    """Each right call in turn takes the first call left that matches it."""
    left = list(calls)
    for answer in answers:
        name = next(iter(answer))
        function = _function(functions, name)
        problems: list[str] = []
        for i, call in enumerate(left):
            problem = call_problem(function, call, answer, language)
            if problem is None:
                del left[i]
                break
            # the most telling one is about a call to the same function
            problems = [problem] if call[0] == name and not problems else problems
        else:
            return f"no call matches the right call to {name}{': ' if problems else ''}{''.join(problems)}"
    return None


def _function(functions: Sequence[JSON], name: str) -> JSON | None:
    return next((function for function in functions if function["name"] == name), None)


def call_problem(function: JSON | None, call: Call, answer: JSON, language: Language) -> str | None:
    """Why one call is not the right one. ``answer`` is ``{function: {argument: [right values]}}``."""
    try:
        return _call_problem(function, call, answer, language)
    except _UNCOMPARABLE as error:
        return f"cannot be compared with the right call ({type(error).__name__}: {error})"


def _call_problem(function: JSON | None, call: Call, answer: JSON, language: Language) -> str | None:
    right: Mapping[str, Sequence[Any]] = next(iter(answer.values()))
    if function is None:
        return "the right function is not among those on offer"
    name, arguments = call
    if name != function["name"]:
        return f"called {name}, not {function['name']}"
    declared = function["parameters"]["properties"]
    for required in function["parameters"]["required"]:
        if required not in arguments:
            return f"the required argument {required!r} is missing"
    read = _READERS[language]
    for argument, given in arguments.items():
        if argument not in declared or argument not in right:
            return f"unexpected argument {argument!r}"
        if language != "python" and (problem := _no_source(given)):
            return f"{argument}: {problem}"
        value, kind, element = read(given, declared[argument])
        if problem := value_problem(value, right[argument], kind, element):
            return f"{argument}: {problem}"
    for argument, allowed in right.items():
        if argument not in arguments and "" not in allowed:
            return f"the argument {argument!r} is missing"
    return None


def _no_source(given: Any) -> str | None:
    if type(given) is not str:
        return f"is {type(given).__name__}, not a string of source text"
    return f"is longer than {LONGEST_SOURCE} characters" if len(given) > LONGEST_SOURCE else None


def _python(given: Any, declared: JSON) -> tuple[Any, type, type | None]:
    kind = PYTHON_TYPES[declared["type"]]
    element = PYTHON_TYPES[declared["items"]["type"]] if declared["type"] in PYTHON_COLLECTIONS else None
    if declared["type"] == "tuple" and type(given) is tuple:
        return list(given), kind, element
    if kind is float and type(given) is int:
        return float(given), kind, element
    return given, kind, element


def _java(given: str, declared: JSON) -> tuple[Any, type, type | None]:
    kind, types = declared["type"], java_values.TYPES
    element = declared["items"]["type"] if kind in java_values.COLLECTIONS else None
    return java_values.java_value(given, kind, element), types[kind], types[element] if element else None


def _javascript(given: str, declared: JSON) -> tuple[Any, type, type | None]:
    kind, types = declared["type"], javascript_values.TYPES
    element = declared["items"]["type"] if kind in javascript_values.COLLECTIONS else None
    return javascript_values.javascript_value(given, kind, element), types[kind], types[element] if element else None


_READERS: dict[Language, Callable[[Any, JSON], tuple[Any, type, type | None]]] = {
    "python": _python,
    "java": _java,
    "javascript": _javascript,
}
