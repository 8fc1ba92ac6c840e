"""Faults that are no transitions: what calls, replication, nodes, images and Argo CD then do."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from kubernetes import client

from tests.local.rehearsals.building import NODES, REPLICAS, deploy
from tests.local.rehearsals.rehearsal import Rehearsal, refusal

CAPACITY = "AsgInstanceLaunchFailures"


def test_throttling_meets_its_part_of_the_calls(stage: Rehearsal) -> None:
    """Of that service, operation and Region only; an SDK that retries gets through."""
    efs = stage.aws("efs")
    about = {"service": "efs", "operation": "DescribeFileSystems", "region": "seoul"}
    fault = stage.world.control.add_fault("error", **about, rate=0.5)
    told = [_code(efs.describe_file_systems) for _ in range(20)]
    assert 4 <= told.count("ThrottlingException") <= 16
    assert set(told) == {"ThrottlingException", ""}
    assert {_code(efs.describe_mount_targets, FileSystemId=stage.file_system("seoul"))} == {""}
    assert _code(stage.aws("efs", "tokyo").describe_file_systems) == ""
    patient = stage.world.aws("efs", retries={"total_max_attempts": 8, "mode": "standard"})
    assert patient.describe_file_systems()["FileSystems"] != []
    stage.world.control.remove_fault(fault)
    assert {_code(efs.describe_file_systems) for _ in range(5)} == {""}


@pytest.mark.parametrize(
    ("service", "operation", "method", "code", "status"),
    [
        ("rds", "DescribeGlobalClusters", "describe_global_clusters", "Throttling", 400),
        ("ec2", "DescribeVpcs", "describe_vpcs", "RequestLimitExceeded", 503),
        ("s3", "ListBuckets", "list_buckets", "SlowDown", 503),
        ("eks", "ListClusters", "list_clusters", "ServerException", 500),
        ("dynamodb", "ListTables", "list_tables", "ThrottlingException", 400),
        ("route53", "ListHostedZones", "list_hosted_zones", "PriorRequestNotComplete", 400),
        ("cloudformation", "DescribeStacks", "describe_stacks", "Throttling", 400),
    ],
)
def test_a_one_shot_error_is_typed_as_its_service_does(
    stage: Rehearsal, service: str, operation: str, method: str, code: str, status: int
) -> None:
    """In XML, JSON or Query alike; the next call is answered."""
    about = {"service": service, "operation": operation, "code": code, "status": status}
    stage.world.control.add_fault("error", **about, times=1, message="put there")
    call = getattr(stage.aws(service), method)
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (code, "put there")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    call()


def test_an_error_of_a_changing_call_changes_nothing(stage: Rehearsal) -> None:
    """The caller may send it again."""
    efs = stage.aws("efs", "tokyo")
    about = {"service": "efs", "operation": "DeleteReplicationConfiguration"}
    stage.world.control.add_fault("error", **about, times=1, code="InternalServerError", status=500)
    source = {"SourceFileSystemId": stage.file_system("seoul")}
    assert refusal(efs.delete_replication_configuration, **source) == "InternalServerError"
    assert stage.replication("tokyo") == "ENABLED"
    efs.delete_replication_configuration(**source)
    assert stage.replication("tokyo") == "DELETING"


def test_kubernetes_calls_are_throttled_too(stage: Rehearsal) -> None:
    """With a Status of 429."""
    fault = {"service": "kubernetes", "code": "TooManyRequests", "status": 429, "times": 1}
    stage.world.control.add_fault("error", region="tokyo", **fault)
    stage.core("seoul").list_node()
    with pytest.raises(client.ApiException) as refused:
        stage.core("tokyo").list_node()
    assert (refused.value.status, '"kind":"Status"' in _squeezed(refused.value)) == (429, True)
    stage.core("tokyo").list_node()


def test_late_answers_meet_the_callers_timeout(stage: Rehearsal) -> None:
    """In real seconds; the change is made all the same, once, for who asked with a token."""
    efs = stage.world.aws("efs", read_timeout=0.3)
    about = {"service": "efs", "operation": "CreateFileSystem", "seconds": 0.6}
    stage.world.control.add_fault("latency", **about)
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        efs.create_file_system(CreationToken="late")
    assert 0.3 <= time.monotonic() - began < 2
    stage.world.control.clear_faults()
    found = efs.describe_file_systems(CreationToken="late")["FileSystems"]
    if not found:  # it was not begun yet when its caller left
        efs.create_file_system(CreationToken="late")
    assert refusal(efs.create_file_system, CreationToken="late") == "FileSystemAlreadyExists"


def test_replication_of_files_falls_behind(stage: Rehearsal) -> None:
    """More and more, in the timestamp and in the metric; it catches up when the fault is gone."""
    assert stage.behind() <= 120
    fault = stage.world.control.add_fault("lag", of="efs", region="tokyo", rate=1)
    stage.wait(900)
    middle = stage.behind("tokyo")
    assert 780 <= middle <= 1080
    stage.wait(900)
    assert stage.behind("tokyo") - middle == pytest.approx(900, abs=120)
    assert (_metric(stage) or 0) > 1500
    assert stage.replication() == "ENABLED"
    stage.world.control.remove_fault(fault)
    stage.wait(180)
    assert stage.behind("tokyo") <= 120


def test_replication_of_the_database_falls_behind(stage: Rehearsal) -> None:
    """In milliseconds; files are not meant."""
    assert (stage.aurora_lag() or 9999) < 1000
    fault = stage.world.control.add_fault("lag", of="aurora", region="tokyo", rate=0.5)
    stage.wait(600)
    assert stage.aurora_lag() == pytest.approx(300_000, rel=0.1)
    assert stage.behind() <= 120
    stage.world.control.remove_fault(fault)
    stage.wait(180)
    assert (stage.aurora_lag() or 9999) < 1000


def test_no_capacity_leaves_a_group_degraded(stage: Rehearsal) -> None:
    """Its update has succeeded, its nodes are missing, its health says why; then they come."""
    fault = stage.world.control.add_fault("capacity", region="seoul", node_group="web")
    stage.scale(NODES + 1)
    stage.wait(300)
    group = stage.node_group()
    assert group["status"] == "DEGRADED"
    [issue] = group["health"]["issues"]
    assert (issue["code"], "InsufficientInstanceCapacity" in issue["message"]) == (CAPACITY, True)
    assert group["scalingConfig"]["desiredSize"] == NODES + 1
    assert _nodes(stage) == NODES
    stage.world.control.remove_fault(fault)
    stage.wait(240)
    assert (_nodes(stage), stage.node_group()["status"]) == (NODES + 1, "ACTIVE")


def test_no_capacity_in_one_zone_fills_the_others(stage: Rehearsal) -> None:
    """All nodes come, none of them there."""
    stage.world.control.add_fault("capacity", region="seoul", zone="ap-northeast-2c")
    stage.scale(NODES + 3)
    stage.wait(300)
    assert (_nodes(stage), stage.ready_nodes()["ap-northeast-2c"]) == (NODES + 3, "True")
    assert stage.node_group()["status"] == "ACTIVE"


def test_an_image_that_cannot_be_pulled(stage: Rehearsal) -> None:
    """Pods wait with its reason, those that run go on; later the rollout ends."""
    fault = stage.world.control.add_fault("image_pull", region="tokyo", image="peccy-web")
    deploy(stage.world, "tokyo", "late")
    stage.wait(60)
    assert stage.waiting("tokyo", "late") <= {"ErrImagePull", "ImagePullBackOff"}
    assert len(stage.waiting("tokyo", "late")) >= 1
    assert stage.ready_pods("tokyo") == REPLICAS
    stage.wait(600)
    assert _progressing(stage, "late").reason == "ProgressDeadlineExceeded"
    stage.world.control.remove_fault(fault)
    stage.wait(330)
    assert stage.waiting("tokyo", "late") == set()
    late = stage.apps("tokyo").read_namespaced_deployment("late", "default")
    assert late.status.ready_replicas == REPLICAS


def test_an_image_that_was_never_copied_cannot_be_pulled(stage: Rehearsal) -> None:
    """A failover needs the standby's own registry."""
    deploy(stage.world, "tokyo", "missing", tag="none")
    stage.wait(60)
    assert stage.waiting("tokyo", "missing") <= {"ErrImagePull", "ImagePullBackOff"}
    told = [one.message for one in _events(stage, "missing") if one.reason == "Failed"]
    assert any("not found" in message for message in told)


def test_a_wedged_argo_cd_says_what_it_said_last(stage: Rehearsal) -> None:
    """`reconciledAt` grows old in one Region; the other goes on."""
    custom = {
        alias: client.CustomObjectsApi(stage.core(alias).api_client) for alias in stage.places
    }
    for each in custom.values():
        _application(each)
    stage.wait(300)
    fault = stage.world.control.add_fault("argocd", region="tokyo")
    before = {alias: _reconciled(each) for alias, each in custom.items()}
    stage.wait(900)
    assert _reconciled(custom["tokyo"]) == before["tokyo"]
    assert _reconciled(custom["seoul"]) > before["seoul"]
    stage.world.control.remove_fault(fault)
    stage.wait(300)
    assert _reconciled(custom["tokyo"]) > before["tokyo"]


def test_faults_meet_only_what_they_name(stage: Rehearsal) -> None:
    """Another resource of the same kind goes through."""
    efs = stage.aws("efs")
    one, other = (efs.create_file_system(CreationToken=name)["FileSystemId"] for name in "ab")
    about = {"transition": "efs_file_system_creating", "resource": one, "ending": "failed"}
    stage.world.control.add_fault("transition", **about)
    stage.wait(20)
    states = {item["FileSystemId"]: item["LifeCycleState"] for item in _files(stage)}
    assert (states[one], states[other]) == ("error", "available")


def _code(call: Any, **params: Any) -> str:
    """The code of a refusal; empty for an answer."""
    try:
        call(**params)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return ""


def _squeezed(error: client.ApiException) -> str:
    return str(error.body).replace(" ", "")


def _files(stage: Rehearsal) -> Iterator[dict[str, Any]]:
    for page in stage.aws("efs").get_paginator("describe_file_systems").paginate():
        yield from page["FileSystems"]


def _nodes(stage: Rehearsal) -> int:
    return len(" ".join(stage.ready_nodes().values()).split())


def _metric(stage: Rehearsal) -> float | None:
    now = stage.world.control.clock().unix
    dimensions = {
        "FileSystemId": stage.file_system("seoul"),
        "DestinationFileSystemId": stage.file_system("tokyo"),
    }
    found = stage.aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/EFS",
        MetricName="TimeSinceLastSync",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - 60,
        EndTime=now + 1,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in found), default=None)


def _progressing(stage: Rehearsal, name: str) -> Any:
    found = stage.apps("tokyo").read_namespaced_deployment(name, "default").status.conditions
    return next(one for one in found if one.type == "Progressing")


def _events(stage: Rehearsal, name: str) -> list[Any]:
    found = stage.core("tokyo").list_namespaced_event("default").items
    return [one for one in found if one.involved_object.name.startswith(name)]


def _application(custom: Any) -> None:
    spec = {
        "project": "default",
        "source": {"repoURL": "https://x", "path": "manifests/none", "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
    }
    core: Any = client.CoreV1Api(custom.api_client)
    core.create_namespace({"metadata": {"name": "argocd"}})
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": spec,
    }
    custom.create_namespaced_custom_object(
        "argoproj.io", "v1alpha1", "argocd", "applications", body
    )


def _reconciled(custom: Any) -> str:
    found = custom.get_namespaced_custom_object(
        "argoproj.io", "v1alpha1", "argocd", "applications", "app"
    )
    return str(found["status"]["reconciledAt"])
