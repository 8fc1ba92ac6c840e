"""Drift and recovery as Dagster shows them: checks, the nightly job, `recover_stack`."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    Definitions,
    ExecuteInProcessResult,
    ResourceDefinition,
    build_schedule_context,
    define_asset_job,
    in_process_executor,
)

import cfn
from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Failed
from platform_pipelines.ledger_records import IncidentState, Roles
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import statuses
from platform_pipelines.provisioning.definitions import build
from platform_pipelines.provisioning.schedules import nightly_drift
from tests.provisioning.world import PLATFORM, World, settings

ROLES = Roles(active="seoul", standby="tokyo", epoch=1)
LOCAL = {"PLATFORM_TARGET": "local", "PLATFORM_CONTROLLER": "seoul"}
VPC = {"EnableDnsSupport": False}


@pytest.fixture
def world() -> World:
    """Both Regions, applied."""
    made = World()
    made.apply()
    return made


@pytest.fixture
def definitions(world: World) -> Definitions:
    """Provisioning as the root merges it, and a job of one check, as the UI launches."""
    regions = SimpleNamespace(
        platform=PLATFORM,
        aws=world.regions,
        clock=world.clock,
        settings=settings(world.clock),
        ends=lambda work: work,
    )
    resources = {
        "regions": ResourceDefinition.hardcoded_resource(regions),
        "ledger": ResourceDefinition.hardcoded_resource(SimpleNamespace(ledger=world.ledger)),
    }
    chosen = AssetSelection.checks(AssetCheckKey(AssetKey(["tokyo", "network"]), "drift"))
    one = define_asset_job("one_check", selection=chosen)
    rest = Definitions(resources=resources, executor=in_process_executor, jobs=[one])
    return Definitions.merge(build(PLATFORM), rest)


def run(definitions: Definitions, job: str, **options: Any) -> ExecuteInProcessResult:
    """A job's run, as it ends."""
    found = definitions.resolve_job_def(job)
    return found.execute_in_process(raise_on_error=False, **options)


def checks(result: ExecuteInProcessResult) -> dict[str, AssetCheckEvaluation]:
    """What each check said, by its stack."""
    return {one.asset_key.to_user_string(): one for one in result.get_asset_check_evaluations()}


# The checks


def test_every_stack_is_checked_and_none_is_materialised(
    definitions: Definitions, world: World
) -> None:
    """In both Regions; nothing is changed."""
    world.log.clear()
    result = run(definitions, "detect_drift")
    assert result.success
    found = checks(result)
    assert set(found) == {"/".join(unit.key) for unit in cfn.units(PLATFORM)}
    assert all(one.passed for one in found.values())
    assert result.get_asset_materialization_events() == []
    assert world.changing() == []


def test_unexpected_drift_fails_its_check_and_not_the_run(
    definitions: Definitions, world: World
) -> None:
    """As an error, with both values in a table."""
    world.cloudformation["tokyo"].drifts("peccy-network", "Vpc", **VPC)
    result = run(definitions, "detect_drift")
    assert result.success
    failed = {name: one for name, one in checks(result).items() if not one.passed}
    assert set(failed) == {"tokyo/network"}
    check = failed["tokyo/network"]
    assert check.severity is AssetCheckSeverity.ERROR
    table = str(check.metadata["differences"].value)
    assert "| Vpc | AWS::EC2::VPC | /EnableDnsSupport | true | false | drifted |" in table
    assert check.metadata["drifted"].value == 1


def test_what_could_not_be_looked_at_fails_as_a_warning(
    definitions: Definitions, world: World
) -> None:
    """Unknown is neither in sync nor drifted."""
    world.wires["seoul"].dark = True
    found = checks(run(definitions, "detect_drift"))
    network = found["seoul/network"]
    assert (network.passed, network.severity) == (False, AssetCheckSeverity.WARN)
    assert "seoul does not answer" in (network.description or "")
    assert found["tokyo/network"].passed


def test_what_an_incident_explains_passes_and_is_named(
    definitions: Definitions, world: World
) -> None:
    """The old writer's DB cluster has left its global cluster."""
    resources = world.stack("seoul", "database").template["Resources"].items()
    name = next(name for name, one in resources if one["Type"] == "AWS::RDS::DBCluster")
    world.cloudformation["seoul"].drifts("peccy-database", name, GlobalClusterIdentifier=None)
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    check = checks(run(definitions, "detect_drift"))["seoul/database"]
    assert check.passed
    assert check.metadata["expected"].value == 1
    assert "inc-1-20261122T030000Z" in (check.description or "")


def test_one_check_looks_at_one_stack(definitions: Definitions, world: World) -> None:
    """Selected in the UI."""
    world.log.clear()
    found = checks(run(definitions, "one_check"))
    assert set(found) == {"tokyo/network"}
    assert world.calls("DetectStackDrift") == ["tokyo"]


def test_applying_does_not_look_for_drift(definitions: Definitions, world: World) -> None:
    """A look takes minutes, and an apply without changes one call a stack."""
    world.log.clear()
    result = run(definitions, "apply_infrastructure")
    assert result.success
    assert world.calls("DetectStackDrift") == []
    assert checks(result) == {}


# recover_stack


def recover(definitions: Definitions, **config: Any) -> ExecuteInProcessResult:
    """A run of `recover_stack`."""
    ops = {"recover_one": {"config": config}}
    return run(definitions, "recover_stack", run_config={"ops": ops})


def shown(result: ExecuteInProcessResult) -> str:
    """What its op shows."""
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    return str(output.step_output_data.metadata["result"].value)


def failure(result: ExecuteInProcessResult) -> str:
    """Why it failed."""
    events = result.filter_events(lambda event: event.is_step_failure)
    data = events[0].step_failure_data.user_failure_data
    assert data is not None
    return str(data.description)


def test_a_run_without_confirmation_only_shows(definitions: Definitions, world: World) -> None:
    """And says how to go on."""
    world.stack("tokyo", "network").status = "UPDATE_FAILED"
    world.log.clear()
    text = shown(recover(definitions, stack="tokyo/network"))
    assert "tokyo/network is UPDATE_FAILED.** Way back: roll back" in text
    assert '"confirm": true' in text
    assert world.changing() == []


def test_a_confirmed_run_goes_on(definitions: Definitions, world: World) -> None:
    """And tells what CloudFormation came to."""
    world.stack("tokyo", "network").status = "UPDATE_FAILED"
    text = shown(recover(definitions, stack="tokyo/network", confirm=True))
    assert "tokyo/network is UPDATE_ROLLBACK_COMPLETE (roll back)" in text
    assert not statuses.stuck(world.stack("tokyo", "network").status)


def test_a_wrong_stack_is_refused_by_name(definitions: Definitions) -> None:
    """With the names that there are."""
    assert "There is no stack 'tokyo/nothing'" in failure(
        recover(definitions, stack="tokyo/nothing")
    )


def test_an_open_incident_refuses_a_confirmed_run(definitions: Definitions, world: World) -> None:
    """The refusal reaches the UI as its own text."""
    world.stack("tokyo", "network").status = "UPDATE_FAILED"
    world.ledger.say("tokyo", 2, IncidentState.OPEN)
    result = recover(definitions, stack="tokyo/network", confirm=True)
    assert "inc-1-20261122T030000Z is open" in failure(result)
    assert world.stack("tokyo", "network").status == "UPDATE_FAILED"


# The schedule


def evaluate(environ: Mapping[str, str], roles: Roles | Failed | None) -> str | None:
    """Why the schedule skips; None when it requests a run."""

    def ask(_platform: Platform, _settings: Settings) -> Roles | None:
        if isinstance(roles, Failed):
            raise roles
        return roles

    data = nightly_drift(PLATFORM, ask, environ).evaluate_tick(build_schedule_context())
    assert bool(data.run_requests) is (data.skip_message is None)
    return data.skip_message


def test_the_schedule_runs_at_half_past_one_in_seoul() -> None:
    """By default, without anybody who turns it on."""
    schedule = nightly_drift(PLATFORM)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 1 * * *", "Asia/Seoul")
    assert schedule.default_status.value == "RUNNING"
    assert schedule.job_name == "detect_drift"


def test_the_active_regions_controller_skips_the_night() -> None:
    """It says whose turn it is."""
    assert evaluate(LOCAL, ROLES) == "seoul is active; the controller of tokyo looks at drift"


@pytest.mark.parametrize("controller", ["tokyo", "external"])
def test_the_standbys_and_an_external_controller_look(controller: str) -> None:
    """They would have to take over, or stand outside both."""
    assert evaluate({**LOCAL, "PLATFORM_CONTROLLER": controller}, ROLES) is None


@pytest.mark.parametrize("roles", [None, Failed("the table is dark")])
def test_without_known_roles_every_controller_looks(roles: Failed | None) -> None:
    """An extra look does no harm."""
    assert evaluate(LOCAL, roles) is None


def test_without_a_target_the_schedule_skips_and_says_what_to_set() -> None:
    """A code location that was started without an environment shows it every night."""
    assert "PLATFORM_TARGET is not set" in (evaluate({}, ROLES) or "")
