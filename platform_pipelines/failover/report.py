"""The evidence that a failover leaves: what happened, when, and was it within the objectives.

Built from the ledger alone, so it can be made again at any time. JSON for machines, one
self-contained HTML page for people. All times are AWS-like; `speed` says how fast they ran.
Unknown is null and never zero.
"""

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_pipelines.clock import seconds
from platform_pipelines.failover.loss import Loss, worst
from platform_pipelines.ledger_records import Incident, Step, plain, record
from platform_pipelines.model import Platform

Report = dict[str, Any]
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:.6rem 0 1.6rem}td,th{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid #d8dee4;vertical-align:top}.met{color:#11632d}.missed{color:#a40e26}.unknown{color:#6e5600}
.lane{position:relative;height:1.3rem;background:#f2f4f6}.bar{position:absolute;top:.15rem;bottom:.15rem;
min-width:3px;background:#3b6fb6}.bar.failed{background:#a40e26}.bar.skipped{background:#9aa4af}
code{font-size:.85em}
"""


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


# The page


def page(report: Report) -> str:
    """The report as one HTML page that needs nothing else."""
    title = f"Incident {_text(report['incident'])}: {_text(report['target'])} became active"
    if report["state"] != "settled":
        title = f"Incident {_text(report['incident'])}: {_text(report['state'])}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{STYLE}</style><h1>{title}</h1>"
        f"<p>{_text(report['reason'])}. Strategy <b>{_text(report['strategy'])}</b>, attempt "
        f"{report['attempt']}. Times are AWS-like and ran at {report['speed']:g} times real time.</p>"
        f"{_failure(report)}{_objectives(report)}<h2>Timeline</h2>{_timeline(report)}"
        f"<h2>Resources</h2>{_rows(report['resources'])}"
        f"<h2>Changing calls</h2>{_rows(report['calls'])}"
        f"<h2>Evidence</h2>{_rows(_looks(report['signals']))}"
        f"<h2>Approvals</h2>{_rows(report['approvals']) if report['approvals'] else _none(report)}"
        f"<h2>Readiness known before</h2>{_rows([report['verdict_before'] or {'verdict': 'unknown'}])}"
        "</html>\n"
    )


def _text(value: object) -> str:
    return html.escape("unknown" if value is None else str(value))


def _failure(report: Report) -> str:
    return f"<pre class=missed>{_text(report['failure'])}</pre>" if report["failure"] else ""


def _none(report: Report) -> str:
    why = "; ".join(report["why_unsafe"])
    return f"<p>None was needed{': ' + _text(why) if why else ''}.</p>"


def _objectives(report: Report) -> str:
    limits, met = report["objectives"], report["met"]
    rows = [
        ("RTO", report["rto_s"], limits["rto_s"], met["rto"]),
        ("RPO, EFS", report["rpo_efs_s"], limits["rpo_s"], None),
        ("RPO, Aurora", report["rpo_aurora_s"], limits["rpo_s"], None),
    ]
    cells = "".join(
        f"<tr><td>{name}<td class={_verdict(value, limit)}>{_seconds(value)}"
        f"<td>{_seconds(limit)}<td class={_verdict(value, limit)}>{_verdict(value, limit)}"
        for name, value, limit, _ in rows
    )
    return f"<table><tr><th>Objective<th>Achieved<th>Allowed<th>{cells}</table>"


def _verdict(value: float | None, limit: float) -> str:
    return "unknown" if value is None else "met" if value <= limit else "missed"


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s ({value / 60:.1f} min)"


def _timeline(report: Report) -> str:
    start = datetime.fromisoformat(report["t0"])
    bars = [("detection", report["t0"], report["moments"]["opened_at"], "done", "")]
    bars += [
        (one["name"], one["started"], one["ended"], one["outcome"], one["detail"])
        for one in report["steps"]
    ]
    ends = [_since(start, end) for _, _, end, _, _ in bars if end]
    total = max([*ends, 1.0])
    rows = "".join(
        f"<tr><td>{_text(name)}<td>{_since(start, begin):.0f} s<td>{_span(start, begin, end)}"
        f"<td style='width:50%'>{_bar(_since(start, begin), _since(start, end or begin), total, outcome)}"
        f"<td>{_text(outcome)} {_text(detail)}"
        for name, begin, end, outcome, detail in bars
        if begin
    )
    return f"<table><tr><th>Step<th>At<th>Took<th><th>Outcome{rows}</table>"


def _since(start: datetime, text: str) -> float:
    return seconds(datetime.fromisoformat(text) - start)


def _span(start: datetime, begin: str, end: str | None) -> str:
    return f"{_since(start, end) - _since(start, begin):.0f} s" if end else "not ended"


def _bar(begin: float, end: float, total: float, outcome: str | None) -> str:
    left, width = 100 * max(0.0, begin) / total, 100 * max(0.0, end - begin) / total
    style = f"left:{left:.2f}%;width:{width:.2f}%"
    return f"<div class=lane><div class='bar {_text(outcome)}' style='{style}'></div></div>"


def _looks(signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "at": look["at"],
            "self_check": look["self_check"],
            **{name: one["state"] for name, one in look["signals"].items()},
            "detail": "; ".join(one["detail"] for one in look["signals"].values()),
        }
        for look in signals
    ]


def _rows(items: list[dict[str, Any]]) -> str:
    if not items:
        return "<p>None.</p>"
    keys = list(dict.fromkeys(key for item in items for key in item))
    head = "".join(f"<th>{_text(key)}" for key in keys)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(item.get(key, ''))}" for key in keys) for item in items
    )
    return f"<table><tr>{head}{body}</table>"
