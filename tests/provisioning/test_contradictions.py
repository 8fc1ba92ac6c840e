"""Where AWS contradicts the ledger, in both directions: `converge_roles` refuses and changes nothing."""

from collections.abc import Callable

import pytest

from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning.reality import RealityContradictsLedger
from platform_pipelines.provisioning.regions import RegionUnreachable
from platform_pipelines.provisioning.standing import IncidentOpen
from tests.fakes.data import Replication
from tests.provisioning.world import GLOBAL, World

Happen = Callable[[World, str], None]  # with the alias of the Region that the ledger says is active
COUNTED = {"manage": (3, 3, 6), "web": (0, 0, 12), "app": (0, 0, 12)}  # of a standby


@pytest.fixture
def world() -> World:
    """Two Regions in which everything has been applied, and Seoul is active."""
    world = World()
    world.apply()
    world.converge()
    world.log.clear()
    return world


def _name(world: World, alias: str) -> str:
    return world.platform.region(alias).name


def _other(world: World, alias: str) -> str:
    return world.platform.other(alias).alias


def _turn(world: World, active: str) -> None:
    """Reality and ledger agree that this Region is active."""
    if active == world.platform.home:
        return
    world.ledger.say(active, 2, IncidentState.CLOSED)
    world.databases.writers[GLOBAL] = _name(world, active)
    world.s3[active].buckets[world.platform.traffic_bucket(world.platform.region(active))] = {
        "serving"
    }
    _replicates(world, active, _other(world, active))
    world.converge()
    world.log.clear()


def _replicates(world: World, source: str, destination: str, status: str | None = None) -> None:
    systems = {alias: world.file_system(alias) for alias in ("seoul", "tokyo")}
    world.files.replications[:] = [
        Replication(
            source=systems[source],
            source_region=_name(world, source),
            destination=systems[destination],
            destination_region=_name(world, destination),
            started=-1000,
            status=status,
        )
    ]
    for alias, state in ((source, "ENABLED"), (destination, "REPLICATING")):
        protection = {"ReplicationOverwriteProtection": state}
        world.files.systems[systems[alias]]["FileSystemProtection"] = protection


# The ways


def _written_elsewhere(world: World, active: str) -> None:
    world.databases.writers[GLOBAL] = _name(world, _other(world, active))


def _written_nowhere(world: World, _active: str) -> None:
    world.databases.writers.clear()


def _written_in_a_third_region(world: World, _active: str) -> None:
    world.databases.members[GLOBAL].append("us-west-2")
    world.databases.writers[GLOBAL] = "us-west-2"


def _failing_over(world: World, _active: str) -> None:
    world.databases.failing_over.add(GLOBAL)


def _detached(world: World, active: str) -> None:
    """The active Region's member was taken out, as by a promotion on its own."""
    world.databases.members[GLOBAL].remove(_name(world, active))


def _no_global_cluster(world: World, _active: str) -> None:
    world.databases.members.clear()


def _replicated_into(status: str | None) -> Happen:
    def happen(world: World, active: str) -> None:
        _replicates(world, _other(world, active), active, status)

    return happen


CONTRADICTIONS: dict[str, tuple[Happen, str]] = {
    "written elsewhere": (_written_elsewhere, "is written in ap-northeast-"),
    "written nowhere": (_written_nowhere, "has no single writer"),
    "written in a third Region": (_written_in_a_third_region, "is written in us-west-2"),
    "failing over": (_failing_over, "is failing-over"),
    "detached": (_detached, "has no single writer"),
    "no global cluster": (_no_global_cluster, "there is no global cluster"),
    **{
        f"replicated into, {status or 'ENABLED'}": (
            _replicated_into(status),
            "is being replicated into",
        )
        for status in (None, "ENABLING", "PAUSED", "PAUSING", "ERROR", "DELETING")
    },
}


@pytest.mark.parametrize("active", ["seoul", "tokyo"])
@pytest.mark.parametrize("way", CONTRADICTIONS)
def test_a_reality_that_contradicts_the_ledger_is_never_corrected(
    world: World, way: str, active: str
) -> None:
    """Whoever is active by the ledger: what contradicts it is named, and nothing is touched."""
    happen, text = CONTRADICTIONS[way]
    _turn(world, active)
    happen(world, active)
    before = {alias: world.counts(alias) for alias in ("seoul", "tokyo")}
    with pytest.raises(RealityContradictsLedger, match=text) as raised:
        world.converge()
    assert f"The ledger says that {active} is active" in str(raised.value)
    assert "Nothing was changed" in str(raised.value)
    assert world.changing() == []
    assert {alias: world.counts(alias) for alias in ("seoul", "tokyo")} == before


def test_every_contradiction_is_named_at_once(world: World) -> None:
    """A person sees the whole picture: written in Tokyo, and Seoul's files are a destination."""
    _written_elsewhere(world, "seoul")
    _replicates(world, "tokyo", "seoul")
    with pytest.raises(RealityContradictsLedger) as raised:
        world.converge()
    assert len(raised.value.contradictions) == 2


def test_one_database_of_many_is_enough(world: World) -> None:
    """All the others are written where the ledger says, and still nothing is done."""
    second = world.platform.databases[0].model_copy(update={"name": "second"})
    world.platform = world.platform.model_copy(
        update={"databases": (*world.platform.databases, second)}
    )
    identifier = world.platform.global_cluster_id(second)
    world.databases.members[identifier] = list(world.databases.members[GLOBAL])
    world.databases.writers[identifier] = _name(world, "tokyo")
    with pytest.raises(RealityContradictsLedger, match="database second is written in"):
        world.converge()
    assert world.changing() == []


@pytest.mark.parametrize(
    ("active", "present", "serves"),
    [("seoul", True, "tokyo"), ("tokyo", False, "seoul")],
)
def test_traffic_that_goes_elsewhere_takes_no_node_away(
    world: World, active: str, present: bool, serves: str
) -> None:
    """The object is neither written nor deleted, and the side that serves keeps what it has."""
    _turn(world, active)
    tokyo = world.platform.region("tokyo")
    bucket = world.platform.traffic_bucket(tokyo)
    world.s3["tokyo"].buckets[bucket] = {"serving"} if present else set()
    groups = world.eks[serves].groups
    groups["web"].minimum, groups["web"].desired = 4, 4
    found = world.converge()
    assert found.traffic is not None
    assert f"clients are sent to {serves}" in found.traffic
    assert found.withheld == found.traffic
    assert world.counts(serves)["web"] == (4, 4, 12)
    assert world.changing() == []
    assert world.s3["tokyo"].buckets[bucket] == ({"serving"} if present else set())


@pytest.mark.parametrize("active", ["seoul", "tokyo"])
def test_where_reality_agrees_nothing_is_refused(world: World, active: str) -> None:
    """Either Region may be active: the rule is the ledger's, not home's."""
    _turn(world, active)
    found = world.converge()
    assert (found.changed, found.traffic, found.withheld) == ((), None, None)
    assert world.counts(_other(world, active)) == COUNTED


@pytest.mark.parametrize("dark", ["seoul", "tokyo"])
def test_a_reality_that_cannot_be_seen_is_not_taken_for_right(world: World, dark: str) -> None:
    """In quiet times both Regions must answer; a dark one is named."""
    world.wires[dark].dark = True
    with pytest.raises(RegionUnreachable, match=f"{dark} does not answer"):
        world.converge()
    assert world.changing() == []


def test_a_contradiction_that_appears_during_the_run_is_the_next_runs(world: World) -> None:
    """A failover moves the epoch first, and the epoch is read before each change: the run stops."""
    world.eks["seoul"].groups["web"].desired = 1
    world.eks["seoul"].groups["web"].minimum = 1

    def fail_over(_alias: str, call: str) -> None:
        if call == "DescribeNodegroup":
            world.ledger.say("tokyo", 2, IncidentState.OPEN)

    world.watch(fail_over)
    with pytest.raises(IncidentOpen):
        world.converge()
    assert world.changing() == []
