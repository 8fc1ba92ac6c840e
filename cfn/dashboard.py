"""A Region's dashboard: the state of all alarms, and each metric with its threshold; part of `alerts`.

Dashboards belong to the account and not to a Region, so the name says which Region it shows.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from troposphere import Join
from troposphere.cloudwatch import Dashboard

from cfn import alarms
from cfn.alarms import Measure, Watched
from platform_pipelines.model import Platform, Region

GROUPS = ("lag", "health", "capacity")
WIDTH, HEIGHT, COLUMNS = 8, 6, 3  # of a graph, in the dashboard's grid of 24


def dashboard(platform: Platform, region: Region, watched: Sequence[Watched]) -> Dashboard:
    """The Region's dashboard, `<platform>-<alias>`."""
    values: dict[str, Any] = {}
    widgets = [_states(platform, region, watched)]
    top = HEIGHT
    for group in GROUPS:
        shown = [one for one in watched if one.group == group]
        widgets.append(_text(group, top))
        top += 1
        for number, one in enumerate(shown):
            widgets.append(_graph(region, one, number, top, values))
        top += HEIGHT * -(-len(shown) // COLUMNS)
    body = json.dumps({"widgets": widgets}, sort_keys=True, separators=(",", ":"))
    return Dashboard(
        "Dashboard",
        DashboardName=f"{platform.platform}-{region.alias}",
        DashboardBody=_filled(body, values),
    )


def _filled(body: str, values: Mapping[str, Any]) -> Any:
    """The body with each place taken by its value."""
    parts = [values.get(part, part) for part in re.split(r"<(Value\d+)>", body)]
    return Join("", parts) if values else body


def _states(platform: Platform, region: Region, watched: Sequence[Watched]) -> dict[str, Any]:
    return {
        "type": "alarm",
        **_place(0, 0, width=24),
        "properties": {
            "title": f"{platform.platform} in {region.alias}",
            "alarms": [alarms.arn(platform, region, one) for one in watched],
        },
    }


def _text(group: str, top: int) -> dict[str, Any]:
    place = {**_place(0, top, width=24), "height": 1}
    return {"type": "text", **place, "properties": {"markdown": f"## {group.title()}"}}


def _graph(
    region: Region, one: Watched, number: int, top: int, values: dict[str, Any]
) -> dict[str, Any]:
    """A graph; what CloudFormation must fill in is put into `values`."""
    column, row = number % COLUMNS, number // COLUMNS
    rows = [
        _row(measure, f"m{index}", one.expression is None, values)
        for index, measure in enumerate(one.measures)
    ]
    if one.expression:
        rows.append([{"id": "found", "expression": one.expression, "label": " ".join(one.words)}])
    return {
        "type": "metric",
        **_place(column * WIDTH, top + row * HEIGHT),
        "properties": {
            "title": " ".join(one.words),
            "region": region.name,
            "view": "timeSeries",
            "metrics": rows,
            "annotations": {"horizontal": [{"label": "alarm", "value": one.threshold}]},
        },
    }


def _row(measure: Measure, name: str, visible: bool, values: dict[str, Any]) -> list[Any]:
    found: list[Any] = [measure.namespace, measure.name]
    for key, value in measure.dimensions.items():
        found += [key, value if isinstance(value, str) else _later(value, values)]
    settings = {"id": name, "stat": measure.statistic, "period": measure.period}
    return [*found, {**settings, "visible": visible}]


def _later(value: Any, values: dict[str, Any]) -> str:
    """A place that is filled at last; the same value has the same place."""
    known = {json.dumps(one.to_dict()): name for name, one in values.items()}
    name = known.get(json.dumps(value.to_dict()), f"Value{len(values)}")
    values[name] = value
    return f"<{name}>"


def _place(x: int, y: int, width: int = WIDTH) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": HEIGHT}
