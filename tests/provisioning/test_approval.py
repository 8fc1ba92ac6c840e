import itertools
import threading
from typing import Any

import pytest

import cfn
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.model import Approval
from platform_pipelines.provisioning.approval import PlanOutdated, PlanUnknown
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.plan import NothingToKeepIn
from platform_pipelines.provisioning.planned import Action
from tests.fakes.calls import Killed
from tests.provisioning.world import CHANGING, World, approving

NETWORK = ("tokyo", "network")


def _older(template: dict[str, Any]) -> None:
    """What was applied earlier had another description of the VPC, and one subnet less."""
    template["Resources"]["Vpc"]["Properties"]["EnableDnsSupport"] = False
    del template["Resources"]["PublicSubnet3"]


def _untagged(template: dict[str, Any]) -> None:
    """What was applied earlier had no tags."""
    del template["Resources"]["Cluster"]["Properties"]["Tags"]


def _with_more(template: dict[str, Any]) -> None:
    """What was applied earlier had a route table that ours does not have."""
    template["Resources"]["Old"] = dict(template["Resources"]["PublicRoutes"])


@pytest.fixture
def world() -> World:
    """Both Regions applied, and Tokyo's network with an older template."""
    world = World()
    world.apply()
    world.cloudformation["tokyo"].changed("peccy-network", _older)
    world.log.clear()
    return world


def test_a_kept_plan_is_executed_as_it_was_seen(world: World) -> None:
    """Its change set waits, and apply makes none of its own."""
    plan = world.plan(keep=True)
    assert plan.kept
    (waiting,) = world.open_change_sets()
    assert f"plan-{plan.id}" in waiting
    world.log.clear()
    ended = world.apply(plan=plan.id)
    assert ended[NETWORK].ending is Ending.APPLIED
    assert world.calls("CreateChangeSet") == []
    assert world.calls("ExecuteChangeSet") == ["tokyo"]
    assert world.ledger.stacks.plans() == {}


def test_a_plan_that_is_not_kept_leaves_nothing(world: World) -> None:
    """Neither a change set nor a record."""
    plan = world.plan()
    assert plan.changes
    assert not plan.kept
    assert world.open_change_sets() == []
    with pytest.raises(PlanUnknown, match="There is no kept plan"):
        world.apply(plan=plan.id)


def test_a_plan_with_nothing_to_do_is_not_kept(world: World) -> None:
    """There would be nothing to approve."""
    world.apply()
    plan = world.plan(keep=True)
    assert not plan.changes
    assert not plan.kept


def test_an_incomplete_plan_is_not_kept(world: World) -> None:
    """What cannot be planned cannot be approved, nor the rest of it."""
    world.cloudformation["seoul"].changed("peccy-keys", lambda template: template.update(Old=1))
    world.cloudformation["seoul"].refusing["peccy-keys"] = "the alias exists"
    plan = world.plan(keep=True)
    assert plan.failed
    assert not plan.kept
    assert world.open_change_sets() == []


def test_a_plan_is_kept_only_where_there_is_a_ledger() -> None:
    """The first apply ever goes without; it makes the ledger before anything else."""
    world = World()
    with pytest.raises(NothingToKeepIn, match=r"\[seoul, ledger\]"):
        world.plan(keep=True)
    assert world.changing() == []


def test_a_new_plan_takes_the_place_of_the_old_one(world: World) -> None:
    """Of two plans for one stack only the younger holds."""
    first = world.plan(keep=True)
    world.clock.sleep(60)
    second = world.plan(keep=True)
    assert len(world.open_change_sets()) == 1
    with pytest.raises(PlanUnknown):
        world.apply(plan=first.id)
    assert world.apply(plan=second.id)[NETWORK].ending is Ending.APPLIED


def test_a_look_costs_nobody_the_plan_that_waits(world: World) -> None:
    """Neither its change sets, nor the shells of stacks that it would create."""
    del world.cloudformation["tokyo"].stacks["peccy-drills"]
    kept = world.plan(keep=True)
    waiting = world.open_change_sets()
    assert len(waiting) == 2
    assert world.plan().changes
    assert world.open_change_sets() == waiting
    world.log.clear()
    ended = world.apply(plan=kept.id)
    assert ended[NETWORK].ending is ended["tokyo", "drills"].ending is Ending.APPLIED
    assert world.calls("CreateChangeSet") == []


def test_a_plan_that_fails_costs_nobody_the_plan_that_waits(world: World) -> None:
    """Only one that is kept itself takes the place of another."""
    kept = world.plan(keep=True)
    waiting = world.open_change_sets()
    world.cloudformation["seoul"].changed("peccy-keys", lambda template: template.update(Old=1))
    world.cloudformation["seoul"].refusing["peccy-keys"] = "the alias exists"
    assert world.plan(keep=True).failed
    assert world.open_change_sets() == waiting
    assert world.apply(NETWORK, plan=kept.id)[NETWORK].ending is Ending.APPLIED


def test_what_a_plan_replaced_is_gone_even_if_that_was_killed(world: World) -> None:
    """At each call of keeping the second plan: afterwards only one plan's change set waits."""
    for number in itertools.count(1):
        world.plan(keep=True)
        survived = not _plan_killed_at(world, number, keep=True)
        plan = world.plan(keep=True)
        (waiting,) = world.open_change_sets()
        assert f"plan-{plan.id}" in waiting
        assert list(world.ledger.stacks.plans()) == [plan.id]
        if survived:
            break
    assert number > 3


def test_a_plan_that_is_applied_in_parts_waits_for_the_rest(world: World) -> None:
    """Also over a run of the rest, as after a failure; then it is forgotten."""
    world.cloudformation["seoul"].changed("peccy-network", _older)
    plan = world.plan(keep=True)
    assert world.apply(NETWORK, plan=plan.id)[NETWORK].ending is Ending.APPLIED
    assert list(world.ledger.stacks.plans()) == [plan.id]
    assert world.apply(("seoul", "network"), plan=plan.id)
    assert sorted(world.calls("CreateChangeSet")) == ["seoul", "tokyo"]  # by the plan alone
    assert sorted(world.calls("ExecuteChangeSet")) == ["seoul", "tokyo"]
    assert world.ledger.stacks.plans() == {}


def test_what_of_a_plan_is_applied_may_not_change_otherwise_under_it(world: World) -> None:
    """A part that was applied, and then changed by somebody, is no part of the plan any more."""
    world.cloudformation["seoul"].changed("peccy-network", _older)
    plan = world.plan(keep=True)
    world.apply(NETWORK, plan=plan.id)
    world.cloudformation["tokyo"].changed("peccy-network", _older)
    ended = world.apply(plan=plan.id)
    assert ended["seoul", "network"].ending is Ending.APPLIED
    assert "tokyo/network would now change, and had nothing to do" in ended[NETWORK].reason


def test_a_plan_of_another_epoch_is_refused(world: World) -> None:
    """The roles have changed since a person looked."""
    plan = world.plan(keep=True)
    world.ledger.say("tokyo", 2, IncidentState.CLOSED)
    with pytest.raises(PlanOutdated, match="made at epoch 1, and the ledger is at 2"):
        world.apply(plan=plan.id)
    assert world.calls("ExecuteChangeSet") == []


def test_a_plan_for_other_templates_is_refused_before_any_change(world: World) -> None:
    """Every stack whose template has changed is named at once."""
    plan = world.plan(keep=True)
    world.platform = world.platform.model_copy(update={"kubernetes_version": "1.37"})
    with pytest.raises(PlanOutdated) as refused:
        world.apply(plan=plan.id)
    assert "seoul/cluster" in str(refused.value)
    assert "tokyo/cluster" in str(refused.value)
    assert world.calls("ExecuteChangeSet") == []


def test_a_plan_to_build_a_database_again_is_executed(world: World) -> None:
    """Its template is another one than that of the stack that is gone: its DB cluster joins."""
    del world.cloudformation["tokyo"].stacks["peccy-database"]
    plan = world.plan(keep=True)
    ended = world.apply(plan=plan.id)["tokyo", "database"]
    assert ended.ending is Ending.APPLIED
    assert "peccy-peccy-tokyo-g2" in str(world.stack("tokyo", "database").template)


def test_a_stack_that_changed_since_the_plan_is_refused(world: World) -> None:
    """Its change set is gone, and what would happen now is not what a person saw."""
    plan = world.plan(keep=True)
    world.cloudformation["tokyo"].change_sets.clear()
    ended = world.apply(plan=plan.id)[NETWORK]
    assert ended.ending is Ending.FAILED
    assert f"Plan {plan.id} no longer holds: the change set of tokyo/network" in ended.reason
    assert world.calls("ExecuteChangeSet") == []
    assert world.open_change_sets() == []


def test_a_plan_with_values_of_yesterday_is_refused(world: World) -> None:
    """Its change set would give what other stacks had when it was made."""
    world.apply()
    world.cloudformation["tokyo"].changed("peccy-cluster", _untagged)
    plan = world.plan(keep=True)
    world.stack("tokyo", "keys").outputs["KeyArn"] = "arn:of-another-key"
    ended = world.apply(plan=plan.id)["tokyo", "cluster"]
    assert ended.ending is Ending.FAILED
    assert "the change set of tokyo/cluster" in ended.reason
    assert world.cloudformation["tokyo"].executions.count("peccy-cluster") == 1  # the first one


def test_what_the_plan_said_nothing_of_is_not_changed(world: World) -> None:
    """A stack that had nothing to do then, and has now."""
    plan = world.plan(keep=True)
    world.cloudformation["seoul"].changed("peccy-network", _older)
    ended = world.apply(plan=plan.id)
    assert ended[NETWORK].ending is Ending.APPLIED
    assert ended["seoul", "network"].ending is Ending.FAILED
    assert "seoul/network would now change, and had nothing to do" in (
        ended["seoul", "network"].reason
    )


def test_an_approved_apply_that_was_killed_goes_on_with_the_same_plan(world: World) -> None:
    """What was executed is not executed again, the rest is."""
    world.cloudformation["seoul"].changed("peccy-network", _older)
    plan = world.plan(keep=True)
    for number in itertools.count(1):
        if not _killed_at(world, number, plan.id):
            break
    assert world.calls("ExecuteChangeSet").count("tokyo") == 1
    assert world.calls("ExecuteChangeSet").count("seoul") == 1
    assert set(world.endings().values()) == {Ending.UNCHANGED}


def _killed_at(world: World, number: int, plan: str) -> bool:
    """Apply the plan until the process dies before its n-th changing call."""
    changing, dead = itertools.count(1), threading.Event()

    def die(_alias: str, call: str) -> None:
        if call.startswith(CHANGING) and next(changing) == number:
            dead.set()
        if dead.is_set():
            raise Killed

    world.watch(die)
    try:
        world.apply(plan=plan)
    except Killed:
        return True
    except PlanUnknown:  # the whole plan was applied by the run before
        return False
    finally:
        world.watch(None)
    return False


def test_removing_something_needs_a_plan(world: World) -> None:
    """The default policy: what only adds or changes goes on, what removes is shown first."""
    world.cloudformation["tokyo"].changed("peccy-network", _with_more)
    refused = world.apply()[NETWORK]
    assert refused.ending is Ending.FAILED
    assert "tokyo/network would remove or replace Old, and nobody has approved that" in (
        refused.reason
    )
    assert world.open_change_sets() == []
    plan = world.plan(keep=True)
    assert world.apply(plan=plan.id)[NETWORK].ending is Ending.APPLIED


def test_naming_the_resource_is_a_persons_word_too(world: World) -> None:
    """allow_replace is as good as a plan for the resource that it names."""
    world.cloudformation["tokyo"].changed("peccy-network", _with_more)
    ended = world.apply(allowed=frozenset({"tokyo/network/Old"}))
    assert ended[NETWORK].ending is Ending.APPLIED


def test_policy_never_asks_nobody(world: World) -> None:
    """For a team that reviews its templates elsewhere."""
    world.cloudformation["tokyo"].changed("peccy-network", _with_more)
    world.platform = approving(Approval.NEVER)
    assert world.apply()[NETWORK].ending is Ending.APPLIED


def test_policy_always_wants_a_plan_for_any_change(world: World) -> None:
    """Also for one that only adds; a stack with nothing to do needs none."""
    world.platform = approving(Approval.ALWAYS)
    ended = world.apply()
    assert ended[NETWORK].ending is Ending.FAILED
    assert "nobody has approved that" in ended[NETWORK].reason
    assert ended["seoul", "network"].ending is Ending.UNCHANGED
    plan = world.plan(keep=True)
    assert world.apply(plan=plan.id)[NETWORK].ending is Ending.APPLIED


def test_with_policy_always_the_ledger_is_made_without_a_plan() -> None:
    """There is nothing yet that could keep one; every other stack waits for it."""
    world = World(approving(Approval.ALWAYS))
    ended = world.apply()
    assert ended["seoul", "ledger"].ending is Ending.APPLIED
    assert {one.ending for key, one in ended.items() if key != ("seoul", "ledger")} <= {
        Ending.FAILED,
        Ending.BLOCKED,
    }
    plan = world.plan(keep=True)
    assert plan.kept
    assert {unit.action for unit in plan.units} == {Action.CREATE, Action.NOTHING}
    applied = world.apply(plan=plan.id)
    assert {one.ending for one in applied.values()} == {Ending.APPLIED, Ending.UNCHANGED}
    assert len(applied) == len(cfn.units(world.platform))


def test_a_plan_that_was_killed_leaves_nothing_after_the_next_one() -> None:
    """Its change sets and shells go with the next plan of the same stacks."""
    for number in range(1, 12):
        world = World()
        world.apply(("seoul", "ledger"))
        _plan_killed_at(world, number)
        world.plan()
        assert world.open_change_sets() == []
        assert {one.status for one in world.cloudformation["tokyo"].stacks.values()} == set()


def _plan_killed_at(world: World, number: int, *, keep: bool = False) -> bool:
    """Plan until the process dies before its n-th changing call; whether it did."""
    changing, dead = itertools.count(1), threading.Event()

    def die(_alias: str, call: str) -> None:
        if call.startswith(CHANGING) and next(changing) == number:
            dead.set()
        if dead.is_set():
            raise Killed

    world.watch(die)
    try:
        world.plan(keep=keep)
    except Killed:
        return True
    finally:
        world.watch(None)
    return False


def test_a_plan_of_a_settled_incident_holds_too(world: World) -> None:
    """What is left alone was left alone when a person looked."""
    world.ledger.say("tokyo", 2, IncidentState.SETTLED)
    world.wires["seoul"].dark = True
    plan = world.plan(keep=True)
    assert plan.kept
    assert world.apply(plan=plan.id)[NETWORK].ending is Ending.APPLIED
