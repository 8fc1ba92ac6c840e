"""CronJobs, and when they are due."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from platform_pipelines.local.kube.controllers import cron
from platform_pipelines.local.kube.kinds import CRON_JOB, JOB
from tests.local.kube.hand_world import MINUTE, Clusters, Object

SATURDAY = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-11-21T10:31"),
        ("*/15 * * * *", "2026-11-21T10:45"),
        ("5,35 9-17/4 * * *", "2026-11-21T13:05"),
        ("0 0 * * mon", "2026-11-23T00:00"),
        ("0 0 * * 7", "2026-11-22T00:00"),
        ("0 12 1 * 2", "2026-11-24T12:00"),  # the first of the month or a Tuesday
        ("0 0 29 feb *", "2028-02-29T00:00"),
        ("@monthly", "2026-12-01T00:00"),
    ],
)
def test_a_schedule_is_due(schedule: str, due: str) -> None:
    """As cron reads it."""
    found = cron.parse(schedule, UTC).after(SATURDAY)
    assert found is not None
    assert found.isoformat().startswith(due)


def test_a_schedule_has_a_time_zone() -> None:
    """Three o'clock in Seoul is six in the evening of the day before."""
    found = cron.parse("0 3 * * *", ZoneInfo("Asia/Seoul")).after(SATURDAY)
    assert found is not None
    assert found.astimezone(UTC).isoformat().startswith("2026-11-21T18:00")


def test_a_moment_that_never_comes_is_none() -> None:
    """The thirtieth of February."""
    assert cron.parse("0 0 30 2 *", UTC).after(SATURDAY) is None


@pytest.mark.parametrize("schedule", ["* * * *", "60 * * * *", "* * * * fri-mon", "*/0 * * * *"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=r"expected exactly|is not within"):
        cron.parse(schedule, UTC)


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Seoul with a node."""
    made = Clusters(tmp_path)
    made.start()
    made.scale(manage=1)
    made.pass_time(150)
    return made


def cron_job(schedule: str = "0 * * * *", **spec: Any) -> Object:
    """A CronJob."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "work:1"}]}
    template = {"metadata": {"labels": {"app": "w"}}, "spec": {"template": {"spec": pod}}}
    return {
        "metadata": {"name": "work", "namespace": "default"},
        "spec": {"schedule": schedule, "jobTemplate": template, **spec},
    }


def status(clusters: Clusters) -> Object:
    """What the CronJob tells."""
    found: Object = clusters.the(CRON_JOB, "work").get("status") or {}
    return found


def test_a_job_is_made_at_each_moment(clusters: Clusters) -> None:
    """Named by the minute; the CronJob tells the last one, and which run."""
    clusters.seoul.create(CRON_JOB, cron_job())
    begun = clusters.clock.now()
    due = (begun // HOUR + 1) * HOUR
    clusters.pass_time(due - begun - 1)
    assert clusters.seoul.list(JOB) == []
    clusters.pass_time(1)
    [job] = clusters.seoul.list(JOB)
    assert job["metadata"]["name"] == f"work-{int(due) // 60}"
    assert job["metadata"]["labels"]["app"] == "w"
    assert [one["name"] for one in status(clusters)["active"]] == [job["metadata"]["name"]]
    clusters.pass_time(5 * MINUTE)
    told = status(clusters)
    assert "active" not in told
    assert told["lastScheduleTime"] < told["lastSuccessfulTime"]


def test_only_the_newest_jobs_are_kept(clusters: Clusters) -> None:
    """Three, unless it says otherwise."""
    clusters.seoul.create(CRON_JOB, cron_job(successfulJobsHistoryLimit=2))
    clusters.pass_time(6 * HOUR)
    assert len(clusters.seoul.list(JOB)) == 2


def test_a_suspended_one_makes_no_job(clusters: Clusters) -> None:
    """And when it goes on, only the last of the missed moments that is not too late."""
    clusters.seoul.create(CRON_JOB, cron_job(suspend=True))
    clusters.pass_time(3 * HOUR)
    assert clusters.seoul.list(JOB) == []
    found = clusters.the(CRON_JOB, "work")
    found["spec"] |= {"suspend": False}
    clusters.seoul.update(CRON_JOB, found)
    clusters.settle()
    assert len(clusters.seoul.list(JOB)) == 1


def test_what_is_too_late_is_left_out(clusters: Clusters) -> None:
    """By `startingDeadlineSeconds`."""
    clusters.pass_time(HOUR - clusters.clock.now() % HOUR)
    clusters.seoul.create(CRON_JOB, cron_job(suspend=True, startingDeadlineSeconds=60))
    clusters.pass_time(HOUR + 90)
    found = clusters.the(CRON_JOB, "work")
    found["spec"] |= {"suspend": False}
    clusters.seoul.update(CRON_JOB, found)
    clusters.settle()
    assert clusters.seoul.list(JOB) == []


@pytest.mark.parametrize(("policy", "count"), [("Allow", 3), ("Forbid", 1), ("Replace", 1)])
def test_what_runs_still_may_hold_the_next_one_up(
    clusters: Clusters, policy: str, count: int
) -> None:
    """A pod that finds no node never ends."""
    made = cron_job("* * * * *", concurrencyPolicy=policy)
    made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeSelector"] = {"role": "none"}
    clusters.seoul.create(CRON_JOB, made)
    clusters.pass_time(MINUTE - clusters.clock.now() % MINUTE + 1)
    [first] = clusters.seoul.list(JOB)
    clusters.pass_time(2 * MINUTE)
    found = [job["metadata"]["name"] for job in clusters.seoul.list(JOB)]
    assert len(found) == count
    assert (first["metadata"]["name"] in found) is (policy != "Replace")
