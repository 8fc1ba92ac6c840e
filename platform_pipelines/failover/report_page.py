"""A failover's report as one HTML page that needs nothing else: it opens from a disk, years later.

Numbers and their objectives first, then what took the time, then the evidence. `report.write` calls
it; everything that people or clusters wrote is escaped.
"""

import html
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from platform_pipelines.clock import seconds

Item = dict[str, Any]
IDS = frozenset({"id", "source_id", "request_id", "arn"})  # shown as code
SHORT = frozenset({"step", "what"})  # never broken into two lines
STYLE = """
:root{--ink:#1b1f24;--soft:#59636e;--line:#d8dee4;--pale:#f5f7f9}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;
padding:0 1.5rem;color:var(--ink)}h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.15rem;
margin:2.2rem 0 .4rem}h3{font-size:.95rem;margin:1rem 0 0;color:var(--soft)}p{margin:.2rem 0}
.soft{color:var(--soft)}table{border-collapse:collapse;width:100%;margin:.4rem 0}
td,th{text-align:left;padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere}th{font-size:.85rem;font-weight:600;color:var(--soft);
overflow-wrap:normal}td.n,th.n{white-space:nowrap}pre{white-space:pre-wrap;padding:.8rem 1rem;
background:#fdf1f2;border-radius:6px}code{font-size:.85em}
.cards{display:flex;gap:1rem;margin:1.4rem 0;flex-wrap:wrap}.card{flex:1 1 16rem;padding:1rem 1.2rem;
border:1px solid var(--line);border-top:5px solid;border-radius:6px}.card b{display:block;
font-size:1.6rem;color:var(--ink)}.card.met,.card.missed,.card.unknown{color:var(--ink)}.card.met{border-top-color:#1a7f37}.card.missed{border-top-color:
#a40e26}.card.unknown{border-top-color:#9a6700}
.chip{display:inline-block;padding:0 .6rem;border-radius:1rem;font-size:.85rem;font-weight:600;
background:#eaeef2}.met,.up,.done,.green,.settled,.closed{color:#11632d}.missed,.down,.failed,.red
{color:#a40e26}.unknown,.amber,.skipped{color:#7a5200}
.lane{position:relative;height:1.4rem;background:var(--pale);border-radius:3px}.bar{position:absolute;
top:.2rem;bottom:.2rem;min-width:3px;border-radius:2px;background:#3b6fb6}.bar.failed{background:
#a40e26}.bar.skipped{background:#9aa4af}.bar.detection{background:#c58a1c}
summary{cursor:pointer;color:var(--soft)}
@media print{body{margin:0;max-width:none}.bar,.lane,.chip{print-color-adjust:exact}}
"""


def page(report: Item) -> str:
    """The report as HTML."""
    title = f"Incident {_text(report['incident'])}: {_text(report['target'])} became active"
    if report["state"] != "settled":
        title = f"Incident {_text(report['incident'])}: {_text(report['state'])}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{STYLE}</style><h1>{title}</h1>"
        f"<p>{_text(report['reason'])}.<p class=soft>Strategy {_text(report['strategy'])}, attempt "
        f"{report['attempt']}. Times are UTC, AWS-like, and ran at {report['speed']:g} times real "
        f"time; T0 is {_moment(report['t0'])}.</p>"
        f"{_failure(report)}{_objectives(report)}<h2>Where the time went</h2>{_timeline(report)}"
        f"<h2>What happened to each resource</h2>{_resources(report['resources'])}"
        f"<h2>Every changing call</h2>{_rows(report['calls'])}"
        f"<h2>Why we believed that the Region was down</h2>{_looks(report['signals'])}"
        f"<h2>Approvals</h2>{_rows(report['approvals']) if report['approvals'] else _none(report)}"
        f"<h2>Readiness known before</h2>{_before(report['verdict_before'])}</html>\n"
    )


def _text(value: object) -> str:
    return html.escape("unknown" if value is None else str(value))


def _chip(value: object) -> str:
    return f"<span class='chip {_text(value)}'>{_text(value)}</span>"


def _failure(report: Item) -> str:
    return f"<pre class=missed>{_text(report['failure'])}</pre>" if report["failure"] else ""


def _none(report: Item) -> str:
    why = "; ".join(report["why_unsafe"])
    return f"<p>None was needed{': ' + _text(why) if why else ''}.</p>"


def _objectives(report: Item) -> str:
    limits = report["objectives"]
    cards = (
        ("RTO, until a client wrote again", report["rto_s"], limits["rto_s"]),
        ("RPO of the files (EFS)", report["rpo_efs_s"], limits["rpo_s"]),
        ("RPO of the databases (Aurora)", report["rpo_aurora_s"], limits["rpo_s"]),
    )
    return f"<div class=cards>{''.join(_card(*one) for one in cards)}</div>"


def _card(name: str, value: float | None, limit: float) -> str:
    verdict = "unknown" if value is None else "met" if value <= limit else "missed"
    return (
        f"<div class='card {verdict}'>{name}<b>{_seconds(value)}</b>"
        f"<span class=soft>allowed {_seconds(limit)}</span> {_chip(verdict)}</div>"
    )


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s ({value / 60:.1f} min)"


def _timeline(report: Item) -> str:
    start = datetime.fromisoformat(report["t0"])
    bars = [("detection", report["t0"], report["moments"]["opened_at"], "detection", "")]
    bars += [
        (one["name"], one["started"], one["ended"], one["outcome"], one["detail"])
        for one in report["steps"]
    ]
    ends = [_since(start, end) for _, _, end, _, _ in bars if end]
    total = max([*ends, 1.0])
    rows = "".join(
        f"<tr><td class=n>{_text(name)}<td class=n>{_since(start, begin):.0f} s"
        f"<td class=n>{_span(start, begin, end)}<td style='width:45%'>"
        f"{_bar(_since(start, begin), _since(start, end or begin), total, outcome)}"
        f"<td>{'' if outcome == 'detection' else _chip(outcome)} {_text(detail)}"
        for name, begin, end, outcome, detail in bars
        if begin
    )
    return f"<table><tr><th>Step<th class=n>At T0 +<th>Took<th><th>Outcome{rows}</table>"


def _since(start: datetime, text: str) -> float:
    return seconds(datetime.fromisoformat(text) - start)


def _span(start: datetime, begin: str, end: str | None) -> str:
    return f"{_since(start, end) - _since(start, begin):.0f} s" if end else "not ended"


def _bar(begin: float, end: float, total: float, outcome: str | None) -> str:
    left, width = 100 * max(0.0, begin) / total, 100 * max(0.0, end - begin) / total
    style = f"left:{left:.2f}%;width:{width:.2f}%"
    return f"<div class=lane><div class='bar {_text(outcome)}' style='{style}'></div></div>"


def _resources(resources: list[Item]) -> str:
    """A table for each kind: each has facts of its own."""
    kinds = dict.fromkeys(one["kind"] for one in resources)
    return "".join(
        f"<h3>{_text(kind)}</h3>"
        + _rows([_without(one, "kind") for one in resources if one["kind"] == kind])
        for kind in kinds
    ) or _rows([])


def _without(item: Item, key: str) -> Item:
    return {name: value for name, value in item.items() if name != key}


def _looks(looks: list[Item]) -> str:
    """What each vantage group said at each look; how it came to that, below."""
    if not looks:
        return _rows([])
    groups = list(dict.fromkeys(name for look in looks for name in look["signals"]))
    head = "".join(f"<th>{_text(name.replace('_', ' '))}" for name in ("self_check", *groups))
    body = "".join(
        f"<tr><td class=n>{_moment(look['at'])}<td>{_chip(look['self_check'])}"
        + "".join(f"<td>{_chip(look['signals'].get(name, {}).get('state'))}" for name in groups)
        for look in looks
    )
    told = "".join(_told(look) for look in looks)
    return (
        f"<table><tr><th>At{head}{body}</table>"
        f"<details><summary>What each of them saw</summary>{told}</details>"
    )


def _told(look: Item) -> str:
    rows = [{"vantage": name, "saw": one["detail"]} for name, one in look["signals"].items()]
    return f"<h3>{_moment(look['at'])}</h3>{_rows(rows)}"


def _before(verdict: Item | None) -> str:
    if verdict is None:
        return f"<p>{_chip('unknown')}"
    reasons = "; ".join(verdict.get("reasons", ())) or "no reason against a failover"
    return f"<p>{_chip(verdict.get('colour'))} {_text(reasons)}, at {_moment(verdict.get('at'))}."


def _rows(items: Iterable[Item]) -> str:
    items = list(items)
    if not items:
        return "<p>None.</p>"
    keys = list(dict.fromkeys(key for item in items for key in item))
    head = "".join(f"<th>{_text(str(key).replace('_', ' '))}" for key in keys)
    body = "".join("<tr>" + "".join(_cell(key, item) for key in keys) for item in items)
    return f"<table><tr>{head}{body}</table>"


def _cell(key: str, item: Item) -> str:
    match item.get(key, ""):
        case bool(value):
            return f"<td>{'yes' if value else 'no'}"
        case float(value):
            return f"<td class=n>{value:.1f}"
        case str(value) if key in ("at", "last_replicated") or key.endswith("_at"):
            return f"<td class=n>{_moment(value)}"
        case value if key in SHORT:
            return f"<td class=n>{_text(value)}"
        case value if key in IDS:
            return f"<td><code>{_text(value)}</code>"
        case value:
            return f"<td>{_text(value)}"


def _moment(text: object) -> str:
    """A time to the second, as people say it; the JSON has it to the millisecond."""
    try:
        return datetime.fromisoformat(str(text)).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return _text(text)
