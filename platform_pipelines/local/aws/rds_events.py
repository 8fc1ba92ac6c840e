"""RDS events: what happened to a cluster or an instance, as DescribeEvents tells it for 14 days.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
"""

from datetime import UTC, datetime, timedelta

from platform_pipelines.local.aws.rds_store import EVENTS, Record, name_of
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Call, Fault, Params, Result
from platform_pipelines.local.world import World

KEPT = timedelta(days=14).total_seconds()
_DEFAULT_MINUTES = 60
_CLUSTER, _INSTANCE = "db-cluster", "db-instance"


def note_cluster(world: World, cluster: Record, message: str, *categories: str) -> None:
    """Record an event of a DB cluster."""
    _note(world, cluster["DBClusterArn"], _CLUSTER, message, categories)


def note_instance(world: World, instance: Record, message: str, *categories: str) -> None:
    """Record an event of a DB instance."""
    _note(world, instance["DBInstanceArn"], _INSTANCE, message, categories)


def _note(world: World, arn: str, kind: str, message: str, categories: tuple[str, ...]) -> None:
    account, region = arn.split(":")[4], arn.split(":")[3]
    now = world.now()
    _forget(account, region, now - KEPT)
    key = f"{now:017.3f}-{len(EVENTS.of(account, region)):06d}"
    event = {
        "SourceIdentifier": name_of(arn),
        "SourceType": kind,
        "Message": message,
        "EventCategories": list(categories),
        "Date": now,
        "SourceArn": arn,
        "_key": key,
    }
    EVENTS.put(account, region, key, event)


def _forget(account: str, region: str, before: float) -> None:
    for event in EVENTS.of(account, region):
        if event["Date"] < before:
            EVENTS.drop(account, region, event["_key"])


def select(world: World, call: Call) -> list[Result]:
    """The events that a DescribeEvents asks for, the oldest first. Raises: Fault."""
    params = call.params
    if params.get("SourceIdentifier") and not params.get("SourceType"):
        message = "SourceType is required when SourceIdentifier is given."
        raise Fault("InvalidParameterCombination", message)
    since, until = _span(params, world.now())
    return [
        shown(event)
        for event in EVENTS.of(call.account, call.region)
        if since <= event["Date"] <= until and _asked(event, params)
    ]


def _span(params: Params, now: float) -> tuple[float, float]:
    until = _unix(params["EndTime"]) if "EndTime" in params else now
    if "StartTime" in params:
        return _unix(params["StartTime"]), until
    return until - 60 * params.get("Duration", _DEFAULT_MINUTES), until


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _asked(event: Record, params: Params) -> bool:
    categories = params.get("EventCategories") or event["EventCategories"]
    return (
        params.get("SourceType", event["SourceType"]) == event["SourceType"]
        and params.get("SourceIdentifier", event["SourceIdentifier"]) == event["SourceIdentifier"]
        and (not event["EventCategories"] or bool({*categories} & {*event["EventCategories"]}))
    )
