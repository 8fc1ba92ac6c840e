import itertools
import json
import threading
from typing import Any

import pytest

import cfn
from platform_pipelines.clock import Stopped
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning import protection, text
from platform_pipelines.provisioning.apply import LedgerNotApplied
from platform_pipelines.provisioning.ensure import StackFailed
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.reality import RealityContradictsLedger
from platform_pipelines.provisioning.standing import IncidentOpen
from tests.fakes.calls import Killed
from tests.provisioning.world import CHANGING, GLOBAL, World, after

TOKYO_FILES = ("tokyo", "files")
FILE_SYSTEM = "FileSystemPictures"


@pytest.fixture
def world() -> World:
    """Two empty Regions."""
    return World()


@pytest.fixture
def applied(world: World) -> World:
    """Two Regions in which everything has been applied."""
    world.apply()
    world.log.clear()
    return world


def test_the_first_apply_makes_the_ledger_before_anything_else(world: World) -> None:
    """Its stack comes first, then epoch 1 with home as the active Region, then the others."""
    ended = list(world.apply())
    assert ended[0] == ("seoul", "ledger")
    assert len(ended) == len(cfn.units(world.platform))
    assert world.ledger.now is not None
    assert (world.ledger.now.active, world.ledger.now.epoch) == ("seoul", 1)
    made = [alias for alias, call in world.log if call in ("CreateChangeSet", "PutRoles")]
    assert made[:2] == ["seoul", "ledger"]
    assert world.statuses() == {"CREATE_COMPLETE"}


def test_a_second_apply_has_nothing_to_do(applied: World) -> None:
    """One call looks at each stack; nothing is asked for, executed or written."""
    assert set(applied.endings().values()) == {Ending.UNCHANGED}
    assert applied.changing() == []
    looks = [call for alias, call in applied.log if alias != "ledger"]
    assert looks == ["DescribeStacks"] * len(cfn.units(applied.platform))


def test_a_stack_that_somebody_updated_is_compared_again(applied: World) -> None:
    """The digest says nothing about a stack that was changed since it was recorded."""
    applied.cloudformation["tokyo"].changed("peccy-network", lambda _: None)
    assert applied.apply()["tokyo", "network"].ending is Ending.UNCHANGED
    assert applied.calls("CreateChangeSet") == ["tokyo"]
    assert applied.open_change_sets() == []
    applied.log.clear()
    assert applied.apply()["tokyo", "network"].ending is Ending.UNCHANGED
    assert applied.changing() == []


def test_each_stack_waits_only_for_what_it_needs(world: World) -> None:
    """The whole takes as long as the longest path through the graph, not as the sum."""
    for cloudformation in world.cloudformation.values():
        cloudformation.durations = {"peccy-cluster": 600.0, "peccy-database": 300.0}
    ended = world.apply()
    ends = {("seoul", "ledger"): ended["seoul", "ledger"].seconds}
    for unit in cfn.units(world.platform)[1:]:
        needs = [ends[need.key] for need in cfn.dependencies(world.platform, unit)]
        begins = max(needs, default=ends["seoul", "ledger"])
        ends[unit.key] = begins + ended[unit.key].seconds
    assert world.clock.monotonic() == pytest.approx(max(ends.values()))
    assert list(ended).index(("seoul", "dns")) < list(ended).index(("seoul", "cluster"))


def test_values_come_from_the_stacks_of_the_same_region(world: World) -> None:
    """A parameter is the output of that Region's stack."""
    world.apply()
    for alias in ("seoul", "tokyo"):
        given = world.stack(alias, "files").parameters
        assert given["Vpc"] == world.stack(alias, "network").outputs["Vpc"]
        assert given["Key"] == world.stack(alias, "keys").outputs["KeyArn"]


def test_a_failure_stops_only_what_depends_on_it(world: World) -> None:
    """The other Region and the unrelated stacks go on; the reason is the root cause."""
    world.cloudformation["seoul"].failing["peccy-cluster"] = (
        "Cluster",
        "quota of clusters reached",
    )
    ended = world.apply()
    failed = ended["seoul", "cluster"]
    assert failed.ending is Ending.FAILED
    assert failed.reason.startswith("Cluster (AWS::EKS::Cluster) CREATE_FAILED: quota of clusters")
    assert "DELETE_COMPLETE" in failed.reason
    blocked = {"/".join(key) for key, one in ended.items() if one.ending is Ending.BLOCKED}
    assert blocked == after("seoul/cluster") >= {"seoul/files", "tokyo/database"}
    assert ended["tokyo", "files"].ending is Ending.APPLIED
    assert "peccy-cluster" not in world.cloudformation["seoul"].stacks


def test_the_next_run_goes_on_after_a_failure(world: World) -> None:
    """Once the cause is gone, exactly the rest is applied."""
    world.cloudformation["seoul"].failing["peccy-cluster"] = (
        "Cluster",
        "quota of clusters reached",
    )
    world.apply()
    world.cloudformation["seoul"].failing.clear()
    endings = world.endings()
    applied = {key for key, one in endings.items() if one is Ending.APPLIED}
    assert applied == {"seoul/cluster", *after("seoul/cluster")}


def test_a_ledger_that_cannot_be_made_blocks_everything(world: World) -> None:
    """Without roles nothing else is touched."""
    world.cloudformation["seoul"].failing["peccy-ledger"] = ("Ledger", "no such Region")
    world.cloudformation["seoul"].refusing["peccy-ledger"] = "the table exists"
    endings = world.endings()
    assert endings.pop("seoul/ledger") is Ending.FAILED
    assert set(endings.values()) == {Ending.BLOCKED}


def test_the_first_apply_must_include_the_ledger(world: World) -> None:
    """A selection without it is refused, and says what to select."""
    with pytest.raises(LedgerNotApplied, match=r"Select \[seoul, ledger\] as well"):
        world.apply(("tokyo", "network"))


def test_a_lost_ledger_is_not_written_anew_against_reality(applied: World) -> None:
    """Tokyo writes the database, so home cannot simply be declared active."""
    applied.ledger.now = None
    applied.databases.writers[GLOBAL] = applied.platform.region("tokyo").name
    with pytest.raises(RealityContradictsLedger, match="not written in seoul"):
        applied.apply()
    assert applied.ledger.now is None


def test_validation_failures_tell_their_reason(world: World) -> None:
    """The reason stands only in the events of the change set; nothing is left behind."""
    world.cloudformation["tokyo"].refusing["peccy-network"] = "a VPC of this name exists"
    ended = world.apply()
    assert "Vpc: a VPC of this name exists" in ended["tokyo", "network"].reason
    assert "peccy-network" not in world.cloudformation["tokyo"].stacks


def test_events_that_cannot_be_read_fail_nothing(world: World) -> None:
    """They are for people; the stack's status decides."""
    world.cloudformation["tokyo"].mute = True
    endings = world.endings()
    failed = [key for key, one in endings.items() if one is Ending.FAILED]
    assert failed == []


def test_events_are_told_while_a_stack_is_applied(world: World) -> None:
    """Each resource's line names the stack, once."""
    world.apply()
    lines = [line for line in world.told if line.startswith("seoul/keys ")]
    assert any("CREATE_COMPLETE" in line for line in lines)
    assert len(lines) == len(set(lines))


def test_stacks_with_data_are_protected(applied: World) -> None:
    """Termination protection is set on them, and only on them."""
    assert applied.stack("tokyo", "files").protected
    assert applied.stack("seoul", "ledger").protected
    assert not applied.stack("seoul", "network").protected


def test_lost_protection_comes_back(applied: World) -> None:
    """A run that finds it missing sets it again, though the template has no change."""
    applied.stack("tokyo", "files").protected = False
    assert applied.apply()[TOKYO_FILES].ending is Ending.UNCHANGED
    assert applied.stack("tokyo", "files").protected


def _deletes_files(template: dict[str, Any]) -> None:
    """An older template had a file system that may be deleted, and that ours does not have."""
    old = json.loads(json.dumps(template["Resources"][FILE_SYSTEM])) | {"DeletionPolicy": "Delete"}
    template["Resources"]["FileSystemOld"] = old


def _replaces_files(template: dict[str, Any]) -> None:
    """An older template had an unencrypted file system without a policy."""
    resource = template["Resources"][FILE_SYSTEM]
    resource["Properties"]["Encrypted"] = False
    resource["UpdateReplacePolicy"] = "Delete"


def _other_tags(template: dict[str, Any]) -> None:
    """An older template had a file system with other tags."""
    template["Resources"][FILE_SYSTEM]["Properties"]["FileSystemTags"] = []


@pytest.mark.parametrize(
    ("edit", "name"),
    [(_deletes_files, "FileSystemOld"), (_replaces_files, FILE_SYSTEM)],
)
def test_losing_data_needs_the_resource_by_name(applied: World, edit: Any, name: str) -> None:
    """The first run refuses and says what to write; the second is allowed to."""
    applied.cloudformation["tokyo"].changed("peccy-files", edit)
    refused = applied.apply()[TOKYO_FILES]
    assert refused.ending is Ending.FAILED
    assert f'allow_replace: ["tokyo/files/{name}"]' in refused.reason
    assert applied.calls("ExecuteChangeSet") == []
    allowed = applied.apply(allowed=frozenset({f"tokyo/files/{name}"}))[TOKYO_FILES]
    assert allowed.ending is Ending.APPLIED


def test_a_replacement_that_retains_must_be_named_too(applied: World) -> None:
    """Nothing is deleted, but the service would find an empty file system."""

    def edit(template: dict[str, Any]) -> None:
        template["Resources"][FILE_SYSTEM]["Properties"]["Encrypted"] = False

    applied.cloudformation["tokyo"].changed("peccy-files", edit)
    refused = applied.apply()[TOKYO_FILES]
    assert refused.ending is Ending.FAILED
    assert "an empty resource in the place of tokyo/files/FileSystemPictures" in refused.reason
    assert applied.calls("ExecuteChangeSet") == []
    allowed = applied.apply(allowed=frozenset({"tokyo/files/FileSystemPictures"}))
    assert allowed[TOKYO_FILES].ending is Ending.APPLIED
    assert "NotResource" not in applied.stack("tokyo", "files").policy


def test_what_is_taken_out_of_its_stack_and_retained_must_be_named_too(applied: World) -> None:
    """It would go on, and cost, without any stack that has it; the plan says so already."""

    def edit(template: dict[str, Any]) -> None:
        template["Resources"]["FileSystemOld"] = template["Resources"][FILE_SYSTEM]

    applied.cloudformation["tokyo"].changed("peccy-files", edit)
    name = "tokyo/files/FileSystemOld"
    plan = applied.plan()
    assert text.summary(plan).endswith(f"To apply it, allow_replace must name {name}.")
    assert f"allow_replace must name {name} |" in text.markdown(plan)
    refused = applied.apply()[TOKYO_FILES]
    assert f"This would take {name} out of the stack" in refused.reason
    assert "in the place of" not in refused.reason
    assert applied.apply(allowed=frozenset({name}))[TOKYO_FILES].ending is Ending.APPLIED


def test_what_a_run_allowed_holds_for_its_operation_only(applied: World) -> None:
    """The update failed: the stack policy refuses the same again, whoever asks for it."""
    applied.cloudformation["tokyo"].changed("peccy-files", _replaces_files)
    applied.cloudformation["tokyo"].failing["peccy-files"] = (FILE_SYSTEM, "quota reached")
    failed = applied.apply(allowed=frozenset({f"tokyo/files/{FILE_SYSTEM}"}))[TOKYO_FILES]
    assert "quota reached" in failed.reason
    assert applied.stack("tokyo", "files").policy == protection.policy()


def test_what_a_killed_run_allowed_does_not_hold_for_the_next_one(applied: World) -> None:
    """It died after it had lifted the stack policy; the next run puts it back before it changes
    anything."""
    lifted = protection.policy([FILE_SYSTEM])
    applied.stack("tokyo", "files").policy = lifted
    applied.cloudformation["tokyo"].changed("peccy-files", _other_tags)
    seen: list[str] = []

    def look(_alias: str, call: str) -> None:
        if call == "ExecuteChangeSet":
            seen.append(applied.stack("tokyo", "files").policy)

    applied.watch(look)
    assert applied.apply()[TOKYO_FILES].ending is Ending.APPLIED
    assert seen == [protection.policy()]


def test_an_update_that_cannot_go_back_says_which_job_helps() -> None:
    """Running again would not."""
    failed = StackFailed("tokyo/files", "UPDATE_ROLLBACK_FAILED", "Files failed")
    assert "Run job recover_stack with this stack" in str(failed)
    assert "run again" not in str(failed)


def test_nothing_is_applied_while_an_incident_is_open(applied: World) -> None:
    """It says which one, and what to wait for."""
    applied.ledger.say("seoul", 1, IncidentState.OPEN)
    with pytest.raises(IncidentOpen, match="Wait until region_failover has settled it"):
        applied.apply()
    assert applied.changing() == []


@pytest.mark.parametrize(
    "state", [IncidentState.PROPOSED, IncidentState.EXPIRED, IncidentState.ABORTED]
)
def test_an_incident_that_came_to_nothing_blocks_nothing(
    applied: World, state: IncidentState
) -> None:
    """Proposed, expired and aborted ones are as if they were not there."""
    applied.ledger.say("seoul", 1, state)
    assert set(applied.endings().values()) == {Ending.UNCHANGED}


def test_after_a_failover_apply_succeeds_without_the_dark_region(applied: World) -> None:
    """Seoul's stacks are skipped, what lives there once is unreachable, and Tokyo is unchanged."""
    applied.ledger.say("tokyo", 2, IncidentState.SETTLED)
    applied.wires["seoul"].dark = True
    endings = applied.endings()
    assert {key for key, one in endings.items() if one is Ending.UNREACHABLE} == {
        "seoul/ledger",
        "seoul/global_database",
        "seoul/dns",
    }
    assert endings["seoul/cluster"] is Ending.SETTLED
    assert endings["tokyo/cluster"] is Ending.UNCHANGED
    assert endings["tokyo/files"] is Ending.UNCHANGED
    assert endings["tokyo/database"] is Ending.BLOCKED  # it needs the global cluster's stack
    assert Ending.FAILED not in endings.values()
    assert "seoul" not in {alias for alias, _ in applied.log}


def test_a_home_that_is_back_is_still_skipped_until_the_incident_is_closed(applied: World) -> None:
    """It answers, but what it holds is not decided yet."""
    applied.ledger.say("tokyo", 2, IncidentState.SETTLED)
    endings = applied.endings()
    assert {one for key, one in endings.items() if key.startswith("seoul/")} == {Ending.SETTLED}
    assert endings["tokyo/database"] is Ending.UNCHANGED
    assert applied.changing() == []


def test_no_stack_with_data_changes_while_an_incident_is_settled(applied: World) -> None:
    """A network may still be corrected; a file system waits."""

    def edit(template: dict[str, Any]) -> None:
        resource = next(iter(template["Resources"].values()))
        resource["Properties"] = {**resource.get("Properties", {}), "Old": "1"}

    applied.cloudformation["tokyo"].changed("peccy-files", edit)
    applied.cloudformation["tokyo"].changed("peccy-network", edit)
    applied.ledger.say("tokyo", 2, IncidentState.SETTLED)
    ended = applied.apply()
    assert ended["tokyo", "network"].ending is Ending.APPLIED
    assert ended[TOKYO_FILES].ending is Ending.FAILED
    assert "the incident is not closed" in ended[TOKYO_FILES].reason


def test_once_closed_both_regions_are_applied_again(applied: World) -> None:
    """With Tokyo active nothing differs: no template knows a role."""
    applied.ledger.say("tokyo", 2, IncidentState.CLOSED)
    assert set(applied.endings().values()) == {Ending.UNCHANGED}


def test_in_quiet_times_a_dark_region_fails_its_stacks(applied: World) -> None:
    """Nothing explains why it does not answer, and the reason says what to do."""
    applied.wires["tokyo"].dark = True
    ended = applied.apply()
    assert ended["tokyo", "network"].ending is Ending.FAILED
    assert "tokyo does not answer" in ended["tokyo", "network"].reason
    assert ended["tokyo", "cluster"].ending is Ending.BLOCKED
    assert ended["seoul", "cluster"].ending is Ending.UNCHANGED


def test_a_failover_that_starts_meanwhile_stops_every_further_change(world: World) -> None:
    """The ledger is asked before each change; what runs already is seen to its end."""
    world.apply(("seoul", "ledger"))

    def open_incident(alias: str, call: str) -> None:
        if call == "ExecuteChangeSet":
            world.ledger.say("seoul", 1, IncidentState.OPEN)

    world.wires["tokyo"].on_call = open_incident
    endings = world.endings()
    assert len(world.calls("ExecuteChangeSet")) < len(cfn.units(world.platform))
    assert Ending.FAILED in endings.values()
    assert all(one.change_set is None for one in world.cloudformation["seoul"].stacks.values())


def test_a_selection_observes_what_it_needs(applied: World) -> None:
    """Values of stacks that are not selected are read from them."""
    ended = applied.apply(("tokyo", "cluster"))
    assert list(ended) == [("tokyo", "cluster")]
    assert ended["tokyo", "cluster"].ending is Ending.UNCHANGED


def test_a_selection_without_what_it_needs_says_so(world: World) -> None:
    """Nothing is assumed of a stack that is not there."""
    world.apply(("seoul", "ledger"))
    ended = world.apply(("tokyo", "cluster"))
    assert ended["tokyo", "cluster"].reason == (
        "tokyo/cluster needs tokyo/network, which is not applied. Select it as well."
    )


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ROLLBACK_COMPLETE", "recover_stack"),
        ("UPDATE_ROLLBACK_FAILED", "recover_stack"),
        ("SOMETHING_NEW", "not known here"),
    ],
)
def test_a_stuck_stack_gets_a_clear_error(applied: World, status: str, advice: str) -> None:
    """It names the status and the next step, and nothing is tried."""
    applied.stack("tokyo", "keys").status = status
    ended = applied.apply()["tokyo", "keys"]
    assert ended.ending is Ending.FAILED
    assert status in ended.reason
    assert advice in ended.reason


def test_an_operation_that_still_runs_is_awaited(applied: World) -> None:
    """A run that was killed left it behind; the next one goes on after it."""
    stack = applied.stack("tokyo", "keys")
    stack.status = "UPDATE_IN_PROGRESS"
    executing = next(iter(applied.cloudformation["tokyo"].change_sets.values()))
    executing.stack, executing.template, executing.parameters = stack, stack.template, {}
    executing.kind = "UPDATE"
    stack.change_set, stack.ends = executing, applied.clock.monotonic() + 300
    assert applied.apply()["tokyo", "keys"].ending is Ending.UNCHANGED
    assert any("waiting for that operation" in line for line in applied.told)


def test_a_stopped_run_changes_nothing_more(world: World) -> None:
    """The stop is seen before the next change, and in every wait."""

    def stop(alias: str, call: str) -> None:
        if call == "ExecuteChangeSet":
            world.stop.set()

    world.apply(("seoul", "ledger"))
    world.log.clear()
    world.wires["tokyo"].on_call = stop
    with pytest.raises(Stopped):
        world.apply()
    after = world.calls("ExecuteChangeSet")
    world.stop.clear()
    world.wires["tokyo"].on_call = None
    assert len(after) < len(cfn.units(world.platform))
    assert Ending.FAILED not in world.endings().values()
    assert world.statuses() == {"CREATE_COMPLETE"}


def test_only_the_standbys_new_file_systems_are_virgin(world: World) -> None:
    """The active Region's is written by the service at once: it may never be overwritten."""
    world.apply()
    assert world.ledger.is_virgin(world.file_system("tokyo"))
    assert not world.ledger.is_virgin(world.file_system("seoul"))


def test_what_was_spent_is_not_virgin_again(applied: World) -> None:
    """No later apply brings virginity back."""
    applied.ledger.spend_virgin(applied.file_system("tokyo"))
    applied.apply()
    assert not applied.ledger.is_virgin(applied.file_system("tokyo"))


def _apply_killed_at(world: World, number: int) -> bool:
    """Apply until the process dies before its n-th changing call; whether it came that far."""
    changing = itertools.count(1)
    dead = threading.Event()

    def die(alias: str, call: str) -> None:
        if call.startswith(CHANGING) and next(changing) == number:
            dead.set()
        if dead.is_set():  # a dead process calls nobody any more
            raise Killed

    world.watch(die)
    try:
        world.apply()
    except Killed:
        return True
    finally:
        world.watch(None)
    return False


def _changing_calls() -> int:
    world = World()
    world.apply()
    return len(world.changing())


@pytest.mark.parametrize("number", range(1, _changing_calls() + 2, 9))
def test_killed_anywhere_the_next_run_ends_where_an_undisturbed_one_does(number: int) -> None:
    """Stacks, protection and virginity are the same, wherever the first run died. All stacks, and
    some of the calls; tests/provisioning/test_killed.py has some stacks, and all the calls."""
    world = World()
    _apply_killed_at(world, number)
    assert Ending.FAILED not in world.endings().values()
    assert world.statuses() == {"CREATE_COMPLETE"}
    assert world.stack("tokyo", "files").protected
    assert world.ledger.is_virgin(world.file_system("tokyo"))
    assert not world.ledger.is_virgin(world.file_system("seoul"))
    assert set(world.endings().values()) == {Ending.UNCHANGED}
