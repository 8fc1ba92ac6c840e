"""Dangerous edits against the local Regions: CloudFormation answers over HTTP, and reality is real."""

import pytest

from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.plan import plan
from platform_pipelines.provisioning.planned import Action, UnitPlan
from tests.provisioning.built import Built
from tests.provisioning.test_dangers import CLUSTER, FILES, Edit, Key, edited, with_property

DATABASE = ("tokyo", "database")


def _planned(built: Built, key: Key, edit: Edit) -> UnitPlan:
    units = [one for one in edited(built.platform, key, edit) if one.key == key]
    (found,) = plan(built.run(), units).units
    return found


def _applied(built: Built, key: Key, edit: Edit) -> Outcome:
    ended: list[Outcome] = []
    units = [one for one in edited(built.platform, key, edit) if one.key == key]
    apply(built.run(), units, ended.append)
    return ended[0]


def _refused(built: Built, key: Key, edit: Edit, text: str) -> None:
    """Plan and apply refuse for the same reason, and the stack stays as it was."""
    stack = built.platform.stack_name(key[1])
    cloudformation = built.world.aws("cloudformation", key[0])
    before = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    found = _planned(built, key, edit)
    assert found.action is Action.REFUSED
    assert text in found.reason
    outcome = _applied(built, key, edit)
    assert (outcome.ending, outcome.reason) == (Ending.FAILED, found.reason)
    after = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    assert after.get("LastUpdatedTime") == before.get("LastUpdatedTime")
    waiting = cloudformation.list_change_sets(StackName=stack)["Summaries"]
    assert [one for one in waiting if one["ExecutionStatus"] == "AVAILABLE"] == []


def test_what_was_changed_by_hand_is_not_set_back(built: Built) -> None:
    """Somebody keeps backups longer; an edit of the window would shorten that again."""
    rds = built.world.aws("rds", "tokyo")
    database = built.platform.databases[0]
    identifier = built.platform.db_cluster_id(database, built.platform.region("tokyo"))
    rds.modify_db_cluster(
        DBClusterIdentifier=identifier, BackupRetentionPeriod=21, ApplyImmediately=True
    )
    edit = with_property(CLUSTER, "PreferredBackupWindow", "17:00-18:00")
    _refused(built, DATABASE, edit, "BackupRetentionPeriod is 21")
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
    assert cluster["BackupRetentionPeriod"] == 21


def test_what_was_changed_by_hand_may_be_written_down(built: Built) -> None:
    """Once the template says the same, the edit is applied, and nothing is set back."""
    edit = with_property(CLUSTER, "BackupRetentionPeriod", 21)
    assert _planned(built, DATABASE, edit).action is Action.UPDATE
    assert _applied(built, DATABASE, edit).ending is Ending.APPLIED


@pytest.mark.parametrize(
    ("key", "edit", "text"),
    [
        (
            DATABASE,
            with_property(CLUSTER, "GlobalClusterIdentifier", None),
            "would detach it from its global cluster",
        ),
        (
            ("seoul", "files"),
            with_property(FILES, "ReplicationConfiguration", {"ReplicationDestinations": []}),
            "over what the other Region has written",
        ),
        (
            ("tokyo", "cluster"),
            with_property(
                "NodeGroupWeb", "ScalingConfig", {"MinSize": 0, "DesiredSize": 0, "MaxSize": 9}
            ),
            "would lose its nodes",
        ),
    ],
)
def test_run_time_state_stays_out_of_templates(
    built: Built, key: Key, edit: Edit, text: str
) -> None:
    """Membership, replication and counts."""
    _refused(built, key, edit, text)


def test_an_edit_after_a_failover_outside_of_the_project_leaves_the_writer(built: Built) -> None:
    """The templates say nothing of roles, so even then there is nothing that they could undo."""
    database = built.platform.databases[0]
    identifier = built.platform.global_cluster_id(database)
    tokyo = built.platform.region("tokyo")
    rds = built.world.aws("rds", "tokyo")
    (cluster,) = rds.describe_db_clusters(
        DBClusterIdentifier=built.platform.db_cluster_id(database, tokyo)
    )["DBClusters"]
    rds.failover_global_cluster(
        GlobalClusterIdentifier=identifier,
        TargetDbClusterIdentifier=cluster["DBClusterArn"],
        AllowDataLoss=True,
    )
    for _ in range(200):
        (found,) = rds.describe_global_clusters(GlobalClusterIdentifier=identifier)[
            "GlobalClusters"
        ]
        if _writers(found) == [cluster["DBClusterArn"]] and not found.get("FailoverState"):
            break
        built.settings.clock.sleep(10)
    assert _writers(found) == [cluster["DBClusterArn"]]
    edit = with_property(CLUSTER, "BackupRetentionPeriod", 22)
    assert _applied(built, DATABASE, edit).ending is Ending.APPLIED
    (found,) = rds.describe_global_clusters(GlobalClusterIdentifier=identifier)["GlobalClusters"]
    assert _writers(found) == [cluster["DBClusterArn"]]


def _writers(found: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["DBClusterArn"] for one in found["GlobalClusterMembers"] if one["IsWriter"]]
