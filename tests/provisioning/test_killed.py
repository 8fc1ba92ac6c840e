"""An apply that dies, or is stopped, at any call: the next one continues and ends in the same world."""

import itertools
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    ResourceDefinition,
    build_init_resource_context,
    in_process_executor,
)
from troposphere import Template

import cfn
from cfn import Unit
from cfn.names import logical
from platform_pipelines.clock import Stopped
from platform_pipelines.model import Platform, Region
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.definitions import build
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.virgins import Birth
from platform_pipelines.resources import RegionsResource
from tests.fakes.calls import Killed
from tests.provisioning.test_definitions import Ledger, Regions
from tests.provisioning.world import PLATFORM, World

Key = tuple[str, str]
FILES = logical("FileSystem", PLATFORM.file_systems[0].name)
# A way through the graph: the ledger, and what the standby's file systems need.
SOME: tuple[Key, ...] = (
    ("seoul", "ledger"),
    ("tokyo", "keys"),
    ("tokyo", "network"),
    ("tokyo", "cluster"),
    ("tokyo", "files"),
)


def _once(unit: Unit) -> Callable[[Platform, Region], Template]:
    """Its template, built when it is asked for first."""
    build = cache(lambda: unit.stack.build(PLATFORM, unit.region))
    return lambda _platform, _region: build()


UNITS = tuple(
    replace(one, stack=replace(one.stack, build=_once(one)))
    for one in cfn.units(PLATFORM)
    if one.key in SOME
)
EDITED: tuple[Key, ...] = (("tokyo", "network"), ("tokyo", "files"))
Ended = type[BaseException] | None


def quick() -> World:
    """Two empty Regions whose stacks are made fast, so that fewer calls only wait."""
    world = World()
    for cloudformation in world.cloudformation.values():
        cloudformation.durations = {PLATFORM.stack_name(one.name): 1.0 for one in cfn.STACKS}
    return world


def older() -> World:
    """Two Regions with older templates of two stacks: a run has something to update."""
    world = quick()
    bring(world)
    for alias, stack in EDITED:
        world.cloudformation[alias].changed(PLATFORM.stack_name(stack), _older)
    _forget(world)
    return world


def bring(world: World) -> dict[Key, Outcome]:
    """Apply some units; how they ended."""
    ended: list[Outcome] = []
    apply(world.run(), UNITS, ended.append)
    return {one.key: one for one in ended}


def _older(template: dict[str, Any]) -> None:
    resource = next(iter(template["Resources"].values()))
    resource["Properties"] = {**resource.get("Properties", {}), "Old": "1"}


def _forget(world: World) -> None:
    world.log.clear()
    for cloudformation in world.cloudformation.values():
        cloudformation.executions.clear()


def die_at(number: int) -> Callable[[World], Callable[[str, str], None]]:
    """The process dies before its n-th call: it calls nobody any more, and cleans nothing up."""

    def make(_: World) -> Callable[[str, str], None]:
        calls, dead = itertools.count(1), threading.Event()

        def look(_alias: str, _call: str) -> None:
            if next(calls) >= number:
                dead.set()
            if dead.is_set():
                raise Killed

        return look

    return make


def stop_at(number: int) -> Callable[[World], Callable[[str, str], None]]:
    """Somebody stops the run at its n-th call: it cleans up what it can."""

    def make(world: World) -> Callable[[str, str], None]:
        calls = itertools.count(1)

        def look(_alias: str, _call: str) -> None:
            if next(calls) == number:
                world.stop.set()

        return look

    return make


def _disturbed(world: World, look: Callable[[World], Callable[[str, str], None]]) -> Ended:
    """Apply until the disturbance; what ended it."""
    world.watch(look(world))
    try:
        bring(world)
    except (Killed, Stopped) as error:
        return type(error)
    finally:
        world.watch(None)
        world.stop.clear()
    return None


def _stacks(world: World) -> dict[str, Any]:
    """Everything by which two worlds could differ, but for ids and times."""
    return {
        f"{alias}/{name}": (
            one.status,
            one.template,
            one.protected,
            one.policy,
            sorted(one.resources),
            sorted(one.outputs),
        )
        for alias, cloudformation in world.cloudformation.items()
        for name, one in cloudformation.stacks.items()
    }


def _virgin(world: World) -> list[bool]:
    """Whether each file system is virgin; what was noted of a stack that is there is settled. (A
    note of a stack that was given up again names an id that never comes back.)"""
    stacks = [one for each in world.cloudformation.values() for one in each.stacks.values()]
    for stack in stacks:
        note = Birth(stack_id=stack.id, logical_id=FILES).note
        assert not world.ledger.is_virgin(note)
    return [world.ledger.is_virgin(one) for one in world.files.systems]


def _executions(world: World) -> Counter[str]:
    return Counter(
        f"{alias}/{name}"
        for alias, cloudformation in world.cloudformation.items()
        for name in cloudformation.executions
    )


def _applied(world: World) -> list[str]:
    return sorted(world.ledger.stacks.applied())


def _same(world: World, undisturbed: World, number: int) -> None:
    assert _stacks(world) == _stacks(undisturbed), number
    assert _virgin(world) == _virgin(undisturbed), number
    assert _applied(world) == _applied(undisturbed), number
    assert set(_executions(world).values()) == {1}, number
    assert _executions(world).keys() == _executions(undisturbed).keys(), number


@pytest.mark.parametrize("disturb", [die_at, stop_at])
@pytest.mark.parametrize("start", [quick, older])
def test_disturbed_at_each_call_the_next_run_ends_where_an_undisturbed_one_does(
    start: Callable[[], World],
    disturb: Callable[[int], Callable[[World], Callable[[str, str], None]]],
) -> None:
    """Created or updated: each stack's change set is executed once, nothing is lost, and a third
    run has nothing to do. Every call of the run is tried, until one survives them all."""
    undisturbed = start()
    bring(undisturbed)
    calls = len(undisturbed.log)
    for number in itertools.count(1):
        world = start()
        if _disturbed(world, disturb(number)) is None and number > calls:
            break
        endings = {one.ending for one in bring(world).values()}
        assert endings <= {Ending.APPLIED, Ending.UNCHANGED}, number
        _same(world, undisturbed, number)
        assert world.open_change_sets() == [], number
        again = bring(world).values()
        assert {one.ending for one in again} == {Ending.UNCHANGED}, number
    assert number > 30


def test_a_run_that_dies_again_and_again_gets_there() -> None:
    """Each run makes forty calls and dies; what the earlier ones did is never done again."""
    undisturbed = quick()
    bring(undisturbed)
    world = quick()
    for number in itertools.count(1):
        if _disturbed(world, die_at(40)) is None:
            break
        world.clock.advance(60)  # CloudFormation goes on alone
        assert number < 100
    _same(world, undisturbed, number)


# As Dagster runs it


@pytest.fixture
def world() -> World:
    """Two empty Regions."""
    return quick()


@contextmanager
def _regions(world: World) -> Iterator[Regions]:
    """The resource, which ends what goes on at the end of a run, as the real one does."""
    regions = Regions(world)
    with regions.at_end:
        yield regions


@pytest.fixture
def definitions(world: World) -> Definitions:
    """Provisioning over the fake world."""
    resources = {
        "regions": ResourceDefinition(lambda _: _regions(world)),
        "ledger": ResourceDefinition.hardcoded_resource(Ledger(world.ledger)),
    }
    rest = Definitions(resources=resources, executor=in_process_executor)
    return Definitions.merge(build(PLATFORM), rest)


def _run(
    definitions: Definitions, instance: DagsterInstance, **options: Any
) -> ExecuteInProcessResult:
    job = definitions.resolve_job_def("apply_infrastructure")
    return job.execute_in_process(instance=instance, raise_on_error=False, **options)


def _materialised(instance: DagsterInstance, run_id: str) -> set[AssetKey]:
    return set(
        instance.get_asset_keys_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    )


def _left(instance: DagsterInstance, run_id: str) -> set[AssetKey]:
    """What "re-execute from asset failure" selects, asked of Dagster itself."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.execution_plan_snapshot_id is not None
    snapshot = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
    keys, _ = instance.run_domain.get_keys_to_reexecute(run_id, snapshot)
    return set(keys)


ALL = {AssetKey(list(unit.key)) for unit in cfn.units(PLATFORM)}


def test_from_asset_failure_does_exactly_the_rest(definitions: Definitions, world: World) -> None:
    """One stack failed, others waited for it: only these are asked of CloudFormation again."""
    world.cloudformation["tokyo"].failing["peccy-cluster"] = ("Cluster", "quota reached")
    with DagsterInstance.ephemeral() as instance:
        first = _run(definitions, instance)
        assert not first.success
        left = _left(instance, first.run_id)
        assert left == ALL - _materialised(instance, first.run_id)
        assert AssetKey(["tokyo", "cluster"]) in left
        assert AssetKey(["tokyo", "files"]) in left
        assert AssetKey(["seoul", "cluster"]) not in left
        world.cloudformation["tokyo"].failing.clear()
        _forget(world)
        second = _run(definitions, instance, asset_selection=sorted(left))
        assert second.success
        assert _materialised(instance, second.run_id) == left
    done = {f"{one.path[0]}/{PLATFORM.stack_name(one.path[1])}" for one in left}
    assert _executions(world).keys() == done


@pytest.mark.parametrize(
    "call", ["CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"]
)
def test_a_terminated_run_changes_nothing_more_and_the_next_one_continues(
    definitions: Definitions, world: World, call: str
) -> None:
    """Dagster interrupts the run in the middle; its threads have ended when the run has."""
    world.apply(("seoul", "ledger"))
    _forget(world)
    hits = itertools.count(1)

    def terminate(_alias: str, name: str) -> None:
        if name == call and next(hits) == 3:
            signal.pthread_kill(
                threading.main_thread().ident or 0, signal.SIGINT
            )  # as Dagster's run worker gets it

    with DagsterInstance.ephemeral() as instance:
        world.watch(terminate)
        first = _run(definitions, instance)
        world.watch(None)
        assert not first.success
        calls = len(world.log)
        left = _left(instance, first.run_id)
        assert left == ALL - _materialised(instance, first.run_id)
        assert len(world.log) == calls  # nobody works on
        assert left
        second = _run(definitions, instance, asset_selection=sorted(left))
        assert second.success
        assert _materialised(instance, first.run_id) | _materialised(instance, second.run_id) == ALL
    assert set(_executions(world).values()) == {1}
    assert set(world.endings().values()) == {Ending.UNCHANGED}


def test_the_resource_closes_what_still_goes_on_when_a_run_ends() -> None:
    """Dagster tears it down however the run ended, also when nobody closes the op's generator."""
    closed: list[str] = []
    resource = RegionsResource(platform_file="platform.yaml")
    work = resource.ends(SimpleNamespace(close=lambda: closed.append("work")))
    assert closed == []
    resource.teardown_after_execution(build_init_resource_context())
    assert closed == ["work"]
    assert work is not None
