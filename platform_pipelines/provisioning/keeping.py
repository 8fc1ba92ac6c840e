"""Plans that wait for a person's word: kept in the ledger, with their change sets in CloudFormation.

One plan waits at a time: a newer one takes its place, and only once that is kept itself, so a look,
or a plan that fails, costs nobody the plan that they are reading. Called by `plan` and `apply`.
"""

from collections.abc import Mapping
from dataclasses import replace

import cfn
from platform_pipelines.aws import change_sets
from platform_pipelines.aws.change_sets import Draft
from platform_pipelines.ledger_stacks import KeptPlan, KeptUnit
from platform_pipelines.provisioning.outcome import Outcome
from platform_pipelines.provisioning.planned import Action, Plan
from platform_pipelines.provisioning.run import Footing, Run
from platform_pipelines.provisioning.walk import Key

DOING = (Action.CREATE, Action.UPDATE, Action.LATER)
DONE = KeptUnit(action=str(Action.NOTHING), digest="")


def keep(run: Run, found: Plan) -> None:
    """Keep a plan: from now on its change sets wait."""
    run.ledger().stacks.keep_plan(_record(run, found))


def forget_older(run: Run, footing: Footing) -> None:
    """Give up the plans that waited before this run."""
    for old in footing.plans.values():
        _discard(run, old)
        run.ledger().stacks.forget_plan(old)


def note_applied(run: Run, footing: Footing, outcomes: Mapping[Key, Outcome]) -> None:
    """Write down how much of the run's plan is applied; all of it: forget the plan."""
    plan = footing.plan
    if plan is None:
        return
    good = {"/".join(key) for key, one in outcomes.items() if one.ending.good}
    units = {
        where: replace(DONE, digest=unit.digest) if where in good else unit
        for where, unit in plan.units.items()
    }
    if not any(unit.action in DOING for unit in units.values()):
        run.ledger().stacks.forget_plan(plan)
    elif units != plan.units:
        run.ledger().stacks.keep_plan(replace(plan, units=units))


def _record(run: Run, found: Plan) -> KeptPlan:
    units = {
        "/".join(unit.key): KeptUnit(
            action=str(unit.action), digest=unit.digest, change_set=unit.change_set
        )
        for unit in found.units
    }
    assert found.epoch is not None  # without roles nothing is kept
    return KeptPlan(id=found.id, epoch=found.epoch, at=run.clock.now(), units=units)


def _discard(run: Run, plan: KeptPlan) -> None:
    """Remove the change sets of a plan that nobody will apply any more, and empty shells."""
    for unit in cfn.units(run.platform):
        kept = plan.units.get("/".join(unit.key))
        if kept and kept.change_set:
            site = run.site(unit)
            old = Draft(id=kept.change_set, stack_id=site.stack_name, token="", new_stack=True)
            change_sets.discard(site.region, old)
