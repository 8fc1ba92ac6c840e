"""A snapshot of what users see. UPDATE_GOLDENS=1 rewrites it; the difference is reviewed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import Definitions

from platform_pipelines.definitions import defs
from platform_pipelines.errors import InvalidPlatformFile

GOLDEN = Path(__file__).parent / "goldens" / "definitions.txt"


@pytest.fixture(scope="module")
def location() -> Definitions:
    """The code location, without any environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith(("PLATFORM_", "AWS_"))]:
            patch.delenv(name)
        return defs()


def _lines(location: Definitions) -> Iterator[str]:
    graph = location.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        yield f"asset {key.to_user_string()} [{node.group_name}]"
        yield from (f"    after {parent.to_user_string()}" for parent in sorted(node.parent_keys))
    for check in sorted(graph.asset_check_keys, key=lambda one: (one.asset_key, one.name)):
        yield f"check {check.asset_key.to_user_string()}:{check.name}"
    for job in sorted(location.resolve_all_job_defs(), key=lambda one: one.name):
        if not job.name.startswith("__"):
            yield f"job {job.name}"
            ops = [node.name for node in job.graph.nodes_in_topological_order]
            yield from (f"    op {name}" for name in ops)
    for schedule in sorted(location.schedules or [], key=lambda one: one.name):
        timezone = getattr(schedule, "execution_timezone", None)
        yield (
            f"schedule {schedule.name} {getattr(schedule, 'cron_schedule', None)} {timezone} "
            f"{getattr(schedule, 'job_name', None)} {_default(schedule)}"
        )
    for sensor in sorted(location.sensors or [], key=lambda one: one.name):
        yield f"sensor {sensor.name} {sensor.job_name} {_default(sensor)}"


def _default(one: object) -> str:
    status = getattr(one, "default_status", None)
    return str(getattr(status, "value", status)).lower()


def test_what_users_see_is_what_was_reviewed(location: Definitions) -> None:
    """Assets with their lineage, checks, jobs with their ops, schedules, sensors."""
    found = "\n".join(_lines(location)) + "\n"
    if os.environ.get("UPDATE_GOLDENS"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text(), "run UPDATE_GOLDENS=1 pytest tests/test_definitions.py"


def test_the_whole_location_loads(location: Definitions) -> None:
    """Every job binds to its resources; the repository can be built."""
    Definitions.validate_loadable(location)
    repository = location.get_repository_def()
    names = {job.name for job in repository.get_all_jobs()}
    assert names >= {
        "plan_infrastructure",
        "apply_infrastructure",
        "converge_roles",
        "readiness_check",
        "region_failover",
        "approve_failover",
    }


def test_no_op_asset_or_graph_has_the_name_of_a_job(location: Definitions) -> None:
    """Dagster would refuse the location."""
    repository = location.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs()}
    nodes = {
        node.name
        for job in repository.get_all_jobs()
        for node in job.all_node_defs
        if node is not job.graph
    }
    graphs = {job.graph.name for job in repository.get_all_jobs() if job.graph.name != job.name}
    assert not jobs & (nodes | graphs)


def test_everything_runs_in_one_process(location: Definitions) -> None:
    """Set once, so that the Materialize button uses it too."""
    repository = location.get_repository_def()
    executors = {job.executor_def.name for job in repository.get_all_jobs()}
    assert executors == {"in_process"}


def test_nothing_of_the_environment_is_needed_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """But the file: its mistakes are the location's load error."""
    monkeypatch.setenv("PLATFORM_FILE", "/nowhere/platform.yaml")
    with pytest.raises(InvalidPlatformFile, match="there is no such file"):
        defs()
