"""Ingresses get load balancers, and the Region's own names point to them."""

from pathlib import Path

import pytest

from platform_pipelines.local.kube.kinds import DEPLOYMENT, INGRESS, SERVICE
from tests.local.kube.hand_world import Clusters, Object, deployment

HOSTS = ["seoul.www.peccy.example.com", "www.peccy.example.com"]


def ingress(annotations: dict[str, str] | None = None, class_name: str = "alb") -> Object:
    """An Ingress with a rule for each of the two hosts."""
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "web", "port": {"number": 80}}},
    }
    return {
        "metadata": {"name": "web", "namespace": "default", "annotations": annotations or {}},
        "spec": {
            "ingressClassName": class_name,
            "rules": [{"host": host, "http": {"paths": [path]}} for host in HOSTS],
        },
    }


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Seoul with a web node, a service and an Ingress, and no pods."""
    made = Clusters(tmp_path)
    made.start()
    made.scale(web=1)
    made.pass_time(150)
    service = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    made.seoul.create(SERVICE, service | {"metadata": {"name": "web", "namespace": "default"}})
    made.seoul.create(INGRESS, ingress())
    made.settle()
    return made


def hostname(clusters: Clusters) -> str | None:
    """The name of the load balancer that the Ingress tells."""
    balancers = clusters.the(INGRESS, "web").get("status", {}).get("loadBalancer", {})
    return next((one["hostname"] for one in balancers.get("ingress", [])), None)


def test_the_load_balancer_comes_after_a_while(clusters: Clusters) -> None:
    """Its name has AWS's form and names the Region."""
    clusters.pass_time(28)
    assert hostname(clusters) is None
    clusters.pass_time(4)
    name = hostname(clusters)
    assert name is not None
    assert name.startswith("k8s-default-web-")
    assert name.endswith(".ap-northeast-2.elb.amazonaws.com")
    assert list(clusters.aws.balancers) == [name]


def test_only_the_regions_own_name_is_published(clusters: Clusters) -> None:
    """`<region>.<host>` points to the load balancer; `<host>` is the dns stack's."""
    clusters.pass_time(40)
    assert clusters.aws.records == {"seoul.www.peccy.example.com": hostname(clusters)}


def test_annotations_only_when_the_ingress_says_so(clusters: Clusters) -> None:
    """With `annotation-only` the rules' hosts are not published."""
    found = clusters.the(INGRESS, "web")
    found["metadata"]["annotations"] = {
        "external-dns.kubernetes.io/hostname": "seoul.other.peccy.example.com",
        "external-dns.kubernetes.io/ingress-hostname-source": "annotation-only",
    }
    clusters.seoul.update(INGRESS, found)
    clusters.pass_time(40)
    assert list(clusters.aws.records) == ["seoul.other.peccy.example.com"]


def test_records_wait_for_the_hosted_zone(clusters: Clusters) -> None:
    """No zone yet: tried again until there is one."""
    clusters.aws.zone_exists = False
    clusters.pass_time(40)
    assert clusters.aws.records == {}
    clusters.aws.zone_exists = True
    clusters.pass_time(4)
    assert list(clusters.aws.records) == ["seoul.www.peccy.example.com"]


def test_a_record_that_was_lost_comes_back(clusters: Clusters) -> None:
    """ExternalDNS looks once a minute."""
    clusters.pass_time(40)
    clusters.aws.records.clear()
    clusters.pass_time(64)
    assert list(clusters.aws.records) == ["seoul.www.peccy.example.com"]


def test_a_load_balancer_is_ready_when_a_pod_is(clusters: Clusters) -> None:
    """It has a healthy target from the first Ready pod to the last."""
    clusters.pass_time(40)
    [ready] = clusters.aws.balancers.values()
    assert not ready()
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(14)
    assert ready()
    clusters.seoul.delete(DEPLOYMENT, "default", "web")
    assert not ready()


def test_a_deleted_ingress_takes_its_load_balancer_with_it(clusters: Clusters) -> None:
    """ExternalDNS keeps the record: its policy is upsert-only."""
    clusters.pass_time(40)
    clusters.seoul.delete(INGRESS, "default", "web")
    clusters.settle()
    assert clusters.aws.balancers == {}
    assert list(clusters.aws.records) == ["seoul.www.peccy.example.com"]


def test_other_classes_are_not_ours(clusters: Clusters) -> None:
    """An Ingress of another class stays without an address."""
    clusters.seoul.delete(INGRESS, "default", "web")
    clusters.seoul.create(INGRESS, ingress(class_name="nginx"))
    clusters.pass_time(60)
    assert hostname(clusters) is None


def test_after_a_restart_the_known_balancer_answers_at_once(clusters: Clusters) -> None:
    """New controllers over the same objects register what the Ingress already tells."""
    clusters.pass_time(40)
    known = hostname(clusters)
    again = Clusters(clusters.world.state)
    again.clock.move(clusters.clock.now())
    again.world.stores = clusters.world.stores
    again.start()
    assert list(again.aws.balancers) == [known]
