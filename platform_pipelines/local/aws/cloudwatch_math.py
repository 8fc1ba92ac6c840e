"""Metric math: expressions over the series of a request, as alarms and GetMetricData compute them.

A point of the result needs a point of every series that takes part at that time; a division by zero
gives none. Of the functions, those of one value and those that choose are here.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from platform_pipelines.local.aws import cloudwatch_statistics as statistics
from platform_pipelines.local.aws.service import Fault, Params, not_implemented

Series = dict[float, float]  # values by the time at which their period begins
Value = float | Series

_INVALID = "ValidationError"
_ID = re.compile(r"[a-z]\w*", re.ASCII)
_BINARY: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda one, other: bool(one) and bool(other),
    ast.Or: lambda one, other: bool(one) or bool(other),
}
_OF_ONE: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
# How many arguments each function takes. SERVICE_QUOTA is of usage metrics, which nothing here
# emits: a series without points has a quota without points.
_FUNCTIONS = {"IF": (2, 3), "FILL": (2, 2), "SERVICE_QUOTA": (1, 1)} | dict.fromkeys(
    _OF_ONE, (1, 1)
)
_WORDS = ((r"\bAND\b|&&", " and "), (r"\bOR\b|\|\|", " or "), (r"\^", "**"))


def check(queries: Sequence[Params]) -> None:
    """Whether every query of a request can be computed. Raises: Fault."""
    ids = {query["Id"] for query in queries}
    if len(ids) < len(queries):
        raise Fault(_INVALID, "The values for parameter Id in Metrics are not unique.")
    for query in queries:
        if not _ID.fullmatch(query["Id"]):
            message = (
                f"The value {query['Id']} for parameter Id is not matching the expected pattern"
            )
            raise Fault(_INVALID, f"{message} ^[a-z][a-zA-Z0-9_]*$.")
        if "Expression" in query and "MetricStat" in query:
            message = f"The query {query['Id']} has both MetricStat and Expression."
            raise Fault(_INVALID, message)
        if "Expression" in query:
            _check(_tree(query), query["Id"], ids - {query["Id"]})
        elif "MetricStat" in query:
            statistics.check_period(query["MetricStat"]["Period"])
            statistics.check_statistic(query["MetricStat"]["Stat"])
        else:
            message = f"The query {query['Id']} has neither MetricStat nor Expression."
            raise Fault(_INVALID, message)


def series(
    queries: Sequence[Params], wanted: str, start: float, end: float, origin: float = 0.0
) -> Series:
    """The values of the query `wanted`, in the account and Region of the scope; `check` comes first."""
    by_id = {query["Id"]: query for query in queries}

    def value(id_: str) -> Value:
        query = by_id[id_]
        if "Expression" in query:
            return _compute(_tree(query), value)
        return _measured(query["MetricStat"], start, end, origin)

    found = value(wanted)
    return found if isinstance(found, dict) else {}


def period(queries: Sequence[Params]) -> int:
    """The period of an expression's result: the longest of what takes part."""
    return max(int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query)


def _measured(asked: Params, start: float, end: float, origin: float) -> Series:
    found = statistics.datapoints(
        statistics.metric(asked["Metric"], asked.get("Unit")),
        stat=asked["Stat"],
        period=asked["Period"],
        start=start,
        end=end,
        origin=origin,
    )
    return {one.start: one.value for one in found if one.value is not None}


def _tree(query: Params) -> ast.expr:
    text = str(query["Expression"])
    for pattern, word in _WORDS:
        text = re.sub(pattern, word, text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise _wrong(query["Id"], "Syntax error") from None


def _check(node: ast.expr, id_: str, known: set[str]) -> None:
    """Raises: Fault, for what is no metric math, and for what is not here."""
    match node:
        case ast.Constant(value=int() | float()):
            return
        case ast.Name(id=name):
            if name not in known:
                raise _wrong(id_, f"Undefined variable: {name}")
        case ast.UnaryOp(op=ast.USub(), operand=one):
            _check(one, id_, known)
        case ast.BinOp(left=one, op=op, right=other) if type(op) in _BINARY:
            _check(one, id_, known)
            _check(other, id_, known)
        case ast.Compare(left=one, ops=[op], comparators=[other]) if type(op) in _BINARY:
            _check(one, id_, known)
            _check(other, id_, known)
        case ast.BoolOp(values=values):
            for one in values:
                _check(one, id_, known)
        case ast.Call(func=ast.Name(id=name), args=args):
            _check_call(name, args, id_, known)
        case _:
            raise _wrong(id_, "Syntax error")


def _check_call(name: str, args: list[ast.expr], id_: str, known: set[str]) -> None:
    if name not in _FUNCTIONS:
        raise not_implemented(f"The function {name} of metric math")
    least, most = _FUNCTIONS[name]
    if not least <= len(args) <= most:
        raise _wrong(id_, f"Wrong number of arguments of {name}")
    for one in args:
        _check(one, id_, known)


def _wrong(id_: str, why: str) -> Fault:
    return Fault(_INVALID, f"Error in expression '{id_}': {why}")


def _compute(node: ast.expr, value: Callable[[str], Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return value(name)
        case ast.UnaryOp(operand=one):
            return _each(operator.sub, 0.0, _compute(one, value))
        case ast.BinOp(left=one, op=op, right=other):
            return _each(_BINARY[type(op)], _compute(one, value), _compute(other, value))
        case ast.Compare(left=one, ops=[op], comparators=[other]):
            return _each(_BINARY[type(op)], _compute(one, value), _compute(other, value))
        case ast.BoolOp(op=op, values=[first, *rest]):
            found = _compute(first, value)
            for one in rest:
                found = _each(_BINARY[type(op)], found, _compute(one, value))
            return found
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, [_compute(one, value) for one in args])
    raise AssertionError(ast.dump(node))  # `_check` has let it pass


def _call(name: str, args: list[Value]) -> Value:
    match name, args:
        case "IF", [condition, one, *other]:
            return _choose(condition, one, other[0] if other else {})
        case "FILL", [known, default]:
            return _filled(known, default)
        case "SERVICE_QUOTA", _:
            return {}
    compute = _OF_ONE[name]
    return _each(lambda one, _: compute(one), args[0], 0.0)


def _choose(condition: Value, one: Value, other: Value) -> Value:
    if not isinstance(condition, dict):
        return one if condition else other
    picked = {at: (one if holds else other) for at, holds in condition.items()}
    found = {at: _at(value, at) for at, value in picked.items()}
    return {at: value for at, value in found.items() if value is not None}


def _filled(known: Value, default: Value) -> Value:
    """Between its own points only: of times at which nothing is known there is no list here."""
    if not isinstance(known, dict) or not isinstance(default, dict):
        return known
    return default | known


def _each(compute: Callable[[float, float], float], one: Value, other: Value) -> Value:
    """Compute at each time that both have."""
    times = [set(value) for value in (one, other) if isinstance(value, dict)]
    if not times:
        found = _try(compute, one, other)
        return {} if found is None else found
    common = sorted(set.intersection(*times))
    points = {at: _try(compute, _at(one, at), _at(other, at)) for at in common}
    return {at: value for at, value in points.items() if value is not None}


def _try(compute: Callable[[float, float], float], one: Any, other: Any) -> float | None:
    try:
        return float(compute(one, other))
    except (ArithmeticError, ValueError):
        return None


def _at(value: Value | Mapping[float, float], at: float) -> float | None:
    return value.get(at) if isinstance(value, Mapping) else value
