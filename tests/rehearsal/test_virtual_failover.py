"""A whole failover with true durations in seconds of wall time, to the same second each time."""

from tests.rehearsal.built import Built
from tests.rehearsal.virtual import Rehearsal

OBJECTIVE = 900.0  # seconds; ours, for strategy `sequence`


def test_the_recovery_time_is_exact_and_the_same_each_time(
    platform: Built, rehearsal: Rehearsal
) -> None:
    """Two rehearsals from one snapshot: every step begins and ends at the same moment."""
    first = rehearsal.lose_home()
    platform.again()
    second = rehearsal.lose_home()
    assert first["state"] == "settled"
    assert first["rto_s"] == second["rto_s"]
    assert 0 < first["rto_s"] < OBJECTIVE
    assert first["rpo_efs_s"] == second["rpo_efs_s"]
    assert [moments(one) for one in first["steps"]] == [moments(one) for one in second["steps"]]


def moments(step: dict[str, str]) -> tuple[str, str, str]:
    """A step's name, and when it began and ended."""
    return step["name"], step["started"], step["ended"]
