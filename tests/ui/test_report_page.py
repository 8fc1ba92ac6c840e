from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from platform_pipelines import model
from platform_pipelines.failover import report
from platform_pipelines.ledger_records import Incident, IncidentState, Outcome, Step, iso
from tests.local_world import PLATFORM
from tests.ui.conftest import Shoot

T0 = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SEEN = {
    "checkers": "signal-seoul.peccy.example.com says 'down'",
    "heartbeat": "beat 66 has stood for 90 s",
    "probes": "AWS API: read timeout; Kubernetes API: read timeout; service: read timeout",
}


def _at(after: float) -> datetime:
    return T0 + timedelta(seconds=after)


def _look(after: float, *down: str) -> dict[str, object]:
    signals = {
        name: {"state": "down" if name in down else "up", "detail": detail if name in down else ""}
        for name, detail in SEEN.items()
    }
    return {"at": iso(_at(after)), "self_check": "up", "signals": signals}


INCIDENT = Incident(
    id="inc-1-20261122T030120Z",
    state=IncidentState.SETTLED,
    epoch=1,
    target="tokyo",
    strategy="sequence",
    t0=T0,
    proposed_at=_at(80),
    opened_at=_at(250),
    first_write_at=_at(800),
    settled_at=_at(806),
    reason="seoul is down since 2026-11-22T03:00:00Z: checkers, heartbeat and probes agree",
    signals=(_look(0, "probes"), _look(41, "probes", "checkers"), _look(82, *SEEN)),
    verdict_before={"at": iso(_at(-20)), "colour": "green", "reasons": []},
)


def _step(name: str, start: float, end: float, **more: object) -> Step:
    values = {"outcome": Outcome.DONE, **more}
    return Step(name=name, started=_at(start), ended=_at(end), **values)  # type: ignore[arg-type]


def _call(after: float, what: str, resource: str) -> dict[str, object]:
    request = f"7bd61f01-2df6-49cd-9cd1-{int(after):012d}"
    return {"at": iso(_at(after)), "what": what, "resource": resource, "request_id": request}


EFS: dict[str, Any] = {
    "kind": "efs",
    "resource": "pictures",
    "id": "fs-b89826070bbada1a4",
    "source_id": "fs-583b2da197aeb68a7",
    "rpo_s": 59.3,
    "asked_at": iso(_at(320)),
    "writable_at": iso(_at(502)),
}
STEPS = [
    _step(
        "hold_old_side",
        252,
        308,
        outcome=Outcome.SKIPPED,
        detail="seoul cannot be reached, so none of its pods was stopped",
        resources=({"kind": "fence", "resource": "web", "stopped": False, "why": "read timeout"},),
    ),
    _step(
        "promote_efs",
        310,
        503,
        resources=(EFS,),
        calls=(_call(320, "DeleteReplicationConfiguration", EFS["id"]),),
    ),
    _step(
        "promote_aurora",
        504,
        600,
        resources=({"kind": "aurora", "resource": "peccy", "rpo_s": 0.9},),
        calls=(_call(506, "FailoverGlobalCluster", "peccy-peccy"),),
    ),
    _step(
        "scale_node_groups",
        601,
        770,
        calls=(
            _call(602, "UpdateNodegroupConfig", "peccy-tokyo/web"),
            _call(603, "UpdateNodegroupConfig", "peccy-tokyo/app"),
        ),
    ),
    _step("verify_service", 771, 786),
    _step("move_traffic", 787, 803, calls=(_call(788, "PutObject", "peccy-traffic/serving"),)),
]


def test_the_report_opens_in_a_browser_and_tells_rto_and_rpo(
    page: Page, shoot: Shoot, tmp_path: Path
) -> None:
    """Each number stands beside its objective; nothing is fetched, nothing overflows."""
    made = report.build(INCIDENT, STEPS, model.load(PLATFORM), speed=20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.write(made, tmp_path).html.as_uri())

    expect(page).to_have_title(f"Incident {INCIDENT.id}: tokyo became active")
    for number in ("800.0 s (13.3 min)", "59.3 s (1.0 min)", "0.9 s (0.0 min)"):
        card = page.locator(".card").filter(has_text=number)
        expect(card).to_contain_text("allowed")
        expect(card).to_contain_text("met")
    expect(page.get_by_text("FailoverGlobalCluster")).to_be_visible()
    assert len(asked) == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shoot("report")
