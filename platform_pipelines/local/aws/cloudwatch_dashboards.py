"""CloudWatch's dashboards, which belong to an account and to no Region; ministack keeps them.

A body that is no dashboard is refused with what is wrong in it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.answers import tag_list, tag_map
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

PLACE = "us-east-1"  # where ministack keeps what belongs to no Region
PAGE = 1000
_WRONG, _INVALID, _MISSING = "InvalidParameterInput", "InvalidParameterValue", "ResourceNotFound"
_WIDGETS = ("metric", "text", "log", "alarm", "explorer", "custom")
_SIZES = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}


class Dashboards(Service):
    """The dashboard operations of CloudWatch."""

    name = "cloudwatch"

    @operation(raises=(_WRONG,))
    def PutDashboard(self, call: Call) -> Result:  # noqa: N802
        found = list(problems(call.params["DashboardBody"]))
        if found:
            members = {"dashboardValidationMessages": found}
            message = "The field DashboardBody must be a valid JSON object"
            text = found[0]["Message"] if len(found) == 1 else message
            raise Fault(_WRONG, text, members=members)
        new = call.params["DashboardName"] not in _known(call)
        with ministack.scope(call.account, PLACE):
            stores.ask(call)
        if new and call.params.get("Tags"):
            arn = _known(call)[call.params["DashboardName"]]["DashboardArn"]
            self.TagResource(replace(call, params=call.params | {"ResourceARN": arn}))
        return {"DashboardValidationMessages": []}

    @operation(raises=(_MISSING,))
    def GetDashboard(self, call: Call) -> Result:  # noqa: N802
        known = _known(call).get(call.params["DashboardName"])
        if known is None:
            message = f"Dashboard {call.params['DashboardName']} does not exist"
            raise Fault(_MISSING, message, 404)
        return {key: known[key] for key in ("DashboardArn", "DashboardBody", "DashboardName")}

    @operation(raises=(_INVALID,))
    def ListDashboards(self, call: Call) -> Result:  # noqa: N802
        prefix = call.params.get("DashboardNamePrefix", "")
        with ministack.scope(call.account, PLACE):
            asked = {"DashboardNamePrefix": prefix}
            found = stores.ask(call, asked)["DashboardEntries"]
        wrong = Fault(_INVALID, "The token is not valid.")
        return paged("DashboardEntries", found, call.params, wrong=wrong, limit=PAGE)

    @operation(raises=(_MISSING,))
    def DeleteDashboards(self, call: Call) -> Result:  # noqa: N802
        names = call.params["DashboardNames"]
        missing = [name for name in names if name not in _known(call)]
        if missing:
            raise Fault(_MISSING, f"Dashboard {missing[0]} does not exist", 404)
        with ministack.scope(call.account, PLACE):
            stores.ask(call)
        return {}

    # Tags: of an alarm, ministack has them

    @operation(raises=(_MISSING,))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        if not _is_dashboard(call):
            return stores.ask(call)
        _tags(call).update(tag_map(call.params["Tags"]))
        return {}

    @operation(raises=(_MISSING,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        if not _is_dashboard(call):
            return stores.ask(call)
        for key in call.params["TagKeys"]:
            _tags(call).pop(key, None)
        return {}

    @operation(raises=(_MISSING,))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        if not _is_dashboard(call):
            return stores.ask(call)
        return {"Tags": tag_list(_tags(call))}


def _is_dashboard(call: Call) -> bool:
    """Whether a call is about a dashboard. Raises: Fault, for one that is not there."""
    arn = call.params["ResourceARN"]
    if ":dashboard/" not in arn:
        return False
    if all(one["DashboardArn"] != arn for one in _known(call).values()):
        raise Fault(_MISSING, f"Dashboard {arn} not found", 404)
    return True


def _tags(call: Call) -> dict[str, str]:
    """The tags of a dashboard, to be changed."""
    store = ministack.service("cloudwatch")._resource_tags
    found: dict[str, str] = store.setdefault(call.params["ResourceARN"], {})
    return found


def _known(call: Call) -> dict[str, dict[str, Any]]:
    """The account's dashboards, by name."""
    with ministack.scope(call.account, PLACE):
        return dict(ministack.service("cloudwatch")._dashboards.items())


def problems(body: str) -> Iterator[dict[str, str]]:
    """What CloudWatch has against a dashboard's body."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        yield _problem("", "The field DashboardBody must be a valid JSON object")
        return
    widgets = found.get("widgets")
    if not isinstance(widgets, list):
        yield _problem("/widgets", "The field widgets is required, and must be an array")
        return
    for number, widget in enumerate(widgets):
        yield from _of_widget(f"/widgets/{number}", widget)


def _of_widget(path: str, widget: Any) -> Iterator[dict[str, str]]:
    if not isinstance(widget, dict):
        yield _problem(path, "Should be object")
        return
    if widget.get("type") not in _WIDGETS:
        yield _problem(f"{path}/type", f"Should be one of: {', '.join(_WIDGETS)}")
    if not isinstance(widget.get("properties"), dict):
        yield _problem(f"{path}/properties", "Should have required property 'properties'")
    elif widget.get("type") == "metric" and "region" not in widget["properties"]:
        yield _problem(f"{path}/properties/region", "Should have required property 'region'")
    for name, (least, most) in _SIZES.items():
        value = widget.get(name)
        fits = isinstance(value, int) and value >= least and (most is None or value <= most)
        if value is not None and not fits:
            yield _problem(
                f"{path}/{name}", f"Should be >= {least}" + (f" and <= {most}" * bool(most))
            )


def _problem(path: str, message: str) -> dict[str, str]:
    return {"DataPath": path, "Message": message}
