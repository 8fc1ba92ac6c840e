import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.failover import report, report_page
from platform_pipelines.ledger_records import Incident, IncidentState, Outcome, Step
from tests.failover.looks import T
from tests.fakes.failover_world import PLATFORM, World

INCIDENT = Incident(
    id="inc-1-20261122T030000Z",
    state=IncidentState.SETTLED,
    epoch=1,
    target="tokyo",
    strategy="sequence",
    t0=T,
    proposed_at=T + timedelta(seconds=65),
    opened_at=T + timedelta(seconds=70),
    first_write_at=T + timedelta(seconds=500),
    settled_at=T + timedelta(seconds=505),
    reason="seoul is down",
    lag_before={"efs:pictures": 200.0, "aurora:peccy": 20.7},
)


def _step(name: str, start: float, end: float | None, *resources: dict[str, Any]) -> Step:
    return Step(
        name=name,
        started=T + timedelta(seconds=start),
        ended=T + timedelta(seconds=end) if end is not None else None,
        outcome=Outcome.DONE if end is not None else None,
        resources=resources,
        calls=({"what": "Delete", "resource": "fs-1", "request_id": "r-1"},),
    )


STEPS = [
    _step("promote_efs", 72, 260, {"kind": "efs", "resource": "pictures", "rpo_s": 240.0}),
    _step("promote_aurora", 260, 350, {"kind": "aurora", "resource": "peccy", "rpo_s": 20.7}),
]


def _built(incident: Incident = INCIDENT, steps: list[Step] = STEPS) -> report.Report:
    return report.build(incident, steps, PLATFORM, speed=20.0)


def test_the_numbers_stand_beside_the_objectives() -> None:
    """RTO from T0 to the first write of a client, RPO per kind, and what was promised."""
    made = _built()
    assert made["rto_s"] == 500.0
    assert made["rpo_efs_s"] == 240.0
    assert made["rpo_aurora_s"] == 20.7
    assert made["objectives"] == {"rto_s": 1800.0, "rpo_s": 600.0}
    assert made["met"] == {"rto": True, "rpo": True}
    assert made["speed"] == 20.0


def test_the_keys_are_those_that_scripts_rely_on() -> None:
    """And the whole report is JSON."""
    made = _built()
    fixed = (
        "incident state target strategy speed t0 objectives rto_s rpo_efs_s rpo_aurora_s met "
        "resources steps signals calls approvals verdict_before"
    )
    assert set(fixed.split()) <= set(made)
    assert set(made["steps"][0]) >= {"name", "started", "ended", "outcome"}
    assert made["calls"][0]["step"] == "promote_efs"
    assert json.loads(json.dumps(made)) == made


def test_unknown_is_null_and_never_zero() -> None:
    """No write, no sync, no lag: nothing is claimed."""
    incident = replace(INCIDENT, first_write_at=None, lag_before={})
    made = _built(incident, [])
    assert made["rto_s"] is None
    assert made["rpo_efs_s"] is None
    assert made["rpo_aurora_s"] is None
    assert made["met"] == {"rto": None, "rpo": None}


def test_a_step_that_found_nothing_leaves_what_was_known_at_t0() -> None:
    """The lag before T0 is evidence as well."""
    assert _built(steps=[])["rpo_efs_s"] == 200.0


def test_one_unknown_resource_makes_the_worst_unknown() -> None:
    """Unless another one missed the objective already."""
    systems = (*PLATFORM.file_systems, PLATFORM.file_systems[0].model_copy(update={"name": "logs"}))
    platform = PLATFORM.model_copy(update={"file_systems": systems})
    made = report.build(INCIDENT, STEPS, platform, 1.0)
    assert made["rpo_efs_s"] is None
    assert made["met"]["rpo"] is None


@pytest.mark.parametrize(("after", "met"), [(1800, True), (1801, False)])
def test_a_missed_objective_is_said(after: int, met: bool) -> None:
    """To the second."""
    incident = replace(INCIDENT, first_write_at=T + timedelta(seconds=after))
    assert _built(incident)["met"]["rto"] is met


def test_a_loss_over_the_objective_is_said() -> None:
    """The worst resource counts."""
    steps = [_step("promote_efs", 72, 260, {"kind": "efs", "resource": "pictures", "rpo_s": 601.0})]
    assert _built(steps=steps)["met"]["rpo"] is False


# The page


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def _page(made: report.Report) -> _Page:
    page = _Page()
    page.feed(report_page.page(made))
    return page


def test_the_page_needs_nothing_else() -> None:
    """No script, no link, no font: it opens from a disk, years later."""
    page = _page(_built())
    assert page.links == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in report_page.page(_built())
    assert "@import" not in report_page.page(_built())


def test_the_page_shows_numbers_steps_and_calls() -> None:
    """What an auditor looks for."""
    text = _page(_built()).text
    for wanted in ("500.0 s (8.3 min)", "1800.0 s", "promote_aurora", "r-1", "20 times", "188 s"):
        assert wanted in text


def test_the_page_says_unknown() -> None:
    """In words, where a number is missing."""
    page = _page(_built(replace(INCIDENT, first_write_at=None, lag_before={}), []))
    assert len(re.findall(r"\bunknown\b", page.text)) >= 6


def test_the_page_escapes_what_people_and_clusters_wrote() -> None:
    """A reason, a detail, a resource and an approver are text, not HTML."""
    evil = "<script>alert('x')</script>\"><img src=x>"
    incident = replace(
        INCIDENT,
        reason=evil,
        failure=evil,
        approvals=({"approver": evil, evil: 1},),
        signals=(
            {
                "at": "2026-11-22T03:00:00Z",
                "self_check": "up",
                "signals": {"probes": {"state": "down", "detail": evil}},
            },
        ),
    )
    steps = [
        replace(STEPS[0], detail=evil, name=evil, resources=({"kind": evil, "resource": evil},))
    ]
    page = _page(_built(incident, steps))
    assert page.links == []
    assert not {"script", "img"} & set(page.tags)
    assert page.text.count("alert('x')") >= 6


def test_a_step_that_never_ended_is_drawn() -> None:
    """The process was killed in it."""
    page = _page(
        _built(replace(INCIDENT, state=IncidentState.OPEN), [_step("promote_efs", 72, None)])
    )
    assert "not ended" in page.text
    assert "inc-1-20261122T030000Z: open" in page.text


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    """JSON and HTML by the incident's name, and nothing half-written beside them."""
    written = report.write(_built(), tmp_path / "reports")
    assert json.loads(written.json.read_text())["incident"] == INCIDENT.id
    assert written.html.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [
        f"{INCIDENT.id}.html",
        f"{INCIDENT.id}.json",
    ]


def test_the_report_of_a_real_failover_adds_up(world: World) -> None:
    """From the ledger alone, after a failover in the fake world."""
    world.black_out()
    world.propose()
    incident = world.run()
    made = report.build(incident, world.ledger().steps(incident.id), PLATFORM, 1.0)
    assert made["state"] == "settled"
    assert made["rpo_efs_s"] == 240.0
    assert made["rpo_aurora_s"] == 20.7
    assert 180 + 90 + 150 <= made["rto_s"] <= 480
    assert {call["what"] for call in made["calls"]} == {
        "DeleteReplicationConfiguration",
        "FailoverGlobalCluster",
        "UpdateNodegroupConfig",
        "PutObject",
    }
