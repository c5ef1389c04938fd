"""Alarms evaluated as CloudWatch does it: metrics by their identity, metric math over them, then the threshold."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

Read = Callable[[str, str, Mapping[str, Any]], float | None]
"""The value of a metric by its name, statistic and dimensions over one period, or None where it has none."""

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def value(alarm: Mapping[str, Any], read: Read) -> float | None:
    """What the alarm of these properties compares with its threshold."""
    if "MetricName" in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return read(alarm["MetricName"], statistic, _dimensions(alarm))
    (returned,) = (query["Id"] for query in alarm["Metrics"] if query["ReturnData"])
    return _Math(alarm["Metrics"], read).named(returned)


def breaches(alarm: Mapping[str, Any], read: Read) -> bool:
    """Whether the alarm goes into its state ALARM if all of its periods read like this."""
    found = value(alarm, read)
    if found is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    if alarm["ComparisonOperator"] == "LessThanThreshold":
        return bool(found < alarm["Threshold"])
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    return bool(found >= alarm["Threshold"])


def _dimensions(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}


class _Math:
    """Metric math over one period; None is a value that is missing, and so is a quotient by zero.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """

    def __init__(self, queries: list[dict[str, Any]], read: Read) -> None:
        self._queries = {query["Id"]: query for query in queries}
        self._read = read

    def named(self, name: str) -> float | None:
        query = self._queries[name]
        if "Expression" in query:
            return self._of(ast.parse(query["Expression"], mode="eval").body)
        stat = query["MetricStat"]
        return self._read(stat["Metric"]["MetricName"], stat["Stat"], _dimensions(stat["Metric"]))

    def _of(self, node: ast.expr) -> float | None:
        match node:
            case ast.Constant(value=float() | int() as number):
                return number
            case ast.Name(id=name):
                return self.named(name)
            case ast.BinOp(left=left, op=operation, right=right):
                return self._operate(type(operation), left, right)
            case ast.Compare(left=left, ops=[operation], comparators=[right]):
                return self._operate(type(operation), left, right)
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, filling]):
                found = self._of(filled)
                return self._of(filling) if found is None else found
            case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
                chosen = self._of(condition)
                return None if chosen is None else self._of(then if chosen else otherwise)
            case ast.Call(func=ast.Name(id="MAX"), args=[ast.List(elts=elements)]):
                return max((found for each in elements if (found := self._of(each)) is not None), default=None)
        raise AssertionError(f"not evaluated here: {ast.unparse(node)}")

    def _operate(self, operation: type[ast.AST], left: ast.expr, right: ast.expr) -> float | None:
        first, second = self._of(left), self._of(right)
        if first is None or second is None:
            return None
        if operation is ast.Div:
            return first / second if second else None
        return _OPERATORS[operation](first, second)
