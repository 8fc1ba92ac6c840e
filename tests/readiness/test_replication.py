from dataclasses import replace
from datetime import timedelta

import pytest

from platform_pipelines.aws.cloudwatch import Sample
from platform_pipelines.readiness.finding import Severity, Unknown
from platform_pipelines.readiness.inventory import Database, FileSystem
from platform_pipelines.readiness.replication import Kind, Lag, State, Storage, findings, lags
from tests.readiness.builders import (
    NOW,
    PLATFORM,
    ROLES,
    SEOUL,
    TOKYO,
    ago,
    database,
    file_system,
    replication,
)

FRESH = Sample(value=0.4, at=ago(seconds=30))
GOOD_FILES = file_system(replication=replication())
GOOD_DATABASE = database(lag=FRESH)
DARK = Unknown(region="tokyo", what="efs_file_systems", reason="the Region does not answer")


def measure(
    files: tuple[FileSystem, ...] | Unknown = (GOOD_FILES,),
    databases: tuple[Database, ...] | Unknown = (GOOD_DATABASE,),
    active: Storage | None = None,
) -> dict[Kind, Lag]:
    """The lags that Tokyo's resources show while Seoul is active."""
    silent = Unknown(region="seoul", what="everything", reason="not asked")
    sides = {
        "seoul": active or Storage(file_systems=silent, databases=silent),
        "tokyo": Storage(file_systems=files, databases=databases),
    }
    return {one.kind: one for one in lags(PLATFORM, ROLES, sides, NOW)}


def severity(one: Lag) -> Severity:
    """What a lag does to the verdict."""
    (found,) = findings([one])
    return found.severity


def test_the_standby_alone_says_how_far_it_is_behind() -> None:
    """With the active Region dark both lags are known all the same."""
    found = measure()
    assert found[Kind.EFS].lag == timedelta(minutes=1)
    assert found[Kind.AURORA].lag == timedelta(seconds=0.4)
    assert {one.state for one in found.values()} == {State.WITHIN_OBJECTIVE}


@pytest.mark.parametrize(
    ("span", "state", "colour"),
    [
        (timedelta(minutes=10), State.WITHIN_OBJECTIVE, Severity.OK),
        (timedelta(minutes=10, seconds=1), State.OVER_OBJECTIVE, Severity.WARN),
        (timedelta(minutes=20), State.OVER_OBJECTIVE, Severity.WARN),
        (timedelta(minutes=20, seconds=1), State.OVER_APPROVAL, Severity.ERROR),
    ],
)
def test_efs_lag_against_the_objective_and_the_approval(
    span: timedelta, state: State, colour: Severity
) -> None:
    """Over the objective is amber; so far that a failover waits for a person is red."""
    one = file_system(replication=replication(last_replicated=NOW - span))
    found = measure(files=(one,))[Kind.EFS]
    assert (found.state, severity(found)) == (state, colour)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.0, State.WITHIN_OBJECTIVE), (60, State.WITHIN_OBJECTIVE), (61, State.OVER_APPROVAL)],
)
def test_aurora_lag_against_the_approval(seconds: float, state: State) -> None:
    """Aurora is seconds behind, so its limit is lower than the objective."""
    one = database(lag=Sample(value=seconds, at=ago(seconds=30)))
    assert measure(databases=(one,))[Kind.AURORA].state == state


NEVER_SYNCED = replication(last_replicated=None, status="ENABLING")
UNKNOWN = [
    (measure(files=(file_system(replication=NEVER_SYNCED),))[Kind.EFS], "no first sync yet"),
    (
        measure(
            files=(
                file_system(
                    replication=NEVER_SYNCED, lag=Sample(value=5, at=ago(minutes=5, seconds=1))
                ),
            )
        )[Kind.EFS],
        "no first sync yet",
    ),
    (measure(files=DARK)[Kind.EFS], "the Region does not answer"),
    (measure(databases=(database(lag=None),))[Kind.AURORA], "CloudWatch has no Aurora"),
    (
        measure(databases=(database(lag=Sample(value=0, at=ago(minutes=6))),))[Kind.AURORA],
        "0:06:00 old",
    ),
    (measure(databases=DARK)[Kind.AURORA], "the Region does not answer"),
]


@pytest.mark.parametrize(("found", "why"), UNKNOWN, ids=[row[1] for row in UNKNOWN])
def test_an_unknown_lag_is_none_and_red(found: Lag, why: str) -> None:
    """It is never zero, and never within anything."""
    assert found.lag is None
    assert found.state == State.UNKNOWN
    assert why in found.source
    assert severity(found) is Severity.ERROR


BROKEN = [
    (measure(files=())[Kind.EFS], "tokyo has no file system named peccy-pictures"),
    (measure(files=(file_system(),))[Kind.EFS], "nothing replicates into fs-tokyo"),
    (
        measure(
            files=(
                file_system(replication=replication(source_id="fs-tokyo", destination_id="fs-x")),
            )
        )[Kind.EFS],
        "nothing replicates into fs-tokyo",
    ),
    (
        measure(files=(file_system(replication=replication(source_region="eu-west-1")),))[Kind.EFS],
        "replicates from eu-west-1, not from ap-northeast-2",
    ),
    *(
        (
            measure(files=(file_system(replication=replication(status=status)),))[Kind.EFS],
            f"its replication is {status}",
        )
        for status in ("ERROR", "PAUSED", "PAUSING", "DELETING")
    ),
    (measure(databases=())[Kind.AURORA], "no global cluster"),
    (measure(databases=(database(writer=TOKYO),))[Kind.AURORA], f"the writer is {TOKYO}"),
    (measure(databases=(database(writer=None),))[Kind.AURORA], "in no Region, or in several"),
    (measure(databases=(database(instances=0),))[Kind.AURORA], "is headless"),
    (measure(databases=(database(status="failing-over"),))[Kind.AURORA], "is failing-over"),
    (
        measure(databases=(replace(GOOD_DATABASE, cluster=None),))[Kind.AURORA],
        "tokyo has no DB cluster",
    ),
]


@pytest.mark.parametrize(("found", "why"), BROKEN, ids=[row[1] for row in BROKEN])
def test_what_does_not_replicate_is_broken_whatever_the_figures_say(found: Lag, why: str) -> None:
    """A small lag of a replication that stands still, or goes the wrong way, is no comfort."""
    assert found.state == State.BROKEN
    assert why in found.broken
    (finding,) = findings([found])
    assert finding.severity is Severity.ERROR
    assert finding.action


def test_the_metric_fills_in_where_the_resource_is_silent() -> None:
    """A sample counts with its age; the source's Region may have it, too."""
    mine = file_system(replication=NEVER_SYNCED)
    theirs = file_system("seoul", NEVER_SYNCED, Sample(value=45, at=ago(seconds=15)))
    active = Storage(file_systems=(theirs,), databases=())
    found = measure(files=(mine,), active=active)[Kind.EFS]
    assert (found.lag, found.source) == (timedelta(seconds=60), "CloudWatch TimeSinceLastSync")


def test_without_roles_nobody_knows_which_side_is_behind() -> None:
    """The lag is unknown, and so red."""
    sides = {alias: Storage(file_systems=(), databases=()) for alias in ("seoul", "tokyo")}
    found = lags(PLATFORM, None, sides, NOW)
    assert [one.state for one in found] == [State.UNKNOWN, State.UNKNOWN]


def test_the_direction_follows_the_roles() -> None:
    """After a failover Seoul is the one that may be behind."""
    roles = replace(ROLES, active="tokyo", standby="seoul", epoch=2)
    back = replication(
        source_id="fs-tokyo",
        source_region=TOKYO,
        destination_id="fs-seoul",
        destination_region=SEOUL,
    )
    sides = {
        "seoul": Storage(file_systems=(file_system("seoul", back),), databases=()),
        "tokyo": Storage(file_systems=(file_system("tokyo", back),), databases=()),
    }
    found = next(one for one in lags(PLATFORM, roles, sides, NOW) if one.kind is Kind.EFS)
    assert found.state == State.WITHIN_OBJECTIVE
