"""Recovery against the local Regions, where operations fail and roll back as AWS's do."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from cfn import Unit
from platform_pipelines.aws import cloudformation
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning import leftover, recover, recovery_text
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.recover import (
    NotNamed,
    NotNow,
    Recovered,
    StillStuck,
    UnknownStack,
    WouldLoseData,
)
from platform_pipelines.provisioning.run import Run, footing
from platform_pipelines.provisioning.standing import IncidentOpen
from platform_pipelines.provisioning.statuses import StackStuck, Way
from platform_pipelines.provisioning.stuck import Recovery
from tests import local_world
from tests.fakes.calls import Wire
from tests.local_world import LocalWorld
from tests.provisioning.world import PLATFORM, FakeLedger, World, incident

STACK = PLATFORM.stack_name("traffic")  # any: what is in it is each test's
WHERE = "tokyo/traffic"
Resource = dict[str, Any]


def parameter(value: str, **more: Any) -> Resource:
    """The smallest resource."""
    properties = {"Type": "String", "Value": value, "Name": f"/{STACK}/{more.pop('name', 'a')}"}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties, **more}


def bucket(**more: Any) -> Resource:
    """Something that holds data."""
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{STACK}-data"}, **more}


def broken(**more: Any) -> Resource:
    """Something that no service makes."""
    properties = {"FileSystemId": "fs-00000000000000000"}
    return {"Type": "AWS::EFS::AccessPoint", "Properties": properties, **more}


@dataclass(kw_only=True)
class Place:
    """Tokyo's CloudFormation, the product's view of it, and a ledger."""

    world: LocalWorld
    run: Run
    ledger: FakeLedger
    told: list[str]

    @property
    def unit(self) -> Unit:
        return recover.unit_of(PLATFORM, WHERE)

    @cached_property
    def client(self) -> Any:
        return self.world.aws("cloudformation", "tokyo")

    def create(self, resources: Mapping[str, Resource], **more: Any) -> str:
        """Make the stack and wait; its last status."""
        made = self.client.create_stack(StackName=STACK, TemplateBody=_body(resources), **more)
        return self.end(made["StackId"])

    def update(self, resources: Mapping[str, Resource], **more: Any) -> str:
        """Change the stack and wait; its last status."""
        made = self.client.update_stack(StackName=STACK, TemplateBody=_body(resources), **more)
        return self.end(made["StackId"])

    def delete(self) -> str:
        """Delete the stack and wait; its last status."""
        stack_id = self.state("StackId")
        self.client.delete_stack(StackName=STACK)
        return self.end(stack_id)

    def end(self, stack_id: str) -> str:
        region, clock = self.run.regions["tokyo"], self.run.clock
        state, _ = cloudformation.follow(
            region, stack_id, None, lambda _: None, clock, self.run.stop
        )
        return state.status if state else cloudformation.GONE

    def state(self, key: str = "StackStatus") -> str:
        return str(self.client.describe_stacks(StackName=STACK)["Stacks"][0][key])

    @contextmanager
    def failing(self, logical_id: str) -> Iterator[None]:
        """Let every operation on this resource fail."""
        what = {"transition": "stack_resource", "resource": f"{STACK}/{logical_id}"}
        fault = self.world.control.add_fault("transition", ending="failed", **what)
        try:
            yield
        finally:
            self.world.control.remove_fault(fault)

    def rollback_failed(self) -> None:
        """An update that could neither be made nor undone: A is left changed."""
        assert (
            self.create({"A": parameter("1"), "Z": parameter("1", name="z")}) == "CREATE_COMPLETE"
        )
        with self.failing("A"):
            changed = {"A": parameter("2"), "Z": parameter("2", name="z")}
            assert self.update(changed) == "UPDATE_ROLLBACK_FAILED"

    def value(self) -> str:
        found = self.world.aws("ssm", "tokyo").get_parameter(Name=f"/{STACK}/a")
        return str(found["Parameter"]["Value"])

    def look(self) -> Recovery:
        return recover.look(self.run, self.unit)

    def recover(self, *skip: str, delete: Sequence[str] = ()) -> Recovered:
        return recover.recover(self.run, self.unit, skip, delete)


def _body(resources: Mapping[str, Resource]) -> str:
    return json.dumps({"Resources": dict(resources)})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One server for all; each test begins with its empty snapshot."""
    with local_world.start(tmp_path_factory.mktemp("recover"), speed=200) as made:
        made.control.take_snapshot("empty")
        yield made


@pytest.fixture
def place(world: LocalWorld) -> Iterator[Place]:
    """Nothing applied yet; the ledger says that Seoul is active."""
    world.control.restore_snapshot("empty")
    settings = environments.from_environment(PLATFORM, world.environment())
    ledger = FakeLedger(Wire("ledger", [], threading.RLock()), lambda: True)
    ledger.say("seoul", 1)
    told: list[str] = []
    run = Run(
        platform=PLATFORM,
        regions=Aws(PLATFORM, settings),
        ledger=lambda: ledger,
        clock=settings.clock,
        tell=told.append,
    )
    yield Place(world=world, run=run, ledger=ledger, told=told)
    world.control.clear_faults()


# An update whose rollback failed


def test_a_look_shows_what_is_stuck_and_why_and_changes_nothing(place: Place) -> None:
    """The root cause, the exact list, and the run that goes on."""
    place.rollback_failed()
    before = sum(1 for _ in place.world.control.calls())
    found = place.look()
    assert (found.status, found.way, found.skip) == ("UPDATE_ROLLBACK_FAILED", Way.CONTINUE, ("A",))
    assert "A (AWS::SSM::Parameter) UPDATE_FAILED" in found.causes[0]
    assert recovery_text.config(found) == {"stack": WHERE, "skip": ["A"], "confirm": True}
    shown = recovery_text.shown(found)
    assert "Nothing was changed" in shown
    assert '"skip": [\n' in shown
    calls = list(place.world.control.calls())[before:]
    assert [call.operation for call in calls if call.changing] == []


def test_the_named_list_is_skipped(place: Place) -> None:
    """The stack can be used again; the skipped resource is not as the template says."""
    place.rollback_failed()
    with place.failing("A"):
        done = place.recover("A")
    assert (done.status, done.skipped) == ("UPDATE_ROLLBACK_COMPLETE", ("A",))
    assert place.state() == "UPDATE_ROLLBACK_COMPLETE"
    assert "detect_drift shows how" in recovery_text.done(done)
    assert any("continue the rollback, skipping A" in line for line in place.told)


def test_a_repaired_cause_needs_no_skipping(place: Place) -> None:
    """The rollback goes on and undoes everything."""
    place.rollback_failed()
    done = place.recover()
    assert (done.status, done.skipped) == ("UPDATE_ROLLBACK_COMPLETE", ())
    assert place.value() == "1"


def test_a_cause_that_is_still_there_is_said(place: Place) -> None:
    """The stack is as stuck as before, and the next look says at what."""
    place.rollback_failed()
    with place.failing("A"):
        with pytest.raises(
            StillStuck, match="tokyo/traffic is UPDATE_ROLLBACK_FAILED after that: A"
        ):
            place.recover()
        assert place.look().skip == ("A",)


def test_what_is_not_stuck_cannot_be_skipped(place: Place) -> None:
    """The list may be of an earlier look; nothing is changed."""
    place.rollback_failed()
    with pytest.raises(NotNamed, match=r"skip: Z cannot be named .* Possible: A\."):
        place.recover("A", "Z")
    assert place.state() == "UPDATE_ROLLBACK_FAILED"


def test_a_second_run_finds_nothing_to_do(place: Place) -> None:
    """Recovering is safe to repeat."""
    place.rollback_failed()
    place.recover("A")
    again = place.recover("A")
    assert (again.way, again.status) == (None, "UPDATE_ROLLBACK_COMPLETE")
    assert "nothing to recover" in recovery_text.done(again)
    assert "nothing to recover" in recovery_text.shown(place.look())


# A deletion that failed


def deletion_failed(place: Place, **policy: str) -> None:
    """A bucket with an object in it, which S3 does not delete."""
    assert place.create({"A": parameter("1"), "Data": bucket(**policy)}) == "CREATE_COMPLETE"
    place.world.aws("s3", "tokyo").put_object(Bucket=f"{STACK}-data", Key="one", Body=b"1")
    assert place.delete() == "DELETE_FAILED"


def test_what_holds_data_is_not_deleted_unnamed(place: Place) -> None:
    """The refusal says how to keep it."""
    deletion_failed(place)
    assert place.look().skip == ("Data",)
    with pytest.raises(WouldLoseData, match=r"Data \(AWS::S3::Bucket .*Keep Data by naming it"):
        place.recover()
    assert place.state() == "DELETE_FAILED"


def test_what_is_named_is_kept_outside_of_the_stack(place: Place) -> None:
    """The stack goes, the data stays."""
    deletion_failed(place)
    done = place.recover("Data")
    assert done.status == "DELETE_COMPLETE"
    assert "Data (AWS::S3::Bucket" in done.kept[0]
    assert "import or remove what would have the same name" in recovery_text.done(done)
    found = place.world.aws("s3", "tokyo").list_objects_v2(Bucket=f"{STACK}-data")
    assert found["KeyCount"] == 1


# Operations whose rollback somebody had disabled


def test_a_first_creation_that_was_left_is_rolled_back(place: Place) -> None:
    """What it had made goes, and apply begins anew."""
    broken_one = {"A": parameter("1"), "B": broken(DependsOn="A")}
    assert place.create(broken_one, DisableRollback=True) == "CREATE_FAILED"
    found = place.look()
    assert (found.way, [one.logical_id for one in found.deleted]) == (Way.ROLL_BACK, ["A"])
    assert place.recover().status == "ROLLBACK_COMPLETE"


def test_a_rollback_does_not_take_data_with_it(place: Place) -> None:
    """Time has passed since: something may be in it by now."""
    made = {"Data": bucket(), "B": broken(DependsOn="Data")}
    assert place.create(made, DisableRollback=True) == "CREATE_FAILED"
    with pytest.raises(WouldLoseData, match="Data") as refused:
        place.recover()
    assert "in skip" not in str(refused.value)  # a rollback keeps nothing
    assert place.state() == "CREATE_FAILED"


def test_an_update_that_was_left_is_rolled_back(place: Place) -> None:
    """What was there stays, data too."""
    assert place.create({"A": parameter("1"), "Data": bucket()}) == "CREATE_COMPLETE"
    made = {"A": parameter("2"), "Data": bucket(), "B": broken(DependsOn="A")}
    assert place.update(made, DisableRollback=True) == "UPDATE_FAILED"
    assert place.look().deleted == ()
    assert place.recover().status == "UPDATE_ROLLBACK_COMPLETE"
    assert place.value() == "1"


# A first creation whose rollback failed, or left something


def rollback_of_creation_failed(place: Place) -> None:
    """Its first rollback failed, because there is something in the bucket."""
    made = {"A": parameter("1"), "Data": bucket(), "B": broken(DependsOn=["A", "Data"])}
    assert place.create(made, DisableRollback=True) == "CREATE_FAILED"
    s3 = place.world.aws("s3", "tokyo")
    s3.put_object(Bucket=f"{STACK}-data", Key="one", Body=b"1")
    with pytest.raises(StillStuck, match="ROLLBACK_FAILED after that: Data"):
        place.recover(delete=["Data"])


def test_a_rollback_of_a_creation_that_failed_is_deleted(place: Place) -> None:
    """Shown before, with what goes; what holds data goes only when it is named."""
    rollback_of_creation_failed(place)
    found = place.look()
    assert (found.status, found.way, found.skip) == ("ROLLBACK_FAILED", Way.DELETE, ())
    assert [one.logical_id for one in found.deleted] == ["Data"]
    with pytest.raises(WouldLoseData):
        place.recover()
    place.world.aws("s3", "tokyo").delete_object(Bucket=f"{STACK}-data", Key="one")
    assert place.recover(delete=["Data"]).status == "DELETE_COMPLETE"


def test_only_what_would_be_lost_can_be_named_for_it(place: Place) -> None:
    """A list of an earlier look is refused."""
    rollback_of_creation_failed(place)
    with pytest.raises(NotNamed, match=r"delete: A cannot be named .* Possible: Data"):
        place.recover(delete=["A"])
    assert place.state() == "ROLLBACK_FAILED"


def test_what_a_policy_keeps_is_shown_and_makes_apply_ask(place: Place) -> None:
    """A bucket that outlived its first creation: the name is taken, so apply stops at it."""
    made = {"Data": bucket(DeletionPolicy="Retain"), "B": broken(DependsOn="Data")}
    assert place.create(made) == "ROLLBACK_COMPLETE"
    assert "Data (AWS::S3::Bucket" in str(place.look().kept[0])
    with pytest.raises(StackStuck, match=r"left: Data .* Run job recover_stack"):
        cleared(place)
    assert "Data" in place.recover().kept[0]
    assert place.world.aws("s3", "tokyo").head_bucket(Bucket=f"{STACK}-data")


def cleared(place: Place) -> object:
    """What apply does before it creates."""
    site = place.run.site(place.unit)
    state = cloudformation.describe(site.region, site.stack_name)
    return leftover.cleared(site, state, footing(place.run).guard(place.run))


def test_apply_clears_an_empty_leftover_away(place: Place) -> None:
    """ROLLBACK_COMPLETE without anything left: deleted, and then there is no stack."""
    assert place.create({"B": broken()}) == "ROLLBACK_COMPLETE"
    assert cleared(place) is None
    assert place.told[-1].endswith("to create it anew")
    assert cloudformation.describe(place.run.regions["tokyo"], STACK) is None


def test_apply_goes_on_by_itself_from_an_empty_leftover(place: Place) -> None:
    """Deleted and created in one run, without a person."""
    assert place.create({"B": broken()}) == "ROLLBACK_COMPLETE"
    (outcome,) = apply(place.run, [place.unit], lambda _: None)
    assert (outcome.ending, outcome.reason) == (Ending.APPLIED, "")
    assert place.state() == "CREATE_COMPLETE"


def test_apply_touches_no_leftover_while_an_incident_is_open(place: Place) -> None:
    """Not even an empty one."""
    assert place.create({"B": broken()}) == "ROLLBACK_COMPLETE"
    guard = footing(place.run).guard(place.run)
    site = place.run.site(place.unit)
    state = cloudformation.describe(site.region, site.stack_name)
    place.ledger.last = incident("tokyo", IncidentState.OPEN)
    with pytest.raises(IncidentOpen):
        leftover.cleared(site, state, guard)
    assert place.state() == "ROLLBACK_COMPLETE"


def test_a_stack_that_can_be_used_is_no_leftover(place: Place) -> None:
    """It is handed back as it is."""
    place.create({"A": parameter("1")})
    assert cleared(place) is not None
    assert place.state() == "CREATE_COMPLETE"


# What keeps us from it


def test_an_open_incident_keeps_us_from_every_stack(place: Place) -> None:
    """A look is allowed."""
    place.rollback_failed()
    place.ledger.last = incident("tokyo", IncidentState.OPEN)
    assert place.look().skip == ("A",)
    with pytest.raises(IncidentOpen):
        place.recover("A")
    assert place.state() == "UPDATE_ROLLBACK_FAILED"


@pytest.mark.parametrize("active", ["seoul", "tokyo"])
def test_a_settled_incident_keeps_us_from_the_old_side_and_from_data(
    place: Place, active: str
) -> None:
    """Stack traffic holds data, so also in the active Region it waits for reprotect."""
    place.rollback_failed()
    place.ledger.say(active, 2, IncidentState.SETTLED)
    with pytest.raises(NotNow, match=r"tokyo/traffic is left alone while incident inc-1"):
        place.recover("A")
    assert place.state() == "UPDATE_ROLLBACK_FAILED"


def test_a_stack_of_the_active_region_without_data_is_recovered(place: Place) -> None:
    """A settled incident lets it through: here there is nothing to do."""
    place.ledger.say("tokyo", 2, IncidentState.SETTLED)
    unit = recover.unit_of(PLATFORM, "tokyo/network")
    assert recover.recover(place.run, unit, ()).status == "not there"


def test_a_stack_that_only_a_person_can_bring_back_says_so() -> None:
    """Nothing of ours imports, so nothing of ours undoes it."""
    world = World()
    world.apply()
    world.stack("tokyo", "traffic").status = "IMPORT_ROLLBACK_FAILED"
    unit = recover.unit_of(PLATFORM, WHERE)
    with pytest.raises(StackStuck, match="ask AWS Support"):
        recover.look(world.run(), unit)


def test_a_wrong_name_is_refused_with_the_right_ones() -> None:
    """As the config's field is written by hand."""
    with pytest.raises(UnknownStack, match=r"no stack 'osaka/files'.*seoul/files"):
        recover.unit_of(PLATFORM, "osaka/files")
