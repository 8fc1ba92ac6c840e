"""The controllers against the local AWS itself: node groups, registries, load balancers, records."""

from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local import images, ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.kube.controllers import aws
from platform_pipelines.local.kube.controllers.cluster import Outside, Taint
from platform_pipelines.local.world import Ports, World
from tests.local.aws.regions import HandClock, Regions
from tests.local.kube.hand_world import PLATFORM, SEOUL, TOKYO

IMAGE = images.build("peccy-web")


@pytest.fixture
def regions(tmp_path: Path) -> Regions:
    """Both Regions' AWS, empty, at a time that stands still."""
    ministack.configure(PLATFORM, tmp_path, port=1)
    for name in ("eks", "ecr", "route53"):
        ministack.service(name).reset()
    clock = HandClock(speed=1.0, origin=0.0)
    ports = Ports(aws=1, kube={"seoul": 1, "tokyo": 2})
    return Regions(World(platform=PLATFORM, state=tmp_path, ports=ports, clock=clock))


@pytest.fixture
def outside(regions: Regions) -> Outside:
    """What the controllers see of it."""
    return aws.outside(regions.world)


def pull(region_name: str, digest: str = IMAGE.digest) -> str:
    """The name by which a pod asks for the image."""
    return f"{PLATFORM.account}.dkr.ecr.{region_name}.amazonaws.com/peccy-web@{digest}"


def push(regions: Regions, alias: str) -> None:
    """Put the image into a Region's registry."""
    regions(alias, "ecr", "CreateRepository", repositoryName="peccy-web")
    for blob in (*IMAGE.manifests, IMAGE.index):
        regions(
            alias,
            "ecr",
            "PutImage",
            repositoryName="peccy-web",
            imageManifest=blob.content.decode(),
            imageManifestMediaType=blob.media_type,
            imageTag=f"t-{blob.digest[7:15]}",
        )


def test_node_groups_are_those_of_eks(regions: Regions, outside: Outside) -> None:
    """Count, type, labels and taints in Kubernetes' words, and when it was changed last."""
    vpc = {"subnetIds": ["subnet-1", "subnet-2"]}
    cluster = PLATFORM.cluster_name(SEOUL)
    role = "arn:aws:iam::111122223333:role/x"
    regions("seoul", "eks", "CreateCluster", name=cluster, roleArn=role, resourcesVpcConfig=vpc)
    regions(
        "seoul",
        "eks",
        "CreateNodegroup",
        clusterName=cluster,
        nodegroupName="web",
        nodeRole=role,
        subnets=["subnet-1"],
        instanceTypes=["t3.medium"],
        labels={"role": "web"},
        taints=[{"key": "role", "value": "web", "effect": "NO_SCHEDULE"}],
        scalingConfig={"minSize": 6, "desiredSize": 6, "maxSize": 12},
    )
    [group] = outside.node_groups(SEOUL)
    assert (group.name, group.desired, group.instance_type) == ("web", 6, "t3.medium")
    assert group.labels == {"role": "web"}
    assert group.taints == (Taint(key="role", value="web", effect="NoSchedule"),)
    assert group.since == regions.world.now()
    assert list(outside.node_groups(TOKYO)) == []


def test_an_image_is_pulled_only_where_it_is(regions: Regions, outside: Outside) -> None:
    """Pushed to Seoul: Seoul's registry has it, Tokyo's does not, another digest is nowhere."""
    push(regions, "seoul")
    assert outside.pull_error(SEOUL, pull(SEOUL.name)) is None
    assert "not found" in str(outside.pull_error(TOKYO, pull(TOKYO.name)))
    assert "not found" in str(outside.pull_error(SEOUL, pull(SEOUL.name, "sha256:" + "0" * 64)))


def test_an_image_of_a_dark_region_cannot_be_pulled_from_the_other(
    regions: Regions, outside: Outside
) -> None:
    """A manifest that names the other Region's registry works until that Region is dark."""
    push(regions, "seoul")
    assert outside.pull_error(TOKYO, pull(SEOUL.name)) is None
    regions.black_out("seoul")
    assert "i/o timeout" in str(outside.pull_error(TOKYO, pull(SEOUL.name)))


def test_tags_and_other_registries(regions: Regions, outside: Outside) -> None:
    """A tag of ECR is looked up; an image from elsewhere is believed to be there."""
    push(regions, "seoul")
    tagged = pull(SEOUL.name).partition("@")[0]
    assert outside.pull_error(SEOUL, f"{tagged}:t-{IMAGE.digest[7:15]}") is None
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
