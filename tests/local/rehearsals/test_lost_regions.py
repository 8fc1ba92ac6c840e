"""A Region is lost in each of the modes, or two places are cut off each other: what answers, what
goes on, what stands still, and what is seen when it is over.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from urllib3.exceptions import HTTPError

from platform_pipelines.local import images
from platform_pipelines.local.world import Outage
from tests.local.rehearsals.building import GLOBAL, NODES, REPOSITORY, TABLE
from tests.local.rehearsals.rehearsal import Rehearsal

SOON = 0.25  # real seconds that a caller waits for an answer
WHOLE = (Outage.HANG, Outage.REFUSE, Outage.ERROR)
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
WITNESS, CONTROLLER = "ap-northeast-3", "controller"


def answers(call: Callable[[], Any]) -> str:
    """What becomes of a call: ok, silence, dropped, or the status of the answer."""
    try:
        call()
    except ClientError as refused:
        return str(refused.response["ResponseMetadata"]["HTTPStatusCode"])
    except ReadTimeoutError:
        return "silence"
    except BotoCoreError:
        return "dropped"
    return "ok"


def apis(stage: Rehearsal, alias: str, **config: Any) -> dict[str, str]:
    """What becomes of calls to a Region: to a control plane, to data, and to Kubernetes."""

    def aws(service: str) -> Any:
        return stage.world.aws(service, alias, read_timeout=SOON, **config)

    return {
        "control": answers(aws("efs").describe_file_systems),
        "data": answers(lambda: aws("dynamodb").get_item(TableName=TABLE, Key=KEY)),
        "kubernetes": _kubernetes(stage, alias),
    }


def _kubernetes(stage: Rehearsal, alias: str) -> str:
    try:
        stage.core(alias).list_node(_request_timeout=SOON)
    except HTTPError:
        return "none"
    except Exception as error:  # noqa: BLE001  # the client's, with the status
        return str(getattr(error, "status", error))
    return "ok"


OK = {"control": "ok", "data": "ok", "kubernetes": "ok"}


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (Outage.HANG, {"control": "silence", "data": "silence", "kubernetes": "none"}),
        (Outage.REFUSE, {"control": "dropped", "data": "dropped", "kubernetes": "none"}),
        (Outage.ERROR, {"control": "503", "data": "503", "kubernetes": "503"}),
        (Outage.CONTROL_PLANE, {"control": "silence", "data": "ok", "kubernetes": "none"}),
        (Outage.DATA_PLANE, {"control": "ok", "data": "silence", "kubernetes": "ok"}),
    ],
)
def test_what_answers(stage: Rehearsal, mode: Outage, told: dict[str, str]) -> None:
    """By the outage's mode, in that Region only, and until it ends."""
    stage.world.control.black_out("seoul", mode)
    assert apis(stage, "seoul") == told
    assert apis(stage, "tokyo") == OK
    stage.world.control.restore("seoul")
    assert apis(stage, "seoul") == OK


@pytest.mark.parametrize("mode", [*WHOLE, Outage.DATA_PLANE])
def test_what_runs_stands_still(stage: Rehearsal, mode: Outage) -> None:
    """Replication stops in both directions; afterwards the nodes were silent, and come back."""
    stage.wait(60)
    stage.world.control.black_out("seoul", mode)
    stage.wait(900)
    assert stage.behind("tokyo") >= 900
    assert stage.aurora_lag() is None
    assert set(stage.ready_nodes("tokyo").values()) == {"True"}
    stage.world.control.restore("seoul")
    if mode is Outage.DATA_PLANE:  # its control plane saw them go
        assert set(stage.ready_nodes().values()) == {"Unknown"}
    stage.wait(240)
    assert " ".join(stage.ready_nodes().values()).split() == ["True"] * NODES
    assert stage.behind("tokyo") <= 120
    assert stage.aurora_lag() is not None


def test_without_control_plane_what_runs_goes_on(stage: Rehearsal) -> None:
    """Replication and the nodes; what was asked of the APIs waits until they are back."""
    stage.scale(NODES + 1)
    made = stage.aws("efs").create_file_system(CreationToken="waits")["FileSystemId"]
    stage.world.control.black_out("seoul", Outage.CONTROL_PLANE)
    stage.wait(900)
    assert stage.behind("tokyo") <= 120
    assert stage.aurora_lag() is not None
    stage.world.control.restore("seoul")
    found = stage.aws("efs").describe_file_systems(FileSystemId=made)["FileSystems"][0]
    assert found["LifeCycleState"] == "creating"
    assert stage.ready_nodes() == dict.fromkeys(stage.places["seoul"].subnets, "True")
    stage.wait(240)
    found = stage.aws("efs").describe_file_systems(FileSystemId=made)["FileSystems"][0]
    assert found["LifeCycleState"] == "available"
    assert len(" ".join(stage.ready_nodes().values()).split()) == NODES + 1


@pytest.mark.parametrize("mode", WHOLE)
def test_the_standby_takes_over_and_the_old_side_comes_back_as_standby(
    stage: Rehearsal, mode: Outage
) -> None:
    """As a failover asks for it, with the lost Region in any mode."""
    stage.world.control.black_out("seoul", mode)
    stage.aws("efs", "tokyo").delete_replication_configuration(
        SourceFileSystemId=stage.file_system("seoul")
    )
    stage.aws("rds", "tokyo").failover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=stage.places["tokyo"].database,
        AllowDataLoss=True,
    )
    assert stage.replication("tokyo") == "DELETING"
    stage.wait(170)
    assert (stage.replication("tokyo"), stage.global_writer("tokyo")) == ("DELETING", "tokyo")
    stage.wait(15)
    assert (stage.replication("tokyo"), _protection(stage)) == ("none", "ENABLED")
    stage.world.control.restore("seoul")
    assert stage.replication("seoul") == "ENABLED"  # it has not heard yet
    stage.wait(900)
    assert stage.replication("seoul") == "none"
    assert stage.global_writer("seoul") == stage.global_writer("tokyo") == "tokyo"
    assert (stage.writer("seoul"), stage.database("seoul")) == ("-", "available")
    kept = stage.aws("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert any("unplanned-global-failover" in one["DBClusterSnapshotIdentifier"] for one in kept)


def _protection(stage: Rehearsal) -> str:
    efs, identifier = stage.aws("efs", "tokyo"), stage.file_system("tokyo")
    found = efs.describe_file_systems(FileSystemId=identifier)["FileSystems"][0]
    return str(found["FileSystemProtection"]["ReplicationOverwriteProtection"])


def test_a_caller_in_the_lost_region_reaches_nobody(stage: Rehearsal) -> None:
    """Its own Region's machines are gone with it."""
    inside = {"user_agent_extra": "controller/seoul"}
    assert apis(stage, "tokyo", **inside)["control"] == "ok"
    stage.world.control.black_out("seoul", Outage.HANG)
    assert apis(stage, "tokyo", **inside)["control"] == "silence"


def test_regions_that_are_cut_off_each_other(stage: Rehearsal) -> None:
    """Both answer everybody else; nothing replicates between them until they are joined."""
    stage.world.control.cut("seoul", "tokyo")
    images.push(stage.aws("ecr"), images.build(REPOSITORY, "2"))
    stage.wait(600)
    assert apis(stage, "seoul") == apis(stage, "tokyo") == OK
    assert stage.behind("tokyo") >= 600
    assert (stage.aurora_lag(), stage.has_image("tokyo", "2")) == (None, False)
    assert apis(stage, "tokyo", user_agent_extra="controller/seoul")["control"] == "silence"
    assert apis(stage, "seoul", user_agent_extra="controller/seoul")["control"] == "ok"
    assert set(stage.ready_nodes().values()) == {"True"}
    stage.world.control.join("tokyo", "seoul")
    stage.wait(180)
    assert stage.behind("tokyo") <= 120
    assert stage.has_image("tokyo", "2")
    assert stage.aurora_lag() is not None


@pytest.mark.parametrize("alias", ["seoul", "tokyo"])
def test_a_region_that_the_controller_cannot_reach(stage: Rehearsal, alias: str) -> None:
    """Only for who is outside of both; all of it goes on."""
    other = "tokyo" if alias == "seoul" else "seoul"
    stage.world.control.cut(CONTROLLER, alias)
    assert set(apis(stage, alias).values()) == {"silence", "none"}
    assert apis(stage, other) == OK
    for place in ("seoul", "tokyo"):
        inside = {"user_agent_extra": f"controller/{place}"}
        assert apis(stage, alias, **inside)["control"] == "ok"
    stage.wait(600)
    stage.world.control.join(alias, CONTROLLER)
    assert (stage.behind() <= 120, stage.aurora_lag() is not None) == (True, True)


@pytest.mark.parametrize(
    ("cuts", "writable"),
    [
        ([("seoul", "tokyo")], {"seoul", "tokyo"}),
        ([("seoul", WITNESS)], {"seoul", "tokyo"}),
        ([("tokyo", WITNESS)], {"seoul", "tokyo"}),
        ([("seoul", "tokyo"), ("seoul", WITNESS)], {"tokyo"}),
        ([("seoul", "tokyo"), ("tokyo", WITNESS)], {"seoul"}),
        ([("seoul", WITNESS), ("tokyo", WITNESS)], {"seoul", "tokyo"}),
        ([("seoul", "tokyo"), ("seoul", WITNESS), ("tokyo", WITNESS)], set()),
        ([(WITNESS, CONTROLLER)], {"seoul", "tokyo"}),
    ],
)
def test_the_ledger_takes_writes_where_a_majority_is_reached(
    stage: Rehearsal, cuts: list[tuple[str, str]], writable: set[str]
) -> None:
    """A replica that is alone refuses writes and consistent reads, and answers others."""
    for one, other in cuts:
        stage.world.control.cut(one, other)
    for alias in ("seoul", "tokyo"):
        whole = "ok" if alias in writable else "500"
        assert _ledger(stage, alias) == {"write": whole, "consistent": whole, "eventual": "ok"}


def _ledger(stage: Rehearsal, alias: str) -> dict[str, str]:
    """What becomes of the three ways to use the table in a Region."""
    dynamodb, about = stage.aws("dynamodb", alias), {"TableName": TABLE, "Key": KEY}
    return {
        "write": answers(lambda: dynamodb.put_item(TableName=TABLE, Item=KEY)),
        "consistent": answers(lambda: dynamodb.get_item(**about, ConsistentRead=True)),
        "eventual": answers(lambda: dynamodb.get_item(**about)),
    }


def test_what_a_cut_off_replica_missed_it_reads_afterwards(stage: Rehearsal) -> None:
    """Its eventual reads are old as long as it is alone."""
    seoul, tokyo = stage.aws("dynamodb"), stage.aws("dynamodb", "tokyo")
    seoul.put_item(TableName=TABLE, Item=KEY | {"v": {"N": "1"}})
    stage.wait(5)
    stage.world.control.cut("seoul", "tokyo")
    stage.world.control.cut("seoul", WITNESS)
    tokyo.put_item(TableName=TABLE, Item=KEY | {"v": {"N": "2"}})
    stage.wait(60)
    assert seoul.get_item(TableName=TABLE, Key=KEY)["Item"]["v"] == {"N": "1"}
    stage.world.control.join("seoul", "tokyo")
    stage.wait(5)
    found = seoul.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)["Item"]
    assert found["v"] == {"N": "2"}


@pytest.mark.parametrize("mode", [*WHOLE, Outage.CONTROL_PLANE])
def test_without_us_east_1_the_regions_go_on(stage: Rehearsal, mode: Outage) -> None:
    """Only the control planes of Route 53 and IAM are gone; names are still answered."""
    stage.aws("route53").create_hosted_zone(Name="rehearsal.example.com", CallerReference="r")
    stage.world.control.black_out("us-east-1", mode)
    for service, call in (("route53", "list_hosted_zones"), ("iam", "list_roles")):
        there = stage.world.aws(service, read_timeout=SOON)
        assert answers(getattr(there, call)) in ("silence", "dropped", "503")
    assert apis(stage, "seoul") == apis(stage, "tokyo") == OK
    found = stage.world.resolver().resolve("rehearsal.example.com", "SOA")
    assert len(found) == 1
    assert answers(stage.world.aws("sts", read_timeout=2).get_caller_identity) == "ok"


def test_an_answer_does_not_leave_a_region_that_has_just_gone(stage: Rehearsal) -> None:
    """A call that was under way when the lights went out is silent too."""
    held = stage.world.control.add_breakpoint(
        n=1, when="after", service="efs", operation="CreateFileSystem"
    )
    efs = stage.world.aws("efs", read_timeout=1.0)
    began = time.monotonic()

    def lose() -> None:
        assert stage.world.control.breakpoint(held, wait=5)["held"]
        stage.world.control.black_out("seoul", Outage.HANG)
        stage.world.control.release(held)

    losing = threading.Thread(target=lose)
    losing.start()
    assert answers(lambda: efs.create_file_system(CreationToken="cut")) == "silence"
    losing.join()
    assert time.monotonic() - began < 5
    stage.world.control.restore("seoul")
    found = stage.aws("efs").describe_file_systems(CreationToken="cut")["FileSystems"]
    assert len(found) == 1
