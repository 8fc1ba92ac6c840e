"""Pure: a Platform and a Region in, troposphere templates out. One module per stack.

This module is the registry: which stacks there are, in which order they are applied, and how their
templates read. Provisioning, `make render` and the tests use it. No template says which Region is
active: roles are run-time state and belong to `converge_roles` and the failover.
"""

import json
from collections.abc import Iterator

from cfn import (
    access,
    alerts,
    certificates,
    cluster,
    control,
    database,
    delivery,
    dns,
    drills,
    entries,
    files,
    global_database,
    keys,
    ledger,
    network,
    registry,
    secrets,
    tags,
    traffic,
)
from cfn.stack import Dependency, Output, Scope, Stack, Unit, Where
from platform_pipelines.model import Platform

__all__ = [
    "STACKS",
    "Dependency",
    "Output",
    "Scope",
    "Stack",
    "Unit",
    "Where",
    "dependencies",
    "render",
    "rendered",
    "units",
]

STACKS: tuple[Stack, ...] = (
    Stack(name="ledger", scope=Scope.ONCE, build=ledger.build, stateful=True),
    Stack(name="network", scope=Scope.EACH, build=network.build),
    Stack(name="keys", scope=Scope.EACH, build=keys.build, stateful=True),
    Stack(name="registry", scope=Scope.EACH, build=registry.build, stateful=True),
    Stack(name="traffic", scope=Scope.EACH, build=traffic.build, stateful=True),
    Stack(name="global_database", scope=Scope.ONCE, build=global_database.build, stateful=True),
    Stack(
        name="secrets",
        scope=Scope.EACH,
        build=secrets.build,
        after=(Dependency(stack="keys", region=Where.EACH),),  # a copy needs the other one's key
        parameters={"Key": Output(stack="keys", key="KeyArn")},
        stateful=True,
    ),
    Stack(
        name="cluster",
        scope=Scope.EACH,
        build=cluster.build,
        after=(Dependency(stack="network"), Dependency(stack="keys")),
        parameters={
            "PrivateSubnets": Output(stack="network", key="PrivateSubnets"),
            "Key": Output(stack="keys", key="KeyArn"),
        },
    ),
    Stack(
        name="access",
        scope=Scope.EACH,
        build=access.build,
        after=(Dependency(stack="cluster"),),
        parameters={"Cluster": Output(stack="cluster", key="Cluster")},
    ),
    Stack(
        name="entries",
        scope=Scope.EACH,
        build=entries.build,
        after=(
            Dependency(stack="cluster"),
            Dependency(stack="access", region=Where.EACH),  # its roles must exist
        ),
        parameters={"Cluster": Output(stack="cluster", key="Cluster")},
    ),
    Stack(
        name="files",
        scope=Scope.EACH,
        build=files.build,
        after=(
            Dependency(stack="network"),
            Dependency(stack="keys"),
            Dependency(stack="cluster"),
        ),
        parameters={
            "Vpc": Output(stack="network", key="Vpc"),
            "PrivateSubnets": Output(stack="network", key="PrivateSubnets"),
            "ClusterSecurityGroup": Output(stack="cluster", key="SecurityGroup"),
            "Key": Output(stack="keys", key="KeyArn"),
        },
        stateful=True,
    ),
    Stack(
        name="database",
        scope=Scope.EACH,
        build=database.build,
        after=(
            Dependency(stack="network"),
            Dependency(stack="keys"),
            Dependency(stack="cluster"),
            Dependency(stack="global_database", region=Where.HOME),
            Dependency(stack="secrets", region=Where.HOME),
            Dependency(stack="database", region=Where.HOME),  # the other Region's cluster joins
        ),
        parameters={
            "Vpc": Output(stack="network", key="Vpc"),
            "PrivateSubnets": Output(stack="network", key="PrivateSubnets"),
            "ClusterSecurityGroup": Output(stack="cluster", key="SecurityGroup"),
            "Key": Output(stack="keys", key="KeyArn"),
        },
        stateful=True,
    ),
    Stack(
        name="control",
        scope=Scope.EACH,
        build=control.build,
        after=(
            Dependency(stack="network"),
            Dependency(stack="keys"),
            Dependency(stack="secrets"),
        ),
        parameters={
            "Vpc": Output(stack="network", key="Vpc"),
            "PrivateSubnets": Output(stack="network", key="PrivateSubnets"),
            "Key": Output(stack="keys", key="KeyArn"),
        },
        stateful=True,
    ),
    Stack(
        name="dns",
        scope=Scope.ONCE,
        build=dns.build,
        after=(Dependency(stack="traffic", region=Where.EACH),),
        stateful=True,
    ),
    Stack(
        name="certificates",
        scope=Scope.EACH,
        build=certificates.build,
        after=(Dependency(stack="dns", region=Where.HOME),),
        parameters={"Zone": Output(stack="dns", key="Zone")},
    ),
    Stack(
        name="delivery",
        scope=Scope.EACH,
        build=delivery.build,
        after=(Dependency(stack="keys"), Dependency(stack="registry")),
        parameters={"Key": Output(stack="keys", key="KeyArn")},
        stateful=True,
    ),
    Stack(
        name="alerts",
        scope=Scope.EACH,
        build=alerts.build,
        after=(
            Dependency(stack="keys"),
            Dependency(stack="cluster"),
            Dependency(stack="files"),
            Dependency(stack="files", region=Where.OTHER),
            Dependency(stack="database"),
            Dependency(stack="delivery"),
            Dependency(stack="alerts", region=Where.HOME),  # its topics are the channel's, too
        ),
        parameters={
            "Key": Output(stack="keys", key="KeyArn"),
            "FileSystems": Output(stack="files", key="FileSystems"),
            "PeerFileSystems": Output(stack="files", key="FileSystems", region=Where.OTHER),
        },
    ),
    Stack(
        name="drills",
        scope=Scope.EACH,
        build=drills.build,
        after=(
            Dependency(stack="network"),
            Dependency(stack="cluster"),
            Dependency(stack="database"),
            Dependency(stack="alerts"),
        ),
        parameters={"DrillStop": Output(stack="alerts", key="DrillStop")},
    ),
)


def dependencies(platform: Platform, unit: Unit) -> tuple[Unit, ...]:
    """The units that must be applied before this one; never itself."""
    found = (other for need in unit.stack.after for other in _meant(platform, unit, need))
    return tuple(other for other in found if other.key != unit.key)


def units(platform: Platform) -> tuple[Unit, ...]:
    """Every stack in every Region where it lives, each after all that it depends on."""
    ordered: dict[tuple[str, str], Unit] = {}
    for stack in STACKS:
        for unit in _places(platform, stack):
            _visit(platform, unit, ordered)
    return tuple(ordered.values())


# By (alias, stack): the latest templates with what they were built from, which nobody can change. A
# run knows several platforms: before and after the ledger has told how databases were born.
_LATEST: dict[tuple[str, str], tuple[tuple[Platform, Stack, str], ...]] = {}
_KEPT = 4  # of each unit


def render(platform: Platform, unit: Unit) -> str:
    """The template as it is sent to CloudFormation: tagged, compact JSON, keys sorted. A run asks
    for each of them at every step, so the latest are kept."""
    latest = _LATEST.get(unit.key, ())
    for of, stack, text in latest:
        if stack is unit.stack and of == platform:
            return text
    made = _render(platform, unit)
    _LATEST[unit.key] = ((platform, unit.stack, made), *latest)[:_KEPT]
    return made


def rendered(platform: Platform) -> dict[tuple[str, str], str]:
    """Every unit's template, by (alias, stack); each is built anew."""
    return {unit.key: _render(platform, unit) for unit in units(platform)}


def _render(platform: Platform, unit: Unit) -> str:
    template = unit.stack.build(platform, unit.region)
    data = tags.tagged(template, platform, unit.stack.name, unit.region)
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _stack(name: str) -> Stack:
    return next(stack for stack in STACKS if stack.name == name)


def _places(platform: Platform, stack: Stack) -> Iterator[Unit]:
    """Home first, so that its units come first wherever the order is free."""
    yield Unit(stack=stack, region=platform.home_region)
    if stack.scope is Scope.EACH:
        yield Unit(stack=stack, region=platform.other(platform.home))


def _meant(platform: Platform, unit: Unit, need: Dependency) -> Iterator[Unit]:
    stack = _stack(need.stack)
    for place in _places(platform, stack):
        match need.region:
            case Where.SAME if place.region != unit.region and stack.scope is Scope.EACH:
                continue
            case Where.OTHER if place.region == unit.region:
                continue
            case Where.HOME if place.region != platform.home_region:
                continue
        yield place


def _visit(platform: Platform, unit: Unit, ordered: dict[tuple[str, str], Unit]) -> None:
    if unit.key in ordered:
        return
    for other in dependencies(platform, unit):
        _visit(platform, other, ordered)
    ordered[unit.key] = unit
