"""The controllers against the local AWS itself: node groups, registries, load balancers, records."""

from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local import images, ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.kube.controllers import aws
from platform_pipelines.local.kube.controllers.cluster import Joining, Outside, Refusal, Taint
from platform_pipelines.local.kube.kinds import NODE
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import Ports, World
from tests.local.aws.clusters import (
    CLUSTER,
    SIX,
    WEB,
    ask_for_group,
    describe_group,
    make_cluster,
    seoul,
)
from tests.local.aws.regions import HandClock, Regions
from tests.local.aws.registries import REPOSITORY, push
from tests.local.kube.hand_world import PLATFORM, SEOUL, TOKYO

IMAGE = images.build("peccy-web")


@pytest.fixture
def regions(tmp_path: Path) -> Regions:
    """Both Regions' AWS, empty, at a time that stands still."""
    ministack.configure(PLATFORM, tmp_path, port=1)
    for name in ("eks", "ec2", "route53"):
        ministack.service(name).reset()
    clock = HandClock()
    ports = Ports(aws=1, kube={"seoul": 1, "tokyo": 2})
    return Regions(World(platform=PLATFORM, state=tmp_path, ports=ports, clock=clock))


@pytest.fixture
def outside(regions: Regions) -> Outside:
    """What the controllers see of it."""
    return aws.outside(regions.world)


def pull(region_name: str, digest: str = IMAGE.digest) -> str:
    """The name by which a pod asks for the image."""
    return f"{PLATFORM.account}.dkr.ecr.{region_name}.amazonaws.com/peccy-web@{digest}"


def push_to_seoul(regions: Regions) -> None:
    """Put the image into Seoul's registry."""
    regions("seoul", "ecr", "CreateRepository", repositoryName=REPOSITORY)
    push(regions)


def make_web(regions: Regions) -> None:
    """Six web nodes wanted in Seoul's cluster."""
    taint = {"key": "role", "value": "web", "effect": "NO_SCHEDULE"}
    network = make_cluster(regions)
    ask_for_group(regions, network, taints=[taint], scalingConfig=SIX)


def test_node_groups_are_those_of_eks(regions: Regions, outside: Outside) -> None:
    """Count, type, zones, labels and taints in Kubernetes' words, and when it was changed last."""
    make_web(regions)
    [group] = outside.node_groups(SEOUL)
    assert (group.name, group.desired, group.instance_type) == ("web", 6, "t3.medium")
    assert group.labels == {"role": "web"}
    assert group.taints == (Taint(key="role", value="web", effect="NoSchedule"),)
    assert (group.zones, group.version) == (SEOUL.zones, "1.36")
    assert group.since == regions.world.now()
    assert list(outside.node_groups(TOKYO)) == []


def test_an_upgraded_group_wants_nodes_of_its_new_version(
    regions: Regions, outside: Outside
) -> None:
    """While EKS still describes the old one; the update ends when no old node is left."""
    cluster = Store(regions.world.datetime)
    regions.world.stores["seoul"] = cluster
    make_web(regions)
    for number in range(6):
        cluster.create(NODE, old_node(number))
    regions.advance(160)
    seoul(regions, "UpdateClusterVersion", name=CLUSTER, version="1.37")
    regions.advance(540)
    seoul(regions, "UpdateNodegroupVersion", **WEB)
    [group] = outside.node_groups(SEOUL)
    assert (group.version, describe_group(regions)["version"]) == ("1.37", "1.36")
    regions.advance(2000)
    assert describe_group(regions)["status"] == "UPDATING"
    for number in range(6):
        cluster.delete(NODE, None, f"old-{number}")
    regions.advance(10)
    assert (describe_group(regions)["status"], describe_group(regions)["version"]) == (
        "ACTIVE",
        "1.37",
    )


def old_node(number: int) -> dict[str, Any]:
    """A ready node of the group `web` and of Kubernetes 1.36."""
    return {
        "metadata": {"name": f"old-{number}", "labels": {"eks.amazonaws.com/nodegroup": "web"}},
        "spec": {},
        "status": {
            "nodeInfo": {"kubeletVersion": "v1.36.0-eks-local"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def test_a_launch_needs_capacity_quota_and_addresses(regions: Regions, outside: Outside) -> None:
    """Each lack has EKS's own code, and counts what is on its way."""
    make_web(regions)
    [group] = outside.node_groups(SEOUL)
    first, second, _ = SEOUL.zones
    assert outside.refusal(SEOUL, group, first, ()) is None
    entry = regions.world.faults.add({"kind": "capacity", "region": "seoul", "zone": first})
    assert code(outside.refusal(SEOUL, group, first, ())) == "AsgInstanceLaunchFailures"
    assert outside.refusal(SEOUL, group, second, ()) is None
    regions.world.faults.remove(entry.id)
    coming = [joining("m5.large", second)] * 127
    assert outside.refusal(SEOUL, group, first, coming) is None
    coming = [joining("m5.large", second)] * 128
    refused = outside.refusal(SEOUL, group, first, coming)
    assert refused is not None
    assert "VcpuLimitExceeded" in refused.message
    full = [joining("g5.xlarge", first)] * 20  # another bucket of vCPUs, the same addresses
    assert outside.refusal(SEOUL, group, second, full) is None
    assert code(outside.refusal(SEOUL, group, first, full)) == "InsufficientFreeAddresses"


def joining(instance_type: str, zone: str) -> Joining:
    """An instance on its way."""
    return Joining(group="web", zone=zone, instance_type=instance_type, due=0.0)


def code(refusal: Refusal | None) -> str:
    """The code of a refusal; nothing if there is none."""
    return refusal.code if refusal else ""


def test_a_report_is_the_groups_health(regions: Regions, outside: Outside) -> None:
    """DEGRADED with what was refused, ACTIVE when nothing is."""
    make_web(regions)
    regions.advance(160)
    refusal = Refusal(code="InsufficientFreeAddresses", message="none left")
    outside.report(SEOUL, "web", (refusal,))
    group = describe_group(regions)
    assert (group["status"], group["health"]["issues"][0]["code"]) == ("DEGRADED", refusal.code)
    outside.report(SEOUL, "web", ())
    assert describe_group(regions)["status"] == "ACTIVE"


def test_pulls_fail_on_purpose(regions: Regions, outside: Outside) -> None:
    """A fault keeps an image from one Region."""
    push_to_seoul(regions)
    fault = {"kind": "image_pull", "region": "seoul", "image": "peccy-web", "message": "500"}
    regions.world.faults.add(fault)
    assert outside.pull_error(SEOUL, pull(SEOUL.name)) == "500"
    assert outside.pull_error(TOKYO, pull(SEOUL.name)) is None


def test_an_image_is_pulled_only_where_it_is(regions: Regions, outside: Outside) -> None:
    """Pushed to Seoul: Seoul's registry has it, Tokyo's does not, another digest is nowhere."""
    push_to_seoul(regions)
    assert outside.pull_error(SEOUL, pull(SEOUL.name)) is None
    assert "not found" in str(outside.pull_error(TOKYO, pull(TOKYO.name)))
    assert "not found" in str(outside.pull_error(SEOUL, pull(SEOUL.name, "sha256:" + "0" * 64)))


def test_an_image_of_a_dark_region_cannot_be_pulled_from_the_other(
    regions: Regions, outside: Outside
) -> None:
    """A manifest that names the other Region's registry works until that Region is dark."""
    push_to_seoul(regions)
    assert outside.pull_error(TOKYO, pull(SEOUL.name)) is None
    regions.black_out("seoul")
    assert "i/o timeout" in str(outside.pull_error(TOKYO, pull(SEOUL.name)))


def test_tags_and_other_registries(regions: Regions, outside: Outside) -> None:
    """A tag of ECR is looked up; an image from elsewhere is believed to be there."""
    push_to_seoul(regions)
    tagged = pull(SEOUL.name).partition("@")[0]
    assert outside.pull_error(SEOUL, f"{tagged}:1.0.0") is None
    assert outside.pull_error(SEOUL, f"{tagged}:latest") is not None
    assert outside.pull_error(SEOUL, "quay.io/argoproj/argocd:v3.5.0") is None


def test_a_load_balancer_answers_under_its_own_address(regions: Regions, outside: Outside) -> None:
    """Registered with the world's load balancers, and taken back."""
    outside.register(SEOUL, "k8s-x.elb.amazonaws.com", ("a.example.com",), lambda: True)
    balancer = regions.world.balancers.by_name("k8s-x.elb.amazonaws.com")
    assert balancer is not None
    assert (balancer.region, balancer.ready()) == ("seoul", True)
    outside.unregister("k8s-x.elb.amazonaws.com")
    assert regions.world.balancers.by_name("k8s-x.elb.amazonaws.com") is None


def route53(operation: str, **params: str) -> dict[str, Any]:
    """A call to Route 53, which belongs to no Region."""
    call = Call(
        service="route53",
        operation=operation,
        params=params,
        region=SEOUL.name,
        account=PLATFORM.account,
        request_id="test",
    )
    with ministack.scope(PLATFORM.account, SEOUL.name):
        return stores.ask(call)


@pytest.mark.usefixtures("regions")
def test_a_record_needs_its_zone(outside: Outside) -> None:
    """Without the hosted zone there is nothing to publish in; with it the CNAME is there."""
    host, target = "seoul.www.peccy.example.com", "k8s-x.elb.amazonaws.com"
    assert not outside.upsert_cname(host, target)
    zone = route53("CreateHostedZone", Name=PLATFORM.domain, CallerReference="x")["HostedZone"]
    assert outside.upsert_cname(host, target)
    records = route53("ListResourceRecordSets", HostedZoneId=zone["Id"].rpartition("/")[2])[
        "ResourceRecordSets"
    ]
    [cname] = [one for one in records if one["Type"] == "CNAME"]
    assert (cname["Name"], cname["ResourceRecords"]) == (f"{host}.", [{"Value": target}])
