"""The active Region's pipelines work, the standby's are held; nobody else decides."""

import pytest

from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.model import Platform
from platform_pipelines.provisioning.pipelines import PipelineMissing
from platform_pipelines.provisioning.reality import RealityContradictsLedger
from platform_pipelines.provisioning.regions import RegionUnreachable
from platform_pipelines.provisioning.standing import RolesMoved
from tests.fakes.data import Replication
from tests.provisioning.world import GLOBAL, PLATFORM, World

PIPELINES = {"peccy-peccy-web", "peccy-peccy-app"}
TRANSITIONS = ("DisableStageTransition", "EnableStageTransition")


@pytest.fixture
def world() -> World:
    """Two Regions in which everything has been applied and nothing has a role yet."""
    world = World()
    world.apply()
    world.log.clear()
    return world


def _reversed(world: World) -> None:
    """Tokyo is active, as after a failover whose incident is closed."""
    seoul, tokyo = (world.platform.region(alias) for alias in ("seoul", "tokyo"))
    world.ledger.say("tokyo", 2, IncidentState.CLOSED)
    world.databases.writers[GLOBAL] = tokyo.name
    world.s3["tokyo"].buckets[world.platform.traffic_bucket(tokyo)] = {"serving"}
    world.files.replications[:] = [
        Replication(
            source=world.file_system("tokyo"),
            source_region=tokyo.name,
            destination=world.file_system("seoul"),
            destination_region=seoul.name,
            started=-1000,
        )
    ]
    world.files.systems[world.file_system("tokyo")]["FileSystemProtection"] = {
        "ReplicationOverwriteProtection": "ENABLED"
    }


def _transitions(world: World) -> list[tuple[str, str]]:
    return [one for one in world.log if one[1] in TRANSITIONS]


def test_the_standbys_pipelines_are_held_before_their_first_stage_of_work(world: World) -> None:
    """They read their source; the reason says which epoch made their Region a standby."""
    assert world.pipelines["tokyo"].pipelines.keys() == PIPELINES
    changed = world.converge().changed
    assert world.pipelines["tokyo"].held() == dict.fromkeys(PIPELINES, "standby in epoch 1")
    assert world.pipelines["seoul"].held() == {}
    assert "pipeline peccy-peccy-web in tokyo: held before Test" in changed


def test_roles_that_are_in_place_are_only_looked_at(world: World) -> None:
    """A second run changes no transition."""
    world.converge()
    world.log.clear()
    world.converge()
    assert _transitions(world) == []
    assert len(world.calls("GetPipelineState")) == 4


def test_when_roles_turn_the_old_side_is_held_before_the_new_one_is_let_go(world: World) -> None:
    """At no moment do both Regions build."""
    world.converge()
    _reversed(world)
    world.log.clear()
    changed = world.converge().changed
    assert world.pipelines["tokyo"].held() == {}
    assert world.pipelines["seoul"].held() == dict.fromkeys(PIPELINES, "standby in epoch 2")
    assert _transitions(world) == [
        *[("seoul", "DisableStageTransition")] * 2,
        *[("tokyo", "EnableStageTransition")] * 2,
    ]
    assert "pipeline peccy-peccy-app in tokyo: let go into Test" in changed


def test_applying_the_stacks_again_leaves_transitions_as_they_are(world: World) -> None:
    """The template does not know of them, so an apply after a failover undoes nothing."""
    world.converge()
    _reversed(world)
    world.converge()
    world.apply()
    assert world.pipelines["tokyo"].held() == {}
    assert world.pipelines["seoul"].held().keys() == PIPELINES


def test_a_hold_by_hand_in_the_active_region_is_told_and_ended(world: World) -> None:
    """converge_roles is the only owner of that state in quiet times."""
    world.pipelines["seoul"].disable_stage_transition(
        pipelineName="peccy-peccy-web",
        stageName="Test",
        transitionType="Inbound",
        reason="hands off",
    )
    world.converge()
    assert world.pipelines["seoul"].held() == {}
    assert any("it was held: hands off" in line for line in world.told)


def test_a_pipeline_that_is_not_there_points_to_apply(world: World) -> None:
    """converge_roles makes nothing."""
    del world.pipelines["tokyo"].pipelines["peccy-peccy-web"]
    with pytest.raises(PipelineMissing, match=r"peccy-peccy-web in tokyo\. Run apply"):
        world.converge()


def test_a_service_without_a_source_has_no_pipeline() -> None:
    """Nobody looks for one."""
    world = World(_without_sources())
    world.apply()
    world.converge()
    assert world.pipelines["tokyo"].pipelines == {}
    assert world.calls("GetPipelineState") == []


def _without_sources() -> Platform:
    services = tuple(one.model_copy(update={"source": None}) for one in PLATFORM.services)
    return PLATFORM.model_copy(update={"services": services})


def test_nothing_is_held_or_let_go_while_reality_contradicts_the_ledger(world: World) -> None:
    """Neither Region is known to be the active one then."""
    world.databases.writers[GLOBAL] = world.platform.region("tokyo").name
    with pytest.raises(RealityContradictsLedger):
        world.converge()
    assert _transitions(world) == []


def test_a_failover_that_begins_meanwhile_is_not_worked_against(world: World) -> None:
    """The ledger is read again before each transition."""

    def begin(alias: str, call: str) -> None:
        if call == "GetPipelineState":
            world.ledger.say("tokyo", 2, IncidentState.CLOSED)

    world.watch(begin)
    with pytest.raises(RolesMoved):
        world.converge()
    assert _transitions(world) == []


def test_a_dark_standby_keeps_the_active_regions_pipelines_held(world: World) -> None:
    """Nobody knows whether the other side builds, so this side does not begin to."""
    world.converge()
    _reversed(world)

    def dark(alias: str, call: str) -> None:
        if (alias, call) == ("seoul", "GetPipelineState"):
            world.wires["seoul"].dark = True
            world.wires["seoul"].call(call)

    world.watch(dark)
    with pytest.raises(RegionUnreachable, match="seoul does not answer"):
        world.converge()
    assert world.pipelines["tokyo"].held().keys() == PIPELINES
