import json
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, Definitions, ExecuteInProcessResult

from platform_pipelines.ledger_records import IncidentState
from tests.failover.dagster_world import definitions
from tests.fakes.failover_world import World

OPS = [
    "open_incident",
    "hold_old_side",
    "promote_efs",
    "promote_aurora",
    "scale_node_groups",
    "verify_service",
    "move_traffic",
    "settle_incident",
]


@pytest.fixture
def domain(world: World, tmp_path: Path) -> Definitions:
    """The failover domain over the fake world."""
    return definitions(world, tmp_path)


def _run(domain: Definitions, job: str, **options: Any) -> ExecuteInProcessResult:
    return domain.resolve_job_def(job).execute_in_process(raise_on_error=False, **options)


def _failure(result: ExecuteInProcessResult) -> str:
    events = result.filter_events(lambda event: event.is_step_failure)
    failure = events[0].step_failure_data.user_failure_data
    error = events[0].step_failure_data.error
    return f"{failure.description if failure else ''} {error.to_string() if error else ''}"


def test_region_failover_has_its_ops_in_their_order(domain: Definitions) -> None:
    """Names and order that users, timelines and scripts rely on."""
    graph = domain.resolve_job_def("region_failover").graph
    assert list(graph.node_dict) == OPS
    order = [node.name for node in graph.nodes_in_topological_order]
    assert order == OPS
    assert all(
        not graph.dependency_structure.all_upstream_outputs_from_node(name) for name in OPS[:1]
    )


def test_the_jobs_of_the_domain(domain: Definitions) -> None:
    """Only those that work are defined."""
    Definitions.validate_loadable(domain)
    names = {job.name for job in domain.resolve_all_job_defs() if not job.name.startswith("__")}
    assert names == {"region_failover", "approve_failover"}


def test_a_run_fails_over_and_leaves_its_report(
    domain: Definitions, world: World, tmp_path: Path
) -> None:
    """Eight ops, a settled incident, JSON and HTML, and the asset with the numbers."""
    world.black_out()
    incident = world.propose()
    result = _run(domain, "region_failover")
    assert result.success
    assert world.incident().state is IncidentState.SETTLED
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == AssetKey(["failover", "report"])
    metadata = event.materialization.metadata
    assert metadata["rpo_efs_s"].value == 240.0
    page = Path(str(metadata["page"].value))
    assert page == tmp_path / ".local" / "reports" / f"{incident.id}.html"
    found = json.loads(page.with_suffix(".json").read_text())
    assert found["rto_s"] == metadata["rto_s"].value
    assert [step["outcome"] for step in found["steps"]] == ["skipped", *["done"] * 5]


def test_the_run_is_tagged_with_its_incident(domain: Definitions, world: World) -> None:
    """So that the sensor finds it, whoever launched it."""
    world.black_out()
    incident = world.propose()
    with DagsterInstance.ephemeral() as instance:
        result = _run(domain, "region_failover", instance=instance, tags={"attempt": "3"})
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["incident"] == incident.id
    assert world.incident().attempt == 3


def test_a_failed_resource_fails_the_run_at_its_end(
    domain: Definitions, world: World, tmp_path: Path
) -> None:
    """What does not depend on it is done; the report is written all the same."""
    world.black_out()
    incident = world.propose()
    world.files.replications[0].status = "ERROR"
    result = _run(domain, "region_failover")
    assert not result.success
    failed = [event.step_key for event in result.filter_events(lambda one: one.is_step_failure)]
    assert failed == ["settle_incident"]
    assert "is not settled. Done: promote_aurora, scale_node_groups" in _failure(result)
    assert world.aurora.writer == "ap-northeast-1"
    found = json.loads((tmp_path / ".local" / "reports" / f"{incident.id}.json").read_text())
    assert found["state"] == "open"
    assert "promote_efs" in found["failure"]


def test_by_hand_without_reason_it_says_what_is_missing(domain: Definitions, world: World) -> None:
    """The launchpad's default configuration is refused with a clear text."""
    world.black_out()
    assert "needs a `reason`" in _failure(_run(domain, "region_failover"))


def test_by_hand_with_a_reason_it_fails_over(domain: Definitions, world: World) -> None:
    """Without any sensor."""
    world.black_out()
    config = {"ops": {"open_incident": {"config": {"reason": "AWS says so"}}}}
    assert _run(domain, "region_failover", run_config=config).success
    assert world.end_state()["roles"] == ("tokyo", "seoul", 2)


def test_an_aborted_incident_stops_the_run(domain: Definitions, world: World) -> None:
    """Seoul is back: nothing after hold_old_side runs."""
    world.propose()
    result = _run(domain, "region_failover")
    assert not result.success
    assert "seoul is up again" in _failure(result)
    assert world.incident().state is IncidentState.ABORTED
    assert world.calls("DeleteReplicationConfiguration", "FailoverGlobalCluster") == []


def test_an_approval_is_recorded(domain: Definitions, world: World) -> None:
    """By the job that the sensor's text names."""
    incident = world.propose(needs_approval=True)
    words = {"incident": incident.id, "approver": "mina", "reason": "go", "accept_data_loss_s": 60}
    config = {"ops": {"approve": {"config": words}}}
    assert _run(domain, "approve_failover", run_config=config).success
    assert world.incident().approved


def test_an_approval_of_nothing_is_refused(domain: Definitions) -> None:
    """With the reason in the run's failure."""
    words = {"incident": "inc-9", "approver": "mina", "reason": "go"}
    config = {"ops": {"approve": {"config": words}}}
    assert "cannot be approved" in _failure(_run(domain, "approve_failover", run_config=config))
