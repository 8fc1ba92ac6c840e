"""This repository's manifests in both local clusters: what an active and a standby Region look like."""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from platform_pipelines.local.kube import argocd
from platform_pipelines.local.kube.controllers.cluster import NodeGroup, Taint
from platform_pipelines.local.kube.kinds import APPLICATION, DEPLOYMENT, INGRESS
from tests.local.kube.hand_world import MINUTE, PLATFORM, ROOT, Clusters
from tests.manifests.test_manifests import rendered

Object = dict[str, Any]


def node_groups(role: str, since: float) -> list[NodeGroup]:
    """The platform's node groups in a Region of this role."""
    return [
        NodeGroup(
            name=group.name,
            desired=getattr(group, role),
            since=since,
            instance_type=group.instance_types[0],
            taints=()
            if group.name == "manage"
            else (Taint(key="role", value=group.name, effect="NoSchedule"),),
        )
        for group in PLATFORM.node_groups
    ]


def deliver(clusters: Clusters, seconds: float) -> None:
    """Apply what a user applies, and let time pass."""

    async def story() -> None:
        clusters.start()
        running = argocd.start(clusters.world, ROOT)
        for alias, store in clusters.world.stores.items():
            for one in rendered("argocd", alias):
                store.apply(one, "kubectl")
        for _ in range(int(seconds // 10)):
            clusters.pass_time(10)
            for argo in running.values():
                await argo.idle()

    asyncio.run(story())


def applications(clusters: Clusters, alias: str) -> dict[str, Object]:
    """A cluster's Applications by name."""
    found = clusters.world.stores[alias].list(APPLICATION)
    return {one["metadata"]["name"]: one for one in found}


def test_the_same_git_makes_an_active_and_a_standby_region(tmp_path: Path) -> None:
    """Equal revisions and images; Seoul is Healthy with 12 pods each, Tokyo Degraded without nodes."""
    clusters = Clusters(tmp_path)
    for alias, role in (("seoul", "active"), ("tokyo", "standby")):
        clusters.aws.groups[alias] = node_groups(role, clusters.clock.now())
    deliver(clusters, 15 * MINUTE)
    seoul, tokyo = applications(clusters, "seoul"), applications(clusters, "tokyo")
    assert seoul.keys() == tokyo.keys() == {service.name for service in PLATFORM.services}
    for name, one in seoul.items():
        other = tokyo[name]["status"]
        assert one["status"]["sync"]["status"] == other["sync"]["status"] == "Synced"
        assert one["status"]["sync"]["revision"] == other["sync"]["revision"]
        images = [each["summary"]["images"] for each in (one["status"], other)]
        assert len({name.partition("/")[2] for group in images for name in group}) == 1
        assert one["status"]["health"]["status"] == "Healthy"
        assert other["health"]["status"] == "Degraded"
    for one in clusters.seoul.list(DEPLOYMENT):
        assert one["status"]["readyReplicas"] == 12
    assert sorted(clusters.aws.records) == sorted(
        service.regional_host(region)
        for service in PLATFORM.services
        for region in PLATFORM.regions
    )
    assert len(clusters.world.stores["tokyo"].list(INGRESS)) == 2


def test_placeholders_of_git_are_all_filled_in() -> None:
    """No `region` or `file-system` placeholder of the bases survives an overlay."""
    for region in PLATFORM.regions:
        for folder in ("apps/peccy-web", "apps/peccy-app", "argocd"):
            text = yaml.safe_dump(rendered(folder, region.alias))
            for placeholder in ("region.www", "region.api", "value: region", "overlays/region"):
                assert placeholder not in text
            assert "volumeHandle: file-system" not in text
