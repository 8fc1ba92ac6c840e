"""Every kind of transition that never ends, or fails: what each service then says of its resource.

One that never ends goes on as soon as the fault is struck out.
"""

import pytest

from tests.local.rehearsals import cases_clusters, cases_databases, cases_files, cases_others
from tests.local.rehearsals.cases import MARGIN, Case
from tests.local.rehearsals.rehearsal import Rehearsal

CASES = (*cases_files.CASES, *cases_databases.CASES, *cases_clusters.CASES, *cases_others.CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_transition_that_never_ends(stage: Rehearsal, case: Case) -> None:
    """Its resource stays as it is, however long; it goes on when the fault is struck out."""
    fault = _fault(stage, case, "never")
    resource = case.begin(stage)
    stage.wait(case.long_enough)
    assert case.look(stage, resource) == case.running
    stage.world.control.remove_fault(fault)
    stage.wait(MARGIN)
    assert case.look(stage, resource) == case.done


@pytest.mark.parametrize("case", [one for one in CASES if one.failed], ids=str)
def test_a_transition_that_fails(stage: Rehearsal, case: Case) -> None:
    """It takes its time, and ends in the state that AWS has for that."""
    _fault(stage, case, "failed")
    resource = case.begin(stage)
    assert case.look(stage, resource) == case.running
    stage.wait(case.long_enough)
    assert case.look(stage, resource) == case.failed


def _fault(stage: Rehearsal, case: Case, ending: str) -> str:
    return stage.world.control.add_fault("transition", transition=case.transition, ending=ending)
