"""A whole failover with true durations in seconds of wall time, to the same second each time."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.virtual import Rehearsal, rehearsing

OBJECTIVE = 900.0  # seconds; ours, for strategy `sequence`


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The platform, built and ready in a snapshot `built`; every transition takes its usual time."""
    with rehearsing(tmp_path_factory.mktemp("rehearsal")) as made:
        made.build()
        made.world.control.take_snapshot("built")
        yield made


def test_the_recovery_time_is_exact_and_the_same_each_time(rehearsal: Rehearsal) -> None:
    """Two rehearsals from one snapshot: every step begins and ends at the same moment."""
    first = rehearsal.lose_home()
    rehearsal.world.control.restore_snapshot("built")
    second = rehearsal.lose_home()
    assert first["state"] == "settled"
    assert first["rto_s"] == second["rto_s"]
    assert 0 < first["rto_s"] < OBJECTIVE
    assert first["rpo_efs_s"] == second["rpo_efs_s"]
    assert [moments(one) for one in first["steps"]] == [moments(one) for one in second["steps"]]


def moments(step: dict[str, str]) -> tuple[str, str, str]:
    """A step's name, and when it began and ended."""
    return step["name"], step["started"], step["ended"]
