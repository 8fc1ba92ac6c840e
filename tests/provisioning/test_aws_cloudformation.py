import threading

import pytest

from platform_pipelines.aws import change_sets, cloudformation
from platform_pipelines.aws.change_sets import Kind, Request
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.aws.templates import Template
from tests.fakes.cloudformation import FakeCloudFormation
from tests.provisioning.world import World

TEMPLATE = '{"Resources":{%s}}'
RESOURCE = '"R%d":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"t"}}'


@pytest.fixture
def world() -> World:
    """Two empty Regions."""
    return World()


@pytest.fixture
def tokyo(world: World) -> AwsRegion:
    """One of them, as the product sees it."""
    return world.regions["tokyo"]


@pytest.fixture
def fake(world: World) -> FakeCloudFormation:
    """What stands behind it."""
    return world.cloudformation["tokyo"]


def _request(name: str, resources: int = 2, kind: Kind = Kind.CREATE) -> Request:
    template = TEMPLATE % ",".join(RESOURCE % number for number in range(resources))
    return Request(
        stack_name="peccy-topics", kind=kind, name=name, template=Template(body=template)
    )


def _made(world: World, tokyo: AwsRegion, resources: int = 2) -> change_sets.Draft:
    draft = change_sets.create(tokyo, _request("first", resources), new_stack=True)
    change_sets.computed(tokyo, draft, world.clock, threading.Event())
    change_sets.execute(tokyo, draft)
    cloudformation.follow(
        tokyo,
        draft.stack_id,
        None,
        lambda _: None,
        world.clock,
        world.stop,
        lambda: change_sets.executed(tokyo, draft),
    )
    return draft


def test_there_is_no_stack_where_there_is_none(tokyo: AwsRegion) -> None:
    """AWS answers with an error; for us that is an answer."""
    assert cloudformation.describe(tokyo, "peccy-topics") is None


def test_every_page_of_a_change_set_is_read(world: World, tokyo: AwsRegion) -> None:
    """A stack may have more resources than a page has changes."""
    draft = change_sets.create(tokyo, _request("many", 12), new_stack=True)
    found = change_sets.computed(tokyo, draft, world.clock, threading.Event())
    assert [one.logical_id for one in found.changes] == sorted(f"R{i}" for i in range(12))
    assert found.changes[0].properties[0].after == "t"


def test_a_first_create_leaves_nothing_behind_when_it_fails(
    tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """CloudFormation is asked to delete what it could not make."""
    change_sets.create(tokyo, _request("first"), new_stack=True)
    assert fake.requests[0]["OnStackFailure"] == "DELETE"
    assert fake.requests[0]["ClientToken"] == "first"


def test_an_update_is_not_deleted_when_it_fails(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """AWS takes OnStackFailure=DELETE with a create only."""
    _made(world, tokyo)
    change_sets.create(tokyo, _request("second", 3, Kind.UPDATE), new_stack=False)
    assert "OnStackFailure" not in fake.requests[1]


def test_no_change_is_no_failure(world: World, tokyo: AwsRegion) -> None:
    """The change set is FAILED, and empty."""
    _made(world, tokyo)
    draft = change_sets.create(tokyo, _request("again", kind=Kind.UPDATE), new_stack=False)
    found = change_sets.computed(tokyo, draft, world.clock, threading.Event())
    assert (found.failed, found.empty) == (True, True)


def test_discarding_removes_the_shell_that_was_made(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """A plan leaves no REVIEW_IN_PROGRESS behind."""
    draft = change_sets.create(tokyo, _request("first"), new_stack=True)
    change_sets.computed(tokyo, draft, world.clock, threading.Event())
    change_sets.discard(tokyo, draft)
    assert (fake.stacks, fake.change_sets) == ({}, {})


def test_what_a_killed_run_left_is_removed_once_it_is_computed(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """AWS refuses to delete it before; what somebody waits for is spared."""
    left = change_sets.create(tokyo, _request("apply-1"), new_stack=True)
    change_sets.create(tokyo, _request("plan-1"), new_stack=True)
    change_sets.discard_stale(
        tokyo, left.stack_id, lambda name: name.startswith("apply-"), world.clock, world.stop
    )
    assert [one.name for one in fake.change_sets.values()] == ["plan-1"]


def test_discarding_never_removes_a_stack_with_resources(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """Somebody executed it meanwhile."""
    change_sets.discard(tokyo, _made(world, tokyo))
    assert fake.stacks["peccy-topics"].status == "CREATE_COMPLETE"


def test_discarding_in_a_dark_region_is_no_failure(world: World, tokyo: AwsRegion) -> None:
    """What remains costs nothing."""
    draft = change_sets.create(tokyo, _request("first"), new_stack=True)
    world.wires["tokyo"].dark = True
    change_sets.discard(tokyo, draft)


def test_events_are_paged_back_to_the_last_one_seen(world: World, tokyo: AwsRegion) -> None:
    """Oldest first, and none twice."""
    draft = change_sets.create(tokyo, _request("first", 7), new_stack=True)
    seen = cloudformation.last_event(tokyo, draft.stack_id)
    assert seen is not None
    change_sets.execute(tokyo, draft)
    world.clock.advance(60)
    events = cloudformation.events_since(tokyo, draft.stack_id, seen)
    assert [one.status for one in events] == ["CREATE_IN_PROGRESS", *["CREATE_COMPLETE"] * 8]
    assert cloudformation.events_since(tokyo, draft.stack_id, events[-1].id) == []


def test_an_operation_has_not_ended_before_its_change_set_says_so(
    world: World, tokyo: AwsRegion
) -> None:
    """Right after the execution the stack may still show the status from before."""
    draft = change_sets.create(tokyo, _request("first"), new_stack=True)
    change_sets.computed(tokyo, draft, world.clock, threading.Event())
    assert not change_sets.executed(tokyo, draft)
    change_sets.execute(tokyo, draft)
    assert not change_sets.executed(tokyo, draft)
    world.clock.advance(60)
    assert change_sets.executed(tokyo, draft)


def test_a_change_set_that_went_with_its_stack_has_ended(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """The failed first create deleted both."""
    fake.failing["peccy-topics"] = ("R1", "no permission")
    draft = _made(world, tokyo)
    state = cloudformation.describe(tokyo, draft.stack_id)
    assert state is not None
    assert state.status == cloudformation.GONE


def test_the_root_cause_is_what_failed_by_itself(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """Cancelled resources and the stack's summary are consequences."""
    fake.failing["peccy-topics"] = ("R1", "no permission")
    draft = change_sets.create(tokyo, _request("first"), new_stack=True)
    seen = cloudformation.last_event(tokyo, draft.stack_id)
    change_sets.execute(tokyo, draft)
    _, events = cloudformation.follow(
        tokyo, draft.stack_id, seen, lambda _: None, world.clock, world.stop
    )
    cause = cloudformation.root_cause(events)
    assert str(cause) == "R1 (AWS::SNS::Topic) CREATE_FAILED: no permission"


def test_without_the_permission_the_general_reason_must_do(
    world: World, tokyo: AwsRegion, fake: FakeCloudFormation
) -> None:
    """Reading the details may fail; that is said, and hides nothing."""
    draft = change_sets.create(tokyo, _request("first"), new_stack=True)
    world.wires["tokyo"].dark = True
    assert change_sets.failures(tokyo, draft.id) == (
        "(details could not be read: EndpointConnectionError)",
    )
