"""Aurora's global failover: without the old writer's Region, over time, and what comes after."""

from typing import Any

import pytest

from platform_pipelines.local.aws import rds_global
from platform_pipelines.local.world import Outage
from tests.local.aws.databases import (
    ARN,
    GLOBAL,
    describe_cluster,
    describe_global,
    describe_instances,
    events,
    failover,
    instance_writers,
    make_global,
    refused,
    synchronization,
    writers,
)
from tests.local.aws.regions import Regions

ACCOUNT = "111122223333"
TARGET = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": ARN["tokyo"]}


@pytest.fixture
def database(regions: Regions) -> Regions:
    """Both Regions with a global cluster that is written in Seoul."""
    make_global(regions)
    return regions


def test_a_new_global_cluster_has_one_writer_at_home(database: Regions) -> None:
    """The first cluster writes; instances of the other are all readers; both Regions agree."""
    for alias in ("seoul", "tokyo"):
        assert writers(database, alias) == [ARN["seoul"]]
        assert "FailoverState" not in describe_global(database, alias)
    assert instance_writers(database, "seoul") == [True, False]
    assert instance_writers(database, "tokyo") == [False, False]
    assert describe_cluster(database, "tokyo")["GlobalClusterIdentifier"] == GLOBAL
    assert describe_global(database, "seoul")["Endpoint"].startswith(f"{GLOBAL}.global-")


def test_the_writer_lists_its_readers(database: Regions) -> None:
    """By the ARNs of their clusters; a reader lists none."""
    members = describe_global(database, "seoul")["GlobalClusterMembers"]
    assert [one["Readers"] for one in members] == [[ARN["tokyo"]], []]


def test_a_failover_goes_through_its_states_while_the_writers_region_is_dark(
    database: Regions,
) -> None:
    """pending, failing-over, then none with one writer in Tokyo, after the duration."""
    database.black_out("seoul")
    accepted = failover(database)
    assert accepted["FailoverState"] == {
        "Status": "pending",
        "FromDbClusterArn": ARN["seoul"],
        "ToDbClusterArn": ARN["tokyo"],
        "IsDataLossAllowed": True,
    }
    assert accepted["Status"] == "failing-over"
    database.advance(20)
    assert describe_global(database, "tokyo")["FailoverState"]["Status"] == "failing-over"
    assert describe_cluster(database, "tokyo")["Status"] == "failing-over"
    assert writers(database, "tokyo") == [ARN["seoul"]]
    database.advance(69)
    assert writers(database, "tokyo") == [ARN["seoul"]]
    database.advance(2)
    done = describe_global(database, "tokyo")
    assert done["Status"] == "available"
    assert "FailoverState" not in done
    assert writers(database, "tokyo") == [ARN["tokyo"]]
    assert describe_cluster(database, "tokyo")["Status"] == "available"
    assert instance_writers(database, "tokyo") == [True, False]


def test_instances_of_the_target_restart_during_a_failover(database: Regions) -> None:
    """They are available again when it is done."""
    failover(database)
    database.advance(30)
    assert set(describe_instances(database, "tokyo").values()) == {"rebooting"}
    database.advance(70)
    assert set(describe_instances(database, "tokyo").values()) == {"available"}


def test_the_old_writer_comes_back_as_a_secondary(database: Regions) -> None:
    """pending-resync while its Region is dark, and until it was rebuilt."""
    database.black_out("seoul")
    failover(database)
    database.advance(3600)
    assert synchronization(database, "tokyo", "seoul") == "pending-resync"
    database.restore("seoul")
    database.advance(300)
    assert synchronization(database, "tokyo", "seoul") == "pending-resync"
    assert describe_cluster(database, "seoul")["Status"] == "failing-over"
    database.advance(320)
    assert synchronization(database, "tokyo", "seoul") == "connected"
    cluster = describe_cluster(database, "seoul")
    assert cluster["Status"] == "available"
    assert cluster["ReplicationSourceIdentifier"] == ARN["tokyo"]
    assert instance_writers(database, "seoul") == [False, False]
    assert writers(database, "seoul") == [ARN["tokyo"]]


def test_what_the_old_writer_held_is_in_a_snapshot(database: Regions) -> None:
    """An automated one of its own Region, taken when it is back, which can be copied."""
    database.black_out("seoul")
    failover(database)
    database.advance(600)
    assert database("seoul", "rds", "DescribeDBClusterSnapshots")["DBClusterSnapshots"] == []
    database.restore("seoul")
    database.advance(130)
    found = database("seoul", "rds", "DescribeDBClusterSnapshots")["DBClusterSnapshots"]
    assert [one["SnapshotType"] for one in found] == ["automated"]
    name = found[0]["DBClusterSnapshotIdentifier"]
    assert name.startswith(f"rds:unplanned-global-failover-{GLOBAL}-seoul-20")
    params = {"SourceDBClusterSnapshotIdentifier": name}
    params |= {"TargetDBClusterSnapshotIdentifier": "kept"}
    copied = database("seoul", "rds", "CopyDBClusterSnapshot", **params)["DBClusterSnapshot"]
    assert (copied["Status"], copied["SnapshotType"]) == ("copying", "manual")
    gone = refused(database, "seoul", "DeleteDBClusterSnapshot", DBClusterSnapshotIdentifier=name)
    assert gone == "InvalidDBClusterSnapshotStateFault"


def test_a_resync_that_fails_leaves_the_member_behind(database: Regions) -> None:
    """pending-resync for good, and the cluster failed."""
    fault = {"kind": "transition", "transition": "aurora_resync", "ending": "failed"}
    database.world.faults.add(fault)
    failover(database)
    database.advance(2000)
    assert synchronization(database, "tokyo", "seoul") == "pending-resync"
    assert describe_cluster(database, "seoul")["Status"] == "failed"


def test_a_region_that_was_cut_off_goes_on_believing_that_it_writes(database: Regions) -> None:
    """Split brain: each side names its own writer, until they hear of each other again."""
    database.world.partitions.add(frozenset({"seoul", "tokyo"}))
    failover(database)
    database.advance(120)
    assert writers(database, "tokyo") == [ARN["tokyo"]]
    assert writers(database, "seoul") == [ARN["seoul"]]
    assert instance_writers(database, "seoul") == [True, False]
    database.world.partitions.clear()
    database.advance(10)
    assert writers(database, "seoul") == [ARN["tokyo"]]
    assert instance_writers(database, "seoul") == [False, False]


def test_the_other_region_hears_of_a_new_writer_a_moment_later(database: Regions) -> None:
    """Each Region describes what it knows."""
    failover(database)
    database.advance(91)
    assert writers(database, "tokyo") == [ARN["tokyo"]]
    assert writers(database, "seoul") == [ARN["seoul"]]
    database.advance(2)
    assert writers(database, "seoul") == [ARN["tokyo"]]


@pytest.mark.parametrize("mode", [Outage.CONTROL_PLANE, Outage.DATA_PLANE])
def test_a_failover_waits_for_its_target(database: Regions, mode: Outage) -> None:
    """It stays pending while the target's Region has lost either plane."""
    failover(database)
    database.world.outages["tokyo"] = mode
    database.advance(600)
    assert describe_global(database, "tokyo")["FailoverState"]["Status"] == "pending"
    del database.world.outages["tokyo"]
    database.advance(5 + 90)
    assert writers(database, "tokyo") == [ARN["tokyo"]]


def test_a_failover_that_fails_is_cancelled(database: Regions) -> None:
    """cancelling for a while, then everything is as before."""
    fault = {"kind": "transition", "transition": "aurora_failover", "ending": "failed"}
    database.world.faults.add(fault)
    failover(database)
    database.advance(91)
    assert describe_global(database, "tokyo")["FailoverState"]["Status"] == "cancelling"
    database.advance(20)
    state = describe_global(database, "tokyo")
    assert (state["Status"], "FailoverState" in state) == ("available", False)
    assert writers(database, "tokyo") == [ARN["seoul"]]
    assert describe_cluster(database, "tokyo")["Status"] == "available"
    assert any("failed" in one for one in events(database, "tokyo", f"{GLOBAL}-tokyo"))


def test_a_failover_that_never_ends_goes_on_when_the_fault_is_gone(database: Regions) -> None:
    """failing-over until then."""
    fault = {"kind": "transition", "transition": "aurora_failover", "ending": "never"}
    entry = database.world.faults.add(fault)
    failover(database)
    database.advance(3600)
    assert describe_global(database, "tokyo")["FailoverState"]["Status"] == "failing-over"
    database.world.faults.remove(entry.id)
    database.advance(5)
    assert writers(database, "tokyo") == [ARN["tokyo"]]


def test_a_second_change_is_refused_while_one_runs(database: Regions) -> None:
    """InvalidGlobalClusterStateFault, until it is available again."""
    failover(database)
    code = refused(database, "tokyo", "FailoverGlobalCluster", **TARGET, AllowDataLoss=True)
    assert code == "InvalidGlobalClusterStateFault"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"GlobalClusterIdentifier": "other"}, "GlobalClusterNotFoundFault"),
        ({"TargetDbClusterIdentifier": ARN["tokyo"] + "x"}, "DBClusterNotFoundFault"),
        ({"TargetDbClusterIdentifier": ARN["seoul"]}, "InvalidGlobalClusterStateFault"),
        ({"Switchover": True}, "InvalidParameterCombination"),
    ],
)
def test_wrong_requests_are_refused(database: Regions, wrong: dict[str, Any], code: str) -> None:
    """No such global cluster, no such member, the writer itself, and contradictions."""
    params = TARGET | {"AllowDataLoss": True} | wrong
    assert refused(database, "tokyo", "FailoverGlobalCluster", **params) == code


def test_a_headless_cluster_cannot_be_promoted(regions: Regions) -> None:
    """It has no instance that could take the writes."""
    make_global(regions, tokyo_instances=0)
    code = refused(regions, "tokyo", "FailoverGlobalCluster", **TARGET, AllowDataLoss=True)
    assert code == "InvalidDBClusterStateFault"


def test_the_lag_is_the_secondarys_and_grows_with_a_fault(database: Regions) -> None:
    """None for the writer, and while nothing arrives."""
    world = database.world

    def lag(alias: str) -> float | None:
        return rds_global.lag(world, ACCOUNT, ARN[alias])

    assert (lag("seoul"), lag("tokyo")) == (None, 0.4)
    world.faults.add({"kind": "lag", "of": "aurora", "region": "tokyo", "rate": 2})
    database.advance(30)
    assert lag("tokyo") == pytest.approx(60.4)
    database.black_out("seoul")
    assert lag("tokyo") is None


def test_after_a_failover_lag_is_known_once_the_old_writer_is_rebuilt(database: Regions) -> None:
    """None before, the old writer's afterwards."""
    failover(database)
    database.advance(120)
    assert rds_global.lag(database.world, ACCOUNT, ARN["seoul"]) is None
    database.advance(700)
    assert rds_global.lag(database.world, ACCOUNT, ARN["seoul"]) == 0.4
    assert rds_global.lag(database.world, ACCOUNT, ARN["tokyo"]) is None


def test_a_secondary_catches_up_after_it_was_cut_off(database: Regions) -> None:
    """The lag begins with the time apart, and falls; nothing is missed of a writer that stood still."""
    world = database.world
    for cut_off, missed in ((True, 600.4), (False, 0.4)):
        if cut_off:
            world.partitions.add(frozenset({"seoul", "tokyo"}))
        else:
            database.black_out("seoul")
        world.changed()
        database.advance(600)
        world.partitions.clear()
        world.outages.clear()
        world.changed()
        assert rds_global.lag(world, ACCOUNT, ARN["tokyo"]) == pytest.approx(missed)
        database.advance(30)
        behind = rds_global.lag(world, ACCOUNT, ARN["tokyo"])
        assert behind == pytest.approx(max(0.4, missed - 270))
        database.advance(60)
    assert "_missed" not in describe_global(database, "tokyo")["GlobalClusterMembers"][1]
