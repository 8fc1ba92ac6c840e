from datetime import timedelta

import pytest

from platform_pipelines import turn
from platform_pipelines.ledger_records import Colour, Roles
from platform_pipelines.readiness import pages, verdict
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.references import ImageName, parse
from platform_pipelines.readiness.replication import Kind, Lag
from tests.readiness.builders import NOW, ROLES

OK, WARN, ERROR = Severity.OK, Severity.WARN, Severity.ERROR


def finding(severity: Severity, subject: str = "web", check: str = "ecr_image_parity") -> Finding:
    """A finding of this severity."""
    return Finding(
        check=check,
        subject=subject,
        state="some",
        severity=severity,
        reason=f"is {severity}",
        action="Do it" if severity is not OK else "",
    )


def lag(kind: Kind, span: timedelta | None, name: str = "pictures") -> Lag:
    """A measured lag."""
    hour = timedelta(hours=1)
    return Lag(kind=kind, name=name, lag=span, source="", objective=hour, approval=hour)


@pytest.mark.parametrize(
    ("severities", "colour"),
    [
        ([OK, OK], Colour.GREEN),
        ([OK, WARN], Colour.AMBER),
        ([WARN, ERROR, OK], Colour.RED),
        ([], Colour.RED),
    ],
    ids=["all is well", "a warning", "an error", "nothing was looked at"],
)
def test_the_colour_is_the_worst_that_was_found(severities: list[Severity], colour: Colour) -> None:
    """Green needs findings, all of them good: absence is never green."""
    found = verdict.judge([finding(one) for one in severities], [], ROLES, NOW)
    assert found.colour is colour
    assert bool(found.reasons) is (colour is not Colour.GREEN)


def test_reasons_stand_with_the_worst_first_in_the_order_of_the_checks() -> None:
    """What a person has to do first is read first."""
    found = verdict.judge(
        [
            finding(WARN, "a"),
            finding(ERROR, "b"),
            finding(OK, "c"),
            finding(ERROR, "d", "replication_lag"),
        ],
        [],
        ROLES,
        NOW,
    )
    assert found.reasons == (
        "ecr_image_parity: b: is error. Do it",
        "replication_lag: d: is error. Do it",
        "ecr_image_parity: a: is warn. Do it",
    )


def test_the_predicted_loss_is_the_worst_lag_and_unknown_if_one_is() -> None:
    """One unknown lag makes its kind unknown, not as small as the others."""
    minute = timedelta(minutes=1)
    lags = [lag(Kind.EFS, minute), lag(Kind.EFS, 2 * minute, "more")]
    lags += [lag(Kind.AURORA, minute), lag(Kind.AURORA, None, "more")]
    found = verdict.judge([finding(OK)], lags, ROLES, NOW)
    assert found.rpo == {Kind.EFS: 2 * minute, Kind.AURORA: None}


@pytest.mark.parametrize(
    ("roles", "severity", "reason"),
    [
        (ROLES, OK, "seoul is active, tokyo is standby, epoch 1"),
        (None, ERROR, "the ledger names no roles"),
        (Unknown(region="ledger", what="roles", reason="no table"), ERROR, "no table"),
    ],
)
def test_without_roles_the_verdict_is_red(
    roles: Roles | Unknown | None, severity: Severity, reason: str
) -> None:
    """Nobody could tell what would fail over to where."""
    (found,) = verdict.of_roles(roles)
    assert (found.severity, reason in found.reason) == (severity, True)


def test_what_could_not_be_read_is_named_once_a_region() -> None:
    """A dark Region is one reason, not ten."""
    unread = [Unknown(region="seoul", what=what, reason="silence") for what in ("a", "b")]
    (found,) = verdict.of_inventories([*unread, object()])
    assert (found.subject, found.severity) == ("seoul", WARN)
    assert found.reason == "a, b could not be read: silence"


def test_the_page_says_unknown_and_never_zero() -> None:
    """A person reads the colour, the roles, the predicted loss, and why."""
    found = verdict.judge([finding(ERROR, "a|b")], [lag(Kind.AURORA, None)], None, NOW)
    page = pages.verdict(found)
    assert page.startswith("## red\n\n2026-11-22 03:00:00Z: roles unknown.")
    assert "predicted RPO aurora: unknown" in page
    assert "1. ecr_image_parity: a|b: is error. Do it" in page
    assert "| error | ecr_image_parity | a\\|b | is error | Do it |" in page


@pytest.mark.parametrize(
    ("controller", "roles", "skips"),
    [
        ("external", ROLES, False),
        ("tokyo", ROLES, False),
        ("seoul", ROLES, True),
        ("seoul", None, False),
    ],
    ids=["external", "standby", "active", "nobody knows"],
)
def test_the_standby_or_an_external_controller_looks_at_night(
    controller: str, roles: Roles | None, skips: bool
) -> None:
    """The active Region's controller leaves it to the one that would have to take over."""
    assert bool(turn.skip_reason(controller, lambda: roles, "readiness")) is skips


@pytest.mark.parametrize(
    ("text", "host", "name"),
    [
        ("nginx", "docker.io", ImageName(repository="nginx", tag="latest")),
        ("library/nginx:1", "docker.io", ImageName(repository="library/nginx", tag="1")),
        ("quay.io/a/b:1", "quay.io", ImageName(repository="a/b", tag="1")),
        ("localhost:5000/a", "localhost:5000", ImageName(repository="a", tag="latest")),
        ("r.io/a@sha256:1f", "r.io", ImageName(repository="a", digest="sha256:1f")),
        ("r.io/a:2@sha256:1f", "r.io", ImageName(repository="a", tag="2", digest="sha256:1f")),
    ],
)
def test_image_names_are_read_as_container_runtimes_read_them(
    text: str, host: str, name: ImageName
) -> None:
    """The default registry, the default tag, and a digest beside a tag."""
    assert parse(text) == (host, name)
