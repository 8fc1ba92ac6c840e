from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from dagster import (
    AssetKey,
    Definitions,
    ExecuteInProcessResult,
    ResourceDefinition,
    in_process_executor,
)

import cfn
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning.definitions import build
from tests.provisioning.world import PLATFORM, World, after, settings


@dataclass
class Regions:
    """What the resource `regions` gives, from the fake world."""

    world: World
    at_end: ExitStack = field(default_factory=ExitStack)

    def ends(self, work: Any) -> Any:
        self.at_end.callback(work.close)
        return work

    @property
    def platform(self) -> Any:
        return self.world.platform

    @property
    def aws(self) -> Any:
        return self.world.regions

    @property
    def clock(self) -> Any:
        return self.world.clock

    @property
    def settings(self) -> Any:
        return settings(self.world.clock)


@dataclass
class Ledger:
    """What the resource `ledger` gives."""

    ledger: Any


UNITS = cfn.units(PLATFORM)


@pytest.fixture
def world() -> World:
    """Two empty Regions."""
    return World()


@pytest.fixture
def definitions(world: World) -> Definitions:
    """Provisioning as the root merges it, over the fake world."""
    resources = {
        "regions": ResourceDefinition.hardcoded_resource(Regions(world)),
        "ledger": ResourceDefinition.hardcoded_resource(Ledger(world.ledger)),
    }
    rest = Definitions(resources=resources, executor=in_process_executor)
    return Definitions.merge(build(PLATFORM), rest)


def _run(definitions: Definitions, job: str, **options: Any) -> ExecuteInProcessResult:
    found = definitions.resolve_job_def(job)
    return found.execute_in_process(raise_on_error=False, **options)


def _failure(result: ExecuteInProcessResult) -> str:
    events = result.filter_events(lambda event: event.is_step_failure)
    failure = events[0].step_failure_data.user_failure_data
    assert failure is not None
    return str(failure.description)


def test_the_jobs_have_their_fixed_names(definitions: Definitions) -> None:
    """Users and scripts rely on them, and the location loads."""
    Definitions.validate_loadable(definitions)
    names = {job.name for job in definitions.resolve_all_job_defs()}
    assert names >= {"plan_infrastructure", "apply_infrastructure", "converge_roles"}


def test_each_stack_is_an_asset_with_its_dependencies(definitions: Definitions) -> None:
    """The lineage is the graph of the registry."""
    graph = definitions.resolve_asset_graph()
    for unit in cfn.units(PLATFORM):
        node = graph.get(AssetKey(list(unit.key)))
        wanted = {AssetKey(list(other.key)) for other in cfn.dependencies(PLATFORM, unit)}
        assert node.parent_keys == wanted
        assert node.description
        assert node.group_name == f"{unit.region.alias}_stacks"
        assert node.kinds == {"aws", "cloudformation"}


def test_applying_materialises_every_stack(definitions: Definitions) -> None:
    """Twice: the second time there is nothing to do."""
    first = _run(definitions, "apply_infrastructure")
    assert first.success
    assert len(first.get_asset_materialization_events()) == len(UNITS)
    second = _run(definitions, "apply_infrastructure")
    events = second.get_asset_materialization_events()
    results = {event.materialization.metadata["result"].value for event in events}
    assert results == {"nothing to do"}


def test_a_failed_stack_is_observed_and_the_run_fails(
    definitions: Definitions, world: World
) -> None:
    """What was applied stays materialised; what waits is named."""
    world.cloudformation["tokyo"].failing["peccy-cluster"] = ("Cluster", "quota reached")
    result = _run(definitions, "apply_infrastructure")
    assert not result.success
    text = _failure(result)
    assert "tokyo/cluster: Cluster (AWS::EKS::Cluster) CREATE_FAILED: quota reached" in text
    waiting = text.rpartition("because they need what failed: ")[2].rstrip(".").split(", ")
    waits = after("tokyo/cluster")
    assert set(waiting) == waits >= {"tokyo/database", "tokyo/files"}
    observed = {
        event.asset_observation_data.asset_observation.asset_key.to_user_string()
        for event in result.get_asset_observation_events()
    }
    assert observed == {"tokyo/cluster", *waits}
    assert len(result.get_asset_materialization_events()) == len(UNITS) - len(observed)


def test_after_a_failover_the_run_succeeds(definitions: Definitions, world: World) -> None:
    """The dark Region's stacks are observations with the reason."""
    world.apply()
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    result = _run(definitions, "apply_infrastructure")
    assert result.success
    observations = [
        event.asset_observation_data.asset_observation
        for event in result.get_asset_observation_events()
    ]
    results = {one.asset_key.to_user_string(): one.metadata["result"].value for one in observations}
    assert results["seoul/cluster"] == "skipped: incident settled"
    assert results["seoul/dns"] == "unreachable"
    once = after("seoul/global_database") | after("seoul/dns") | after("seoul/ledger")
    assert {key for key in results if key.startswith("tokyo")} == {
        key for key in once if key.startswith("tokyo")
    }


def test_a_selection_applies_only_itself(definitions: Definitions, world: World) -> None:
    """Materialise one stack from the lineage."""
    world.apply()
    world.log.clear()
    result = _run(
        definitions, "apply_infrastructure", asset_selection=[AssetKey(["tokyo", "network"])]
    )
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == AssetKey(["tokyo", "network"])
    assert {alias for alias, _ in world.log} == {"tokyo", "ledger"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pictures", "allowed: <alias>/<stack>/<LogicalId>"),
        ("osaka/files/Pictures", "allowed: a stack of this platform"),
    ],
)
def test_a_wrong_allowance_is_refused_before_any_change(
    definitions: Definitions, world: World, name: str, text: str
) -> None:
    """The run says what is wrong with it."""
    config = {"ops": {"stacks": {"config": {"allow_replace": [name]}}}}
    result = _run(definitions, "apply_infrastructure", run_config=config)
    assert text in _failure(result)
    assert world.log == []


def test_the_plan_is_shown_as_a_table(definitions: Definitions, world: World) -> None:
    """In the op's metadata, and nothing is changed."""
    result = _run(definitions, "plan_infrastructure")
    assert result.success
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    metadata = output.step_output_data.metadata
    assert "| seoul/ledger | create | 1 |" in str(metadata["plan"].value)
    assert metadata["summary"].value == f"Stacks: {len(UNITS)} create."
    assert not any(one.stacks for one in world.cloudformation.values())


def test_an_incomplete_plan_fails(definitions: Definitions, world: World) -> None:
    """Nobody must take it for the whole; what is known of it is shown all the same."""
    world.cloudformation["seoul"].refusing["peccy-network"] = "the limit of VPCs is reached"
    result = _run(definitions, "plan_infrastructure")
    assert "The plan is not complete" in _failure(result)
    (event,) = result.filter_events(lambda event: event.is_step_failure)
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "| tokyo/network | create |" in str(failure.metadata["plan"].value)


@pytest.mark.parametrize("job", ["plan_infrastructure", "apply_infrastructure"])
def test_a_region_that_does_not_answer_is_complained_of_once(
    definitions: Definitions, world: World, job: str
) -> None:
    """Not for each of its stacks."""
    world.apply()
    world.wires["tokyo"].dark = True
    text = _failure(_run(definitions, job))
    assert text.count("tokyo does not answer") == 1
    assert "tokyo/network" in text.partition("tokyo does not answer")[0]


def test_converging_before_the_first_apply_says_what_to_do(definitions: Definitions) -> None:
    """A refusal reaches the UI as its own text."""
    text = _failure(_run(definitions, "converge_roles"))
    assert text == "The ledger has no roles yet. Run apply_infrastructure first: it writes them."
