"""How RDS shows its records: members of the API, chosen by filters, a page at a time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local.aws import paging
from platform_pipelines.local.aws.rds_store import Record
from platform_pipelines.local.aws.service import Fault, Params, Result

FEWEST, MOST = 20, 100  # records in a page
_TIMES = frozenset(
    {
        *("ClusterCreateTime", "Date", "EarliestRestorableTime", "InstanceCreateTime"),
        *("LatestRestorableTime", "SnapshotCreateTime"),
    }
)

# What a filter of this name looks at in a shown record.
Filters = Mapping[str, Callable[[Record], set[str]]]


def shown(record: Record) -> Result:
    """A record without our notes, with times as times."""
    return {
        key: datetime.fromtimestamp(round(value, 3), UTC) if key in _TIMES else value
        for key, value in record.items()
        if not key.startswith("_")
    }


def select(items: list[Result], params: Params, known: Filters) -> list[Result]:
    """The items that pass every filter. Raises: Fault, for a filter that the operation lacks."""
    for one in params.get("Filters", []):
        look = known.get(one["Name"])
        if look is None:
            raise Fault("InvalidParameterValue", f"Unrecognized filter name: {one['Name']}")
        items = [item for item in items if look(item) & set(one["Values"])]
    return items


def paged(key: str, items: list[Any], params: Params) -> Result:
    """A page of an answer, with the marker of the next one. Raises: Fault."""
    limit = params.get("MaxRecords", MOST)
    if not FEWEST <= limit <= MOST:
        message = f"Invalid value {limit} for MaxRecords. Must be between {FEWEST} and {MOST}"
        raise Fault("InvalidParameterValue", message)
    wrong = Fault("InvalidParameterValue", "The marker is not valid.")
    names = ("Marker", "MaxRecords")
    return paging.paged(key, items, params, wrong=wrong, limit=limit, names=names)
