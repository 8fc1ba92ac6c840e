"""A whole failover with true durations in seconds of wall time, to the same second each time."""

import shutil
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance

from tests import local_world
from tests.local_world import PLATFORM
from tests.rehearsal.virtual import Rehearsal

OBJECTIVE = 900.0  # seconds; ours, for strategy `sequence`


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The platform, built and ready in a snapshot `built`; every transition takes its usual time."""
    folder = tmp_path_factory.mktemp("rehearsal")
    shutil.copy(PLATFORM, folder)
    with (
        local_world.start(folder / "local", virtual=True) as world,
        pytest.MonkeyPatch.context() as patch,
        DagsterInstance.ephemeral() as instance,
    ):
        for name, value in world.environment().items():
            patch.setenv(name, value)
        patch.setenv("PLATFORM_FILE", str(folder / "platform.yaml"))
        made = Rehearsal(world=world, instance=instance, folder=folder)
        made.build()
        world.control.take_snapshot("built")
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
