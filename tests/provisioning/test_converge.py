import itertools
import threading
from collections.abc import Callable

import pytest

from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import IncidentState
from platform_pipelines.provisioning.converge import NoRoles
from platform_pipelines.provisioning.node_counts import NodeGroupMissing, NodeGroupUnhealthy
from platform_pipelines.provisioning.reality import RealityContradictsLedger
from platform_pipelines.provisioning.regions import RegionUnreachable
from platform_pipelines.provisioning.replication import (
    FileSystemUnclear,
    NotVirgin,
    ReplicationBroken,
    ReplicationSlow,
)
from platform_pipelines.provisioning.standing import IncidentNotClosed, IncidentOpen, RolesMoved
from tests.fakes.calls import Killed
from tests.fakes.data import Replication
from tests.provisioning.world import CHANGING, FILES, GLOBAL, World

ACTIVE = {"manage": (3, 3, 6), "web": (6, 6, 12), "app": (6, 6, 12)}
STANDBY = {"manage": (3, 3, 6), "web": (0, 0, 12), "app": (0, 0, 12)}


@pytest.fixture
def world() -> World:
    """Two Regions in which everything has been applied and nothing has a role yet."""
    world = World()
    world.apply()
    world.log.clear()
    return world


@pytest.fixture
def settled_in(world: World) -> World:
    """Two Regions in their roles: Seoul active, Tokyo standby."""
    world.converge()
    world.log.clear()
    return world


def _reversed(world: World) -> None:
    """Tokyo writes, as after a failover whose incident is closed."""
    world.ledger.say("tokyo", 2, IncidentState.CLOSED)
    world.databases.writers[GLOBAL] = world.platform.region("tokyo").name
    world.s3["tokyo"].buckets[world.platform.traffic_bucket(world.platform.region("tokyo"))] = {
        "serving"
    }


def test_both_regions_get_their_roles(world: World) -> None:
    """Seoul's files replicate into Tokyo's, and each node group has its counts."""
    found = world.converge()
    assert len(found.changed) == 9
    assert (found.traffic, found.withheld) == (None, None)
    assert world.counts("seoul") == ACTIVE
    assert world.counts("tokyo") == STANDBY
    (replication,) = world.files.replications
    assert replication.source == world.file_system("seoul")
    assert replication.destination == world.file_system("tokyo")
    assert world.files.protection(world.file_system("tokyo")) == "REPLICATING"


def test_where_nothing_differs_nothing_is_touched(settled_in: World) -> None:
    """A second run only reads."""
    assert settled_in.converge().changed == ()
    assert settled_in.changing() == []


def test_the_first_sync_is_awaited(world: World) -> None:
    """A replication without a first timestamp protects nothing yet."""
    world.converge()
    (replication,) = world.files.replications
    assert world.clock.monotonic() >= replication.started + 60


def test_the_active_side_is_raised_before_the_other_is_lowered(world: World) -> None:
    """Tokyo loses no node before Seoul's are Ready."""
    lowered: list[dict[str, int]] = []

    def look(alias: str, call: str) -> None:
        if (alias, call) == ("tokyo", "UpdateNodegroupConfig"):
            lowered.append(world.eks["seoul"].ready())

    world.watch(look)
    world.converge()
    assert lowered
    assert all(ready == {"manage": 3, "web": 6, "app": 6} for ready in lowered)


def test_the_standby_keeps_its_nodes_while_the_active_side_does_not_serve(world: World) -> None:
    """It waits a while, then leaves the standby as it is and says why."""
    found = world.converge(why_not=lambda alias: f"{alias} answers 503")
    assert found.withheld == "seoul does not serve yet: seoul answers 503"
    assert world.counts("seoul") == ACTIVE
    assert world.counts("tokyo")["web"] == (1, 2, 2)


def test_a_service_that_comes_up_meanwhile_is_waited_for(world: World) -> None:
    """The pods need a moment after their nodes."""
    looks = itertools.count()
    found = world.converge(why_not=lambda _: "503" if next(looks) < 3 else None)
    assert found.withheld is None
    assert world.counts("tokyo") == STANDBY


def test_traffic_that_contradicts_the_ledger_is_reported_and_not_corrected(world: World) -> None:
    """Clients are sent to Tokyo: it keeps its nodes, and the object stays."""
    bucket = world.platform.traffic_bucket(world.platform.region("tokyo"))
    world.s3["tokyo"].buckets[bucket] = {"serving"}
    found = world.converge()
    assert found.traffic is not None
    assert f"s3://{bucket}/serving is there" in found.traffic
    assert world.counts("tokyo")["web"] == (1, 2, 2)
    assert world.s3["tokyo"].buckets[bucket] == {"serving"}


def test_an_autoscaler_may_run_more_nodes_in_the_active_region(settled_in: World) -> None:
    """Between minimum and maximum the count is the autoscaler's; on the standby it is not."""
    settled_in.eks["seoul"].groups["web"].desired = 9
    settled_in.eks["tokyo"].groups["web"].desired = 2
    changed = settled_in.converge().changed
    assert changed == ("web in tokyo: 2 → 0 nodes",)
    assert settled_in.counts("seoul")["web"] == (6, 9, 12)


def test_somebody_elses_update_is_waited_for(settled_in: World) -> None:
    """EKS refuses two at once; ours comes after it."""
    group = settled_in.eks["seoul"].groups["app"]
    group.desired, group.busy_until = 4, settled_in.clock.monotonic() + 120
    assert settled_in.converge().changed == ("app in seoul: 4 → 6 nodes",)


def _mute(world: World) -> None:
    world.ledger.now = None


def _elsewhere(world: World) -> None:
    world.databases.writers[GLOBAL] = world.platform.region("tokyo").name


def _nowhere(world: World) -> None:
    world.databases.writers.clear()


def _moving(world: World) -> None:
    world.databases.failing_over.add(GLOBAL)


def _not_there(world: World) -> None:
    world.databases.members.clear()


def _inbound(world: World) -> None:
    tokyo, seoul = world.platform.region("tokyo").name, world.platform.region("seoul").name
    world.files.replications[:] = [
        Replication(
            source=world.file_system("tokyo"),
            source_region=tokyo,
            destination=world.file_system("seoul"),
            destination_region=seoul,
            started=-1000,
        )
    ]


@pytest.mark.parametrize(
    ("happen", "error", "text"),
    [
        (_mute, NoRoles, "Run apply_infrastructure first"),
        (_elsewhere, RealityContradictsLedger, "is written in ap-northeast-1"),
        (_nowhere, RealityContradictsLedger, "has no single writer"),
        (_moving, RealityContradictsLedger, "is failing-over"),
        (_not_there, RealityContradictsLedger, "there is no global cluster"),
        (_inbound, RealityContradictsLedger, "is being replicated into"),
    ],
)
def test_it_refuses_while_reality_contradicts_the_ledger(
    world: World, happen: Callable[[World], None], error: type[Refused], text: str
) -> None:
    """Each way in which they can differ is named, and nothing is changed."""
    happen(world)
    with pytest.raises(error, match=text):
        world.converge()
    assert world.changing() == []


@pytest.mark.parametrize(
    ("state", "error"),
    [(IncidentState.OPEN, IncidentOpen), (IncidentState.SETTLED, IncidentNotClosed)],
)
def test_it_leaves_an_incident_alone(
    world: World, state: IncidentState, error: type[Refused]
) -> None:
    """Only quiet times are its own."""
    world.ledger.say("tokyo", 2, state)
    with pytest.raises(error):
        world.converge()
    assert world.changing() == []


def test_a_failover_that_begins_meanwhile_stops_it(world: World) -> None:
    """The epoch is read again before each change."""

    def begin(alias: str, call: str) -> None:
        if call == "UpdateNodegroupConfig":
            world.ledger.say("tokyo", 2, IncidentState.CLOSED)

    world.watch(begin)
    with pytest.raises(RolesMoved, match="from epoch 1"):
        world.converge()
    assert world.counts("tokyo")["web"] == (1, 2, 2)


def test_a_stopped_run_ends_in_its_wait(world: World) -> None:
    """Nothing is changed after the stop."""

    def stop(alias: str, call: str) -> None:
        if call == "CreateReplicationConfiguration":
            world.stop.set()

    world.watch(stop)
    with pytest.raises(Stopped):
        world.converge()
    assert world.counts("tokyo")["web"] == (1, 2, 2)


def test_a_file_system_that_may_hold_data_is_never_overwritten(settled_in: World) -> None:
    """Tokyo is active now, and Seoul's old files are no virgin: that is for reprotect."""
    settled_in.files.replications.clear()
    _reversed(settled_in)
    with pytest.raises(NotVirgin, match="turn the direction around with reprotect"):
        settled_in.converge()
    assert settled_in.calls("CreateReplicationConfiguration") == []
    assert settled_in.calls("UpdateFileSystemProtection") == []


def test_a_replication_that_somebody_deleted_is_not_simply_started_again(
    settled_in: World,
) -> None:
    """Its destination was writable since: what it holds now, nobody knows."""
    settled_in.files.replications.clear()
    settled_in.files.systems[settled_in.file_system("tokyo")]["FileSystemProtection"] = {
        "ReplicationOverwriteProtection": "ENABLED"
    }
    with pytest.raises(NotVirgin):
        settled_in.converge()


def test_a_read_only_leftover_of_an_earlier_epoch_is_not_overwritten(world: World) -> None:
    """Only the epoch that wrote the start down may go on with it."""
    tokyo = world.file_system("tokyo")
    world.ledger.virgins |= {tokyo: False, f"{tokyo}@1": True}
    world.files.systems[tokyo]["FileSystemProtection"] = {
        "ReplicationOverwriteProtection": "DISABLED"
    }
    world.ledger.say("seoul", 3, IncidentState.CLOSED)
    with pytest.raises(NotVirgin):
        world.converge()


def test_the_active_sides_file_system_is_spent(world: World) -> None:
    """Whoever is active is written to, whatever the ledger said before."""
    world.ledger.virgins[world.file_system("seoul")] = True
    world.converge()
    assert not world.ledger.is_virgin(world.file_system("seoul"))


@pytest.mark.parametrize(
    ("status", "text"),
    [("ERROR", "is ERROR"), ("PAUSED", "is PAUSED"), ("DELETING", "is DELETING")],
)
def test_a_broken_replication_is_a_persons(settled_in: World, status: str, text: str) -> None:
    """Waiting does not help, so it is said at once."""
    settled_in.files.replications[0].status = status
    with pytest.raises(ReplicationBroken, match=text):
        settled_in.converge()


def test_a_replication_to_somewhere_else_is_not_ours(settled_in: World) -> None:
    """A file system is in one replication only, and this one has another destination."""
    settled_in.files.replications[0].destination = "fs-foreign"
    with pytest.raises(ReplicationBroken, match="fs-foreign, which is not ours"):
        settled_in.converge()


def test_a_first_sync_without_end_is_left_to_the_next_run(world: World) -> None:
    """EFS goes on by itself."""

    def never(alias: str, call: str) -> None:
        for one in world.files.replications:
            one.status = "ENABLING"

    world.watch(never)
    with pytest.raises(ReplicationSlow, match="run converge_roles again"):
        world.converge()


@pytest.mark.parametrize(("names", "count"), [((), 0), ((FILES, FILES), 2)])
def test_a_file_system_must_be_found_by_its_name(
    world: World, names: tuple[str, ...], count: int
) -> None:
    """None, or one too many after a replacement: a person says which."""
    region = world.platform.region("tokyo").name
    world.files.systems = {
        key: one for key, one in world.files.systems.items() if one["region"] != region
    }
    for number, name in enumerate(names):
        world.files.add(region, f"fs-{number}", name)
    with pytest.raises(FileSystemUnclear, match=f"has {count} file systems"):
        world.converge()


def test_a_missing_node_group_points_to_apply(world: World) -> None:
    """converge_roles makes nothing."""
    del world.eks["tokyo"].groups["web"]
    with pytest.raises(NodeGroupMissing, match="web in tokyo"):
        world.converge()


def test_an_unhealthy_node_group_tells_its_issues(world: World) -> None:
    """`Successful` of the update is not enough."""
    world.eks["seoul"].groups["web"].issues = [{"code": "InstanceLimitExceeded", "message": "32"}]
    with pytest.raises(NodeGroupUnhealthy, match="InstanceLimitExceeded: 32"):
        world.converge()
    assert world.counts("tokyo")["web"] == (1, 2, 2)


def test_a_failed_update_is_a_failure(world: World) -> None:
    """EKS says how the update ended."""
    world.eks["seoul"].ends = "Failed"
    with pytest.raises(NodeGroupUnhealthy, match="ended its update Failed"):
        world.converge()


def test_nodes_that_never_become_ready_are_a_failure(world: World) -> None:
    """The setting is applied, but nobody can run anything."""
    world.eks["seoul"].joining = 1e9
    with pytest.raises(NodeGroupUnhealthy, match="has 0 of 3 nodes Ready"):
        world.converge()


def test_a_dark_standby_is_named(world: World) -> None:
    """In quiet times both Regions must answer."""
    world.wires["tokyo"].dark = True
    with pytest.raises(RegionUnreachable, match="tokyo does not answer"):
        world.converge()


def test_a_ledger_that_does_not_answer_is_no_empty_ledger(world: World) -> None:
    """Without the ledger nobody knows the roles, so nothing is done."""

    def fail() -> None:
        raise TableUnavailable("peccy-ledger", "tokyo", "timeout")

    world.ledger.before_read = fail
    with pytest.raises(TableUnavailable):
        world.converge()


def test_with_tokyo_active_the_counts_follow(settled_in: World) -> None:
    """Roles are the ledger's, not home's: only the direction of the files is already right."""
    _reversed(settled_in)
    _inbound_from_tokyo(settled_in)
    settled_in.converge()
    assert settled_in.counts("tokyo") == ACTIVE
    assert settled_in.counts("seoul") == STANDBY


def _inbound_from_tokyo(world: World) -> None:
    _inbound(world)
    world.files.systems[world.file_system("tokyo")]["FileSystemProtection"] = {
        "ReplicationOverwriteProtection": "ENABLED"
    }


def _converge_killed_at(world: World, number: int) -> bool:
    """Converge until the process dies before its n-th changing call; whether it came that far."""
    changing = itertools.count(1)
    dead = threading.Event()

    def die(alias: str, call: str) -> None:
        if call.startswith(CHANGING) and next(changing) == number:
            dead.set()
        if dead.is_set():
            raise Killed

    world.watch(die)
    try:
        world.converge()
    except Killed:
        return True
    finally:
        world.watch(None)
    return False


def test_converging_has_thirteen_changing_calls(world: World) -> None:
    """So the next test kills it at each of them."""
    assert not _converge_killed_at(world, 14)
    assert len(world.changing()) == 13


@pytest.mark.parametrize("number", range(1, 14))
def test_killed_at_any_call_the_next_run_brings_the_same_roles(world: World, number: int) -> None:
    """Replication is started once, into the virgin, whose virginity is spent in the end."""
    assert _converge_killed_at(world, number)
    world.converge()
    assert len(world.files.replications) == 1
    assert (world.counts("seoul"), world.counts("tokyo")) == (ACTIVE, STANDBY)
    assert not any(world.ledger.virgins.values())


@pytest.mark.parametrize("number", range(1, 14))
def test_killed_and_then_promoted_no_data_is_overwritten(world: World, number: int) -> None:
    """After a failover in between, Tokyo's files may hold data: they stay as they are."""
    assert _converge_killed_at(world, number)
    started = len(world.files.replications)
    tokyo = world.file_system("tokyo")
    world.files.replications.clear()
    world.files.systems[tokyo]["FileSystemProtection"] = {
        "ReplicationOverwriteProtection": "ENABLED"
    }
    world.ledger.spend_virgin(tokyo)  # as promoting does
    world.ledger.say("seoul", 3, IncidentState.CLOSED)
    world.log.clear()
    with pytest.raises(NotVirgin):
        world.converge()
    assert started in (0, 1)
    assert world.calls("CreateReplicationConfiguration") == []
