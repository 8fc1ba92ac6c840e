"""What people read: rows for the tables of the Dagster UI, and the verdict's Markdown page.

Plain values only, so that it can be tested without Dagster. Unknown is written `unknown`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from platform_pipelines.kube.argocd import ApplicationState
from platform_pipelines.readiness.finding import Finding, Severity
from platform_pipelines.readiness.inventory import Database, FileSystem, Images, NodeGroups
from platform_pipelines.readiness.references import short
from platform_pipelines.readiness.replication import Lag
from platform_pipelines.readiness.verdict import Verdict

Row = dict[str, str | int | float | bool]
UNKNOWN = "unknown"
ORDER = {Severity.ERROR: 0, Severity.WARN: 1, Severity.OK: 2}
MARKS = {Severity.ERROR: "error", Severity.WARN: "warning", Severity.OK: "ok"}


def findings(found: Iterable[Finding]) -> list[Row]:
    """One row per finding, the worst first."""
    return [
        {
            "severity": str(one.severity),
            "state": str(one.state),
            "subject": one.subject,
            "reason": one.reason,
            "next": one.action,
        }
        for one in sorted(found, key=lambda one: ORDER[one.severity])
    ]


def images(found: Images) -> list[Row]:
    """One row per image that the Region's pod templates name."""
    rows: list[Row] = []
    for one in found.references:
        repository = found.repositories.get(one.name.repository)
        image = repository.find(one.name.tag, one.name.digest) if repository else None
        rows.append(
            {
                "image": f"{one.host}/{one.name}",
                "digest": short(image.digest) if image else "absent",
                "children": len(found.children.get(image.digest, ())) if image else 0,
                "pushed": _time(image.pushed) if image else "",
                "used by": ", ".join(one.users),
            }
        )
    return rows


def applications(found: Iterable[ApplicationState]) -> list[Row]:
    """One row per Application."""
    return [
        {
            "application": f"{one.namespace}/{one.name}",
            "sync": one.sync or UNKNOWN,
            "revision": "+".join(revision[:12] for revision in one.revisions) or UNKNOWN,
            "health": one.health or UNKNOWN,
            "reconciled": _time(one.reconciled),
            "operation": one.phase,
            "notes": ", ".join((*one.errors, *one.notes)),
        }
        for one in found
    ]


def file_systems(found: Iterable[FileSystem]) -> list[Row]:
    """One row per file system."""
    return [
        {
            "file system": one.state.name,
            "id": one.state.id,
            "state": one.state.lifecycle,
            "protection": str(one.state.protection),
            "mount targets": one.state.mount_targets,
            "replication": _replication(one),
        }
        for one in found
    ]


def _replication(one: FileSystem) -> str:
    replication = one.state.replication
    if replication is None:
        return "none"
    where = (
        f"from {replication.source_region}"
        if one.state.receives
        else f"to {replication.destination_region}"
    )
    return f"{replication.status} {where}, last sync {_time(replication.last_replicated)}"


def databases(found: Iterable[Database]) -> list[Row]:
    """One row per database."""
    return [
        {
            "database": one.name,
            "cluster": one.cluster.id if one.cluster else "absent",
            "status": one.cluster.status if one.cluster else UNKNOWN,
            "engine": one.cluster.engine_version if one.cluster else UNKNOWN,
            "instances": len(one.cluster.instances) if one.cluster else 0,
            "writer": one.world.writer.region if one.world and one.world.writer else UNKNOWN,
            "lag": f"{one.lag.value:.3f} s" if one.lag else "",
        }
        for one in found
    ]


def node_groups(found: NodeGroups) -> list[Row]:
    """One row per node group."""
    return [
        {
            "node group": one.name,
            "status": one.status,
            "desired": one.desired,
            "ready": found.ready(one.name),
            "minimum": one.minimum,
            "maximum": one.maximum,
            "types": ", ".join(one.instance_types),
            "issues": "; ".join(one.issues),
        }
        for one in found.groups
    ]


def lags(found: Iterable[Lag]) -> list[Row]:
    """One row per replicated resource."""
    return [
        {
            "resource": one.resource,
            "lag": _seconds(one.lag),
            "state": str(one.state),
            "objective": _seconds(one.objective),
            "approval over": _seconds(one.approval),
            "source": one.broken or one.source,
        }
        for one in found
    ]


def verdict(found: Verdict) -> str:
    """The verdict as a Markdown page."""
    roles = found.roles
    who = f"{roles.active} is active, {roles.standby} is standby" if roles else "roles unknown"
    lines = [f"## {found.colour}", "", f"{_time(found.at)}: {who}."]
    lines += [f"- predicted RPO {kind}: {_seconds(lag)}" for kind, lag in found.rpo.items()]
    if found.reasons:
        lines += ["", "### Why", ""]
        lines += [f"{number}. {reason}" for number, reason in enumerate(found.reasons, 1)]
    return "\n".join([*lines, "", "### All that was looked at", "", *_table(found.findings)])


def _table(found: Iterable[Finding]) -> list[str]:
    ordered = sorted(found, key=lambda one: ORDER[one.severity])
    columns: list[Callable[[Finding], Any]] = [
        lambda one: MARKS[one.severity],
        lambda one: one.check,
        lambda one: one.subject,
        lambda one: one.reason,
        lambda one: one.action,
    ]
    head = ["| | check | subject | reason | next |", "|---|---|---|---|---|"]
    return head + [
        "| " + " | ".join(_cell(column(one)) for column in columns) + " |" for one in ordered
    ]


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else UNKNOWN


def _seconds(lag: timedelta | None) -> str:
    return f"{lag.total_seconds():.1f} s" if lag is not None else UNKNOWN
