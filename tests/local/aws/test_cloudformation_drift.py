"""Drift is found by reading what is there, for the types that hold state."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stacks import (
    CLUSTER,
    NOTHING_TO_DO,
    Stacks,
    change_of,
    eks_cluster,
    files,
    global_cluster,
    in_still_world,
    instance,
    member,
    network,
    nodes,
    parameter,
    resource,
    template,
)

LOGIN = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def made(stacks: Stacks, name: str, **resources: Any) -> None:
    """A stack of these resources."""
    assert stacks.apply("seoul", name, template(**resources)) == "CREATE_COMPLETE"


def detected(stacks: Stacks, name: str, **more: Any) -> dict[str, Any]:
    """A detection that has ended."""
    client = stacks.client("seoul")
    id_ = client.detect_stack_drift(StackName=name, **more)["StackDriftDetectionId"]
    key = {"StackDriftDetectionId": id_}
    assert client.describe_stack_drift_detection_status(**key)["DetectionStatus"] == (
        "DETECTION_IN_PROGRESS"
    )
    stacks.wait(20)
    found: dict[str, Any] = client.describe_stack_drift_detection_status(**key)
    return found


def drifted(stacks: Stacks, name: str) -> dict[str, dict[str, tuple[str, str]]]:
    """What differs, by resource and path: (expected, actual)."""
    found = stacks.client("seoul").describe_stack_resource_drifts(StackName=name)
    return {
        one["LogicalResourceId"]: {
            diff["PropertyPath"]: (diff["ExpectedValue"], diff["ActualValue"])
            for diff in one.get("PropertyDifferences", [])
        }
        for one in found["StackResourceDrifts"]
        if one["StackResourceDriftStatus"] != "IN_SYNC"
    }


def test_a_stack_that_nobody_touched_is_in_sync(stacks: Stacks) -> None:
    """Each resource is checked, and none differs."""
    made(stacks, "sync", Files=files(ThroughputMode="elastic"), Global=global_cluster("sync"))
    found = detected(stacks, "sync")
    assert (found["DetectionStatus"], found["StackDriftStatus"]) == (
        "DETECTION_COMPLETE",
        "IN_SYNC",
    )
    assert found["DriftedStackResourceCount"] == 0
    assert drifted(stacks, "sync") == {}
    described = stacks.describe("seoul", "sync")
    assert described is not None
    assert described["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_a_file_system_that_was_changed_behind_the_stack_has_drifted(stacks: Stacks) -> None:
    """With the property, as it should be and as it is."""
    made(stacks, "files", Files=files(ThroughputMode="elastic"))
    efs = stacks.world.aws("efs")
    id_ = efs.describe_file_systems()["FileSystems"][0]["FileSystemId"]
    efs.update_file_system(FileSystemId=id_, ThroughputMode="bursting")
    stacks.wait(600)
    assert detected(stacks, "files")["DriftedStackResourceCount"] == 1
    assert drifted(stacks, "files") == {"Files": {"/ThroughputMode": ("elastic", "bursting")}}


def test_a_resource_that_was_deleted_behind_the_stack_is_deleted(stacks: Stacks) -> None:
    """Status DELETED; the stack has drifted."""
    made(stacks, "lost", A=parameter("1", Name="kept"), B=parameter("1", Name="lost"))
    stacks.world.aws("ssm").delete_parameter(Name="lost")
    assert detected(stacks, "lost")["StackDriftStatus"] == "DRIFTED"
    client = stacks.client("seoul")
    found = client.describe_stack_resource_drifts(
        StackName="lost", StackResourceDriftStatusFilters=["DELETED"]
    )
    assert [one["LogicalResourceId"] for one in found["StackResourceDrifts"]] == ["B"]


def test_databases_and_clusters_are_read_from_their_services(stacks: Stacks) -> None:
    """RDS and EKS: what an engineer has changed by hand."""
    made(
        stacks,
        "state",
        **network(),
        Global=global_cluster("state", DeletionProtection=False),
        It=member(
            "state-1", GlobalClusterIdentifier={"Ref": "Global"}, BackupRetentionPeriod=7, **LOGIN
        ),
        One=instance("It"),
        Cluster=eks_cluster(),
        Nodes=nodes(Labels={"role": "web"}),
    )
    assert detected(stacks, "state")["StackDriftStatus"] == "IN_SYNC"
    rds, eks = stacks.world.aws("rds"), stacks.world.aws("eks")
    rds.modify_db_cluster(
        DBClusterIdentifier="state-1", BackupRetentionPeriod=3, ApplyImmediately=True
    )
    key = {"clusterName": CLUSTER, "nodegroupName": "web"}
    eks.update_nodegroup_config(**key, labels={"addOrUpdateLabels": {"role": "app"}})
    stacks.wait(900)
    assert detected(stacks, "state")["DriftedStackResourceCount"] == 2
    assert drifted(stacks, "state") == {
        "It": {"/BackupRetentionPeriod": ("7", "3")},
        "Nodes": {"/Labels/role": ("web", "app")},
    }


def test_repositories_networks_and_records_are_read_too(stacks: Stacks) -> None:
    """ECR, EC2 and Route 53."""
    record = {"Name": "a.drift.example.com", "Type": "A", "TTL": "60"}
    made(
        stacks,
        "more",
        **network(),
        Images=resource(
            "AWS::ECR::Repository", RepositoryName="images", ImageTagMutability="IMMUTABLE"
        ),
        Zone=resource("AWS::Route53::HostedZone", Name="drift.example.com"),
        Record=resource(
            "AWS::Route53::RecordSet",
            HostedZoneId={"Ref": "Zone"},
            ResourceRecords=["192.0.2.1"],
            **record,
        ),
    )
    assert detected(stacks, "more")["StackDriftStatus"] == "IN_SYNC"
    mutability = {"repositoryName": "images", "imageTagMutability": "MUTABLE"}
    stacks.world.aws("ecr").put_image_tag_mutability(**mutability)
    route53 = stacks.world.aws("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    values = [{"Value": "192.0.2.2"}]
    change = {**record, "TTL": 60, "ResourceRecords": values}
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": change}]},
    )
    detected(stacks, "more")
    assert drifted(stacks, "more") == {
        "Images": {"/ImageTagMutability": ("IMMUTABLE", "MUTABLE")},
        "Record": {"/ResourceRecords/0": ("192.0.2.1", "192.0.2.2")},
    }


def test_drift_may_be_asked_of_some_resources_only(stacks: Stacks) -> None:
    """The others are not checked; one that is not there is an error."""
    made(stacks, "some", A=parameter("1", Name="sa"), B=parameter("1", Name="sb"))
    detected(stacks, "some", LogicalResourceIds=["B"])
    found = stacks.client("seoul").describe_stack_resource_drifts(StackName="some")
    assert [one["LogicalResourceId"] for one in found["StackResourceDrifts"]] == ["B"]
    with pytest.raises(ClientError, match=r"Resources \[C\] do not exist"):
        stacks.client("seoul").detect_stack_drift(StackName="some", LogicalResourceIds=["C"])


def test_a_detection_may_fail(stacks: Stacks, world: World) -> None:
    """By a fault of its transition."""
    made(stacks, "fails", A=parameter("1", Name="fa"))
    world.faults.add({"kind": "transition", "transition": "stack_drift", "ending": "failed"})
    found = detected(stacks, "fails")
    assert found["DetectionStatus"] == "DETECTION_FAILED"
    assert "DriftedStackResourceCount" not in found


# Drift-aware change sets


def test_a_drift_aware_change_set_shows_and_reverts_what_drifted(stacks: Stacks) -> None:
    """Although the template is the same: REVERT_DRIFT compares it with reality."""
    body = template(A=parameter("1", Name="ra"), B=parameter("1", Name="rb"))
    assert stacks.apply("seoul", "revert", body) == "CREATE_COMPLETE"
    ssm = stacks.world.aws("ssm")
    ssm.put_parameter(Name="ra", Value="2", Overwrite=True)
    assert stacks.apply("seoul", "revert", body) == NOTHING_TO_DO
    planned = stacks.plan("seoul", "revert", body, DeploymentMode="REVERT_DRIFT")
    assert (planned["Status"], planned["DeploymentMode"]) == ("CREATE_COMPLETE", "REVERT_DRIFT")
    (change,) = (one["ResourceChange"] for one in planned["Changes"])
    assert (change["LogicalResourceId"], change["ResourceDriftStatus"]) == ("A", "MODIFIED")
    target = change["Details"][0]["Target"]
    assert (target["BeforeValue"], target["BeforeValueFrom"]) == ("2", "ACTUAL_STATE")
    assert (target["AfterValue"], target["AfterValueFrom"]) == ("1", "TEMPLATE")
    assert (target["Drift"]["PreviousValue"], target["Drift"]["ActualValue"]) == ("1", "2")
    stacks.client("seoul").execute_change_set(ChangeSetName=planned["ChangeSetId"])
    assert stacks.end("seoul", planned["StackId"]) == "UPDATE_COMPLETE"
    assert ssm.get_parameter(Name="ra")["Parameter"]["Value"] == "1"


def test_a_template_that_follows_reality_only_takes_it_as_it_is(stacks: Stacks) -> None:
    """SyncWithActual: nothing is changed but what the stack knows."""
    stacks.apply("seoul", "follow", template(A=parameter("1", Name="fo")))
    stacks.world.aws("ssm").put_parameter(Name="fo", Value="2", Overwrite=True)
    body = template(A=parameter("2", Name="fo"))
    planned = stacks.plan("seoul", "follow", body, DeploymentMode="REVERT_DRIFT")
    change = change_of(planned, "A")
    assert change["Action"] == "SyncWithActual"
    assert change["Details"][0]["Target"]["AttributeChangeType"] == "SyncWithActual"


def test_without_drift_a_drift_aware_change_set_has_nothing_to_do(stacks: Stacks) -> None:
    """As any other."""
    body = template(A=parameter("1", Name="no"))
    stacks.apply("seoul", "no", body)
    planned = stacks.plan("seoul", "no", body, DeploymentMode="REVERT_DRIFT")
    assert (planned["Status"], planned["StatusReason"]) == ("FAILED", NOTHING_TO_DO)


def test_only_an_update_can_revert_drift(stacks: Stacks) -> None:
    """A stack that does not exist has none."""
    text = json.dumps(template(A=parameter("1", Name="x")))
    with pytest.raises(ClientError, match="only valid for change sets of type UPDATE"):
        stacks.client("seoul").create_change_set(
            StackName="new",
            ChangeSetName="c",
            ChangeSetType="CREATE",
            TemplateBody=text,
            DeploymentMode="REVERT_DRIFT",
        )
