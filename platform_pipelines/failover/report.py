"""The evidence that a failover leaves: what happened, when, and was it within the objectives.

Built from the ledger alone, so it can be made again at any time. JSON for machines, one
self-contained HTML page for people. All times are AWS-like; `speed` says how fast they ran.
Unknown is null and never zero.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_pipelines.clock import seconds
from platform_pipelines.failover.loss import Loss, worst
from platform_pipelines.failover.report_page import page
from platform_pipelines.ledger_records import Incident, Step, plain, record
from platform_pipelines.model import Platform

Report = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where a report is."""

    json: Path
    html: Path


def build(incident: Incident, steps: list[Step], platform: Platform, speed: float) -> Report:
    """The report of an incident as plain values; the keys are fixed."""
    losses = list(_losses(incident, steps, platform))
    objective = platform.objectives.region_down
    rto = seconds(incident.first_write_at - incident.t0) if incident.first_write_at else None
    rpo_efs, rpo_aurora = worst(losses, "efs"), worst(losses, "aurora")
    kinds = {"efs": bool(platform.file_systems), "aurora": bool(platform.databases)}
    rpos = [rpo for rpo, kind in ((rpo_efs, "efs"), (rpo_aurora, "aurora")) if kinds[kind]]
    return {
        "incident": incident.id,
        "state": incident.state.value,
        "target": incident.target,
        "strategy": incident.strategy,
        "speed": speed,
        "reason": incident.reason,
        "attempt": incident.attempt,
        "t0": plain(incident.t0),
        "objectives": {"rto_s": seconds(objective.rto), "rpo_s": seconds(objective.rpo)},
        "rto_s": rto,
        "rpo_efs_s": rpo_efs,
        "rpo_aurora_s": rpo_aurora,
        "met": {
            "rto": None if rto is None else rto <= seconds(objective.rto),
            "rpo": _all_within(rpos, seconds(objective.rpo)),
        },
        "resources": [one for step in steps for one in step.resources],
        "steps": [_step(step) for step in steps],
        "signals": list(incident.signals),
        "calls": [{"step": step.name, **call} for step in steps for call in step.calls],
        "approvals": list(incident.approvals),
        "why_unsafe": list(incident.why_unsafe),
        "verdict_before": incident.verdict_before,
        "moments": _moments(incident),
        "failure": incident.failure,
    }


def write(report: Report, folder: Path) -> Written:
    """Write both forms, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(
        json=folder / f"{report['incident']}.json", html=folder / f"{report['incident']}.html"
    )
    for path, text in (
        (written.json, json.dumps(report, indent=2) + "\n"),
        (written.html, page(report)),
    ):
        part = path.with_suffix(path.suffix + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return written


def _losses(incident: Incident, steps: list[Step], platform: Platform) -> Iterable[Loss]:
    """What each resource lost: as its step found it, else as it was known at T0."""
    found = {
        f"{one['kind']}:{one['resource']}": one.get("rpo_s")
        for step in steps
        for one in step.resources
    }
    names = [("efs", one.name) for one in platform.file_systems]
    names += [("aurora", one.name) for one in platform.databases]
    for kind, name in names:
        key = f"{kind}:{name}"
        value = found.get(key)
        yield Loss(
            kind=kind,
            resource=name,
            seconds=incident.lag_before.get(key) if value is None else value,
        )


def _all_within(values: list[float | None], limit: float) -> bool | None:
    """Whether every value is within the limit; None as soon as that is unknown."""
    if any(value is not None and value > limit for value in values):
        return False
    return None if any(value is None for value in values) else True


def _step(step: Step) -> dict[str, Any]:
    values = record(step)
    kept = ("name", "started", "ended", "outcome", "detail")
    return {key: values.get(key) for key in kept}


def _moments(incident: Incident) -> dict[str, Any]:
    names = ("t0", "proposed_at", "opened_at", "first_write_at", "settled_at")
    return {name: plain(getattr(incident, name)) for name in names}
