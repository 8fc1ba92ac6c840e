from collections import Counter
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import cfn
from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.clock import Stopped
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning import drift, expected, protection
from platform_pipelines.provisioning.dangers import RUN_TIME
from platform_pipelines.provisioning.drift import State, UnitDrift
from platform_pipelines.provisioning.expected import OWNED
from tests.fakes.calls import client_error
from tests.provisioning.world import PLATFORM, World, incident


@pytest.fixture
def world() -> World:
    """Both Regions, applied."""
    made = World()
    made.apply()
    return made


def look(world: World, *keys: tuple[str, str]) -> dict[str, UnitDrift]:
    """Look for drift in these stacks, or all."""
    found: list[UnitDrift] = []
    units = [one for one in cfn.units(PLATFORM) if not keys or one.key in keys]
    drift.detect(world.run(), units, found.append)
    return {"/".join(one.key): one for one in found}


def one(world: World, alias: str, stack: str) -> UnitDrift:
    """Look at one stack."""
    return look(world, (alias, stack))[f"{alias}/{stack}"]


def drifts(world: World, alias: str, stack: str, logical_id: str, **properties: Any) -> None:
    """Somebody changes a resource by hand."""
    name = PLATFORM.stack_name(stack)
    world.cloudformation[alias].drifts(name, logical_id, **properties)


def database(world: World, alias: str) -> str:
    """The DB cluster's logical id."""
    resources = world.stack(alias, "database").template["Resources"].items()
    return next(str(name) for name, made in resources if made["Type"] == "AWS::RDS::DBCluster")


# What is found


def test_what_was_applied_is_in_sync(world: World) -> None:
    """Every stack, in both Regions, with everything that could be compared."""
    found = look(world)
    assert set(found) == {"/".join(unit.key) for unit in cfn.units(PLATFORM)}
    assert {unit.state for unit in found.values()} == {State.IN_SYNC}
    assert all(unit.compared for unit in found.values())


def test_a_look_changes_nothing(world: World) -> None:
    """No changing call, whatever is found."""
    drifts(world, "tokyo", "network", "Vpc", EnableDnsSupport=False)
    world.log.clear()
    look(world)
    assert world.changing() == []


def test_a_change_by_hand_is_shown_with_both_values(world: World) -> None:
    """The property, what the template says, what is."""
    drifts(world, "tokyo", "network", "Vpc", EnableDnsSupport=False)
    found = one(world, "tokyo", "network")
    assert found.state is State.DRIFTED
    (finding,) = found.findings
    assert (finding.subject, finding.type) == ("Vpc", "AWS::EC2::VPC")
    (difference,) = finding.differences
    shown = (difference.path, difference.expected, difference.actual)
    assert shown == ("/EnableDnsSupport", "true", "false")
    assert "/EnableDnsSupport: true → false" in str(found)


def test_a_resource_that_somebody_deleted_is_drift(world: World) -> None:
    """With its physical id, by which an audit log finds who did it."""
    world.stack("tokyo", "network").lost.add("Vpc")
    found = one(world, "tokyo", "network")
    assert found.state is State.DRIFTED
    assert world.stack("tokyo", "network").resources["Vpc"] in str(found)


def test_what_cannot_be_compared_is_unknown_and_not_in_sync(world: World) -> None:
    """A resource that CloudFormation could not read."""
    world.stack("tokyo", "network").unreadable["Vpc"] = "Access denied"
    found = one(world, "tokyo", "network")
    assert found.state is State.UNKNOWN
    assert "Vpc: Access denied" in str(found)


def test_types_that_cannot_be_compared_are_named(world: World) -> None:
    """Nobody must believe that they were looked at."""
    world.cloudformation["tokyo"].incomparable.add("AWS::EC2::VPC")
    found = one(world, "tokyo", "network")
    assert found.state is State.IN_SYNC
    assert [name for name in found.uncompared if name.startswith("Vpc (AWS::EC2::VPC")]


def test_a_failed_detection_without_a_resource_is_unknown(world: World) -> None:
    """The reason stands for the stack."""
    stack = world.stack("tokyo", "network")
    stack.unreadable["NoSuchResource"] = "Internal Failure"
    found = one(world, "tokyo", "network")
    assert (found.state, [finding.reason for finding in found.findings]) == (
        State.UNKNOWN,
        ["Internal Failure"],
    )


# Stacks that cannot be looked at


def test_a_stack_that_is_not_there_is_drift(world: World) -> None:
    """Somebody deleted it, or nobody made it."""
    name = PLATFORM.stack_name("network")
    del world.cloudformation["tokyo"].stacks[name]
    found = one(world, "tokyo", "network")
    assert found.state is State.DRIFTED
    assert "it does not exist. Run apply_infrastructure" in str(found)


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        ("REVIEW_IN_PROGRESS", State.DRIFTED, "does not exist"),
        ("UPDATE_IN_PROGRESS", State.UNKNOWN, "run detect_drift again"),
        ("UPDATE_ROLLBACK_FAILED", State.DRIFTED, "Run job recover_stack"),
        ("ROLLBACK_COMPLETE", State.DRIFTED, "something of it is left"),
        ("FROZEN", State.DRIFTED, "not known here"),
    ],
)
def test_a_stack_that_is_not_at_rest_says_so(
    world: World, status: str, state: State, text: str
) -> None:
    """It is not asked for drift, which AWS would refuse."""
    world.stack("tokyo", "network").status = status
    world.log.clear()
    found = one(world, "tokyo", "network")
    assert found.state is state
    assert text in str(found)
    assert world.calls("DetectStackDrift") == []


def test_a_dark_region_is_unknown_and_asked_only_a_few_times(world: World) -> None:
    """The other one is looked at all the same."""
    world.wires["seoul"].dark = True
    found = look(world)
    states = {
        alias: {unit.state for unit in found.values() if unit.alias == alias}
        for alias in ("seoul", "tokyo")
    }
    assert states == {"seoul": {State.UNKNOWN}, "tokyo": {State.IN_SYNC}}
    assert "seoul does not answer" in str(found["seoul/network"])


def test_a_dark_region_after_a_failover_is_unknown_because_of_the_incident(world: World) -> None:
    """Both are said."""
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    world.wires["seoul"].dark = True
    assert "inc-1-20261122T030000Z is settled" in str(one(world, "seoul", "cluster"))


# Protection


def test_missing_termination_protection_is_drift(world: World) -> None:
    """Of a stack that holds data; with the command that puts it back."""
    world.stack("tokyo", "files").protected = False
    found = one(world, "tokyo", "files")
    assert found.state is State.DRIFTED
    assert "--enable-termination-protection --region ap-northeast-1" in str(found)


@pytest.mark.parametrize("policy", ["", protection.policy(["FileSystemPictures"])])
def test_a_missing_or_lifted_stack_policy_is_drift(world: World, policy: str) -> None:
    """A run that was killed while something was allowed leaves the second."""
    world.stack("tokyo", "files").policy = policy
    found = one(world, "tokyo", "files")
    assert found.state is State.DRIFTED
    assert "set-stack-policy --region ap-northeast-1 --stack-name peccy-files" in str(found)


def test_a_stack_without_data_needs_no_protection(world: World) -> None:
    """Its resources are made again from the template."""
    world.stack("tokyo", "network").protected = False
    world.log.clear()
    assert one(world, "tokyo", "network").state is State.IN_SYNC
    assert world.calls("GetStackPolicy") == []


# What an incident explains


def leave(world: World, alias: str) -> None:
    """A DB cluster is no longer in its global cluster."""
    drifts(world, alias, "database", database(world, alias), GlobalClusterIdentifier=None)


@pytest.mark.parametrize("state", list(IncidentState))
def test_only_an_incident_that_is_not_over_explains(world: World, state: IncidentState) -> None:
    """Open and settled; a proposed one has changed nothing yet."""
    leave(world, "seoul")
    world.ledger.say("tokyo", 2, state)
    found = one(world, "seoul", "database")
    explains = state in (IncidentState.OPEN, IncidentState.SETTLED)
    assert found.state is (State.EXPECTED if explains else State.DRIFTED)
    assert ("inc-1-20261122T030000Z" in str(found)) is explains


def test_without_an_incident_the_same_drift_is_unexpected(world: World) -> None:
    """Somebody detached a DB cluster by hand."""
    leave(world, "seoul")
    assert one(world, "seoul", "database").state is State.DRIFTED


def test_the_active_sides_membership_is_not_explained(world: World) -> None:
    """The failover promotes it within its global cluster."""
    leave(world, "tokyo")
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    assert one(world, "tokyo", "database").state is State.DRIFTED


def test_an_incident_explains_one_property_and_not_its_neighbour(world: World) -> None:
    """Both of one resource: each stands for itself, and the worse counts."""
    cluster = database(world, "seoul")
    leave(world, "seoul")
    drifts(world, "seoul", "database", cluster, DeletionProtection=False)
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    found = one(world, "seoul", "database")
    paths = {
        finding.state: [each.path for each in finding.differences] for finding in found.findings
    }
    assert paths == {
        State.EXPECTED: ["/GlobalClusterIdentifier"],
        State.DRIFTED: ["/DeletionProtection"],
    }
    assert found.state is State.DRIFTED


def test_without_the_ledger_nothing_is_expected(world: World) -> None:
    """It is looked at all the same, and the log says why nothing is explained."""
    leave(world, "seoul")
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)

    def unreachable() -> None:
        raise TableUnavailable("peccy-ledger", "tokyo", "it timed out")

    world.ledger.before_read = unreachable
    assert one(world, "seoul", "database").state is State.DRIFTED
    assert "no incident explains anything" in world.told[-1]


def test_everything_that_roles_own_is_explained() -> None:
    """What a template may not set, because run time owns it, is what an incident may change."""
    assert {(owned.type, owned.property) for owned in OWNED} > set(RUN_TIME)


def test_what_roles_own_are_properties_of_cloudformation() -> None:
    """By cfn-lint's copy of the Region's schemas."""
    for owned in OWNED:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("ap-northeast-2", owned.type)
        assert owned.property in schema.schema["properties"]


def test_a_property_whose_name_only_begins_alike_is_not_explained() -> None:
    """/ScalingConfigurations is none of the roles'."""
    settled = incident("tokyo", IncidentState.SETTLED)
    kind = "AWS::EKS::Nodegroup"
    assert expected.reason(settled, "tokyo", kind, "/ScalingConfig/DesiredSize")
    assert expected.reason(settled, "tokyo", kind, "/ScalingConfigurations") is None
    assert expected.reason(settled, "tokyo", kind, "") is None


# How AWS is asked


def throttled(world: World, operation: str, times: int) -> None:
    """Let an operation be refused so many times."""
    left = [times]

    def refuse(_alias: str, name: str) -> None:
        if name == operation and left[0]:
            left[0] -= 1
            raise client_error("Throttling", "Rate exceeded", operation)

    world.watch(refuse)


@pytest.mark.parametrize(
    "operation",
    ["DetectStackDrift", "DescribeStackDriftDetectionStatus", "DescribeStackResourceDrifts"],
)
def test_a_throttled_call_is_made_again_later(world: World, operation: str) -> None:
    """CloudFormation allows few of them at a time."""
    throttled(world, operation, 3)
    assert one(world, "tokyo", "network").state is State.IN_SYNC


def test_somebody_elses_detection_is_awaited(world: World) -> None:
    """A stack has one at a time, and does not say which."""
    begun = world.clock.monotonic()

    def refuse(_alias: str, name: str) -> None:
        if name == "DetectStackDrift" and world.clock.monotonic() < begun + 60:
            text = "Drift detection is already in progress for stack peccy-network"
            raise client_error("ValidationError", text, name)

    world.watch(refuse)
    assert one(world, "tokyo", "network").state is State.IN_SYNC
    assert world.clock.monotonic() >= begun + 60


def test_a_detection_that_never_ends_is_unknown(world: World) -> None:
    """After half an hour; nobody holds a worker for ever."""
    throttled(world, "DetectStackDrift", 10_000)
    found = one(world, "tokyo", "network")
    assert found.state is State.UNKNOWN
    assert "has not ended within 30 minutes" in str(found)


def test_another_refusal_is_unknown_and_names_itself(world: World) -> None:
    """As a permission that is missing."""

    def refuse(_alias: str, name: str) -> None:
        if name == "DetectStackDrift":
            raise client_error("AccessDenied", "not authorized to perform", name, 403)

    world.watch(refuse)
    found = one(world, "tokyo", "network")
    assert found.state is State.UNKNOWN
    assert "not authorized" in str(found)


def test_few_stacks_of_a_region_are_asked_at_once(world: World) -> None:
    """And both Regions at the same time."""
    running, most = Counter[str](), Counter[str]()

    def count(alias: str, name: str) -> None:
        if name == "DetectStackDrift":
            running[alias] += 1
            most[alias] = max(most[alias], running[alias])
        elif name == "ListStackResources":  # the last question
            running[alias] -= 1

    world.watch(count)
    look(world)
    assert set(most) == {"seoul", "tokyo"}
    assert 1 < max(most.values()) <= drift.AT_ONCE


def test_a_stopped_run_looks_no_further(world: World) -> None:
    """Cancelled in the UI."""
    world.stop.set()
    with pytest.raises(Stopped):
        look(world)
