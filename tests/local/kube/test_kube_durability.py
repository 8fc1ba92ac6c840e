"""A cluster on disk: what a killed server kept, and what its clients are told afterwards."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube import argocd, events
from platform_pipelines.local.kube.argocd import ArgoCd
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    NAMESPACE,
    POD,
    REPLICA_SET,
)
from platform_pipelines.local.kube.requests import Request, Target, Verb
from platform_pipelines.local.kube.rows import Rows
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.kube.watch import Watch
from tests.local.kube.hand_world import Clusters, Object, deployment


def config_map(name: str, **data: str) -> Object:
    """A ConfigMap of the namespace `default`."""
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def written(rows: Rows, disk: dict[str, bytes]) -> set[str]:
    """Write what changed to a disk of a test's own; the rows that were written."""
    changed = dict(rows.changed())
    disk.update({name: value for name, value in changed.items() if value is not None})
    for name in [name for name, value in changed.items() if value is None]:
        disk.pop(name, None)
    return set(changed)


@pytest.fixture
def store() -> Store:
    """A cluster."""
    return Store()


@pytest.fixture
def disk() -> dict[str, bytes]:
    """What survives."""
    return {}


def again(disk: dict[str, bytes]) -> Store:
    """The cluster of a new server with this disk."""
    fresh = Store()
    Rows(fresh).restore(disk)
    return fresh


def test_everything_is_there_again(store: Store, disk: dict[str, bytes]) -> None:
    """Objects with their identity and version, deleted ones not."""
    rows = Rows(store)
    kept = store.create(CONFIG_MAP, config_map("a", k="v"))
    store.create(CONFIG_MAP, config_map("b"))
    written(rows, disk)
    store.delete(CONFIG_MAP, "default", "b")
    written(rows, disk)
    found = again(disk)
    assert found.list(CONFIG_MAP) == [kept]
    assert found.list(NAMESPACE) == store.list(NAMESPACE)


def test_only_what_changed_is_written(store: Store, disk: dict[str, bytes]) -> None:
    """One row for an object, one for the version; nothing when nothing changed."""
    rows = Rows(store)
    store.create(CONFIG_MAP, config_map("a"))
    written(rows, disk)
    store.create(CONFIG_MAP, config_map("b"))
    assert written(rows, disk) == {"resourceVersion", "v1/ConfigMap/default/b"}
    store.update(CONFIG_MAP, store.list(CONFIG_MAP)[0])
    assert written(rows, disk) == set()


def test_no_version_is_given_twice(store: Store, disk: dict[str, bytes]) -> None:
    """Not even those that a killed server gave and did not write."""
    rows = Rows(store)
    written(rows, disk)
    lost = store.create(CONFIG_MAP, config_map("lost"))
    found = again(disk)
    new = found.create(CONFIG_MAP, config_map("new"))
    assert int(new["metadata"]["resourceVersion"]) > int(lost["metadata"]["resourceVersion"])


def test_versions_of_before_have_expired(store: Store, disk: dict[str, bytes]) -> None:
    """A client that watched lists again."""
    written(Rows(store), disk)
    found = again(disk)
    with pytest.raises(KubeFault) as refused:
        found.history.after(store.version)
    assert refused.value.code == 410
    assert found.history.after(found.version) == []


def test_an_open_watch_ends_with_410_when_the_world_is_put_back(
    store: Store, disk: dict[str, bytes]
) -> None:
    """At once, not at the next change."""
    rows = Rows(store)
    written(rows, disk)
    request = Request(
        verb=Verb.WATCH,
        target=Target(kind=CONFIG_MAP, namespace="default"),
        query={"resourceVersion": str(store.version), "timeoutSeconds": "10"},
    )

    async def follow() -> list[Any]:
        seen: list[Any] = []

        async def read() -> None:
            async for batch in Watch(store, request).events():
                seen.extend(batch)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        rows.restore(disk)
        await asyncio.wait_for(reading, 5)
        return seen

    [event] = asyncio.run(follow())
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_what_an_object_owns_still_goes_with_it(store: Store, disk: dict[str, bytes]) -> None:
    """Ownership is known again after a restart."""
    rows = Rows(store)
    owner = store.create(CONFIG_MAP, config_map("owner"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner"}
    owned = config_map("owned")
    owned["metadata"]["ownerReferences"] = [reference | {"uid": owner["metadata"]["uid"]}]
    store.create(CONFIG_MAP, owned)
    written(rows, disk)
    found = again(disk)
    found.delete(CONFIG_MAP, "default", "owner")
    assert found.list(CONFIG_MAP) == []


def test_without_rows_the_cluster_is_new(store: Store) -> None:
    """A snapshot of the beginning has the namespaces that every cluster has."""
    rows = Rows(store)
    store.create(CONFIG_MAP, config_map("a"))
    rows.restore({})
    assert store.list(CONFIG_MAP) == []
    assert store.get(NAMESPACE, None, "default") is not None


MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: delivered}
data: {k: v}
"""


class Kept:
    """Both clusters with controllers, Argo CD and events, in a world with a file."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.clusters = Clusters(folder)
        world = self.clusters.world
        for alias, each in world.stores.items():
            world.vault.add(f"kube.{alias}", Rows(each))
        events.start(world)
        self.clusters.start()
        self.argo: ArgoCd = argocd.start(world, self.checkout)["seoul"]
        self.found = world.vault.open()

    def deliver(self) -> None:
        """An Application that follows a folder."""
        (self.checkout / "app").mkdir(parents=True)
        (self.checkout / "app" / "one.yaml").write_text(MANIFEST)
        (self.checkout / "app" / "kustomization.yaml").write_text("resources: [one.yaml]\n")
        self.clusters.seoul.create(NAMESPACE, {"metadata": {"name": "argocd"}})
        spec = {
            "project": "default",
            "source": {"repoURL": "https://x", "path": "app", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
            "syncPolicy": {"automated": {"selfHeal": True}},
        }
        metadata = {"name": "app", "namespace": "argocd"}
        self.clusters.seoul.create(APPLICATION, {"metadata": metadata, "spec": spec})

    def application(self) -> Object:
        """The Application's status."""
        found: Object = self.clusters.the(APPLICATION, "app", "argocd")["status"]
        return found


def killed(before: Kept, folder: Path) -> Kept:
    """The world of a new server, after the old one was killed with all of its calls answered."""
    before.clusters.world.vault.commit()
    return Kept(folder)


def test_a_rollout_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Pods that were starting start; nothing is made twice."""

    async def story() -> None:
        before = Kept(tmp_path)
        before.clusters.scale(web=2)
        before.clusters.pass_time(200)
        before.clusters.seoul.create(DEPLOYMENT, deployment(replicas=2))
        before.clusters.pass_time(4)
        pods = {one["metadata"]["name"] for one in before.clusters.pods()}
        after = killed(before, tmp_path)
        after.clusters.aws.groups = before.clusters.aws.groups
        assert after.found
        assert {one["metadata"]["name"] for one in after.clusters.pods()} == pods
        after.clusters.pass_time(30)
        assert after.clusters.the(DEPLOYMENT, "web")["status"]["readyReplicas"] == 2
        assert len(after.clusters.seoul.list(POD)) == 2
        assert len(after.clusters.seoul.list(REPLICA_SET)) == 1
        told = {one["reason"] for one in after.clusters.seoul.list(EVENT)}
        assert {"Scheduled", "Started", "NodeReady"} <= told

    asyncio.run(story())


def test_argo_cd_compares_with_its_last_render_after_a_kill(tmp_path: Path) -> None:
    """An edit of the folder waits for the next poll; drift does not."""

    async def story() -> None:
        before = Kept(tmp_path)
        before.deliver()
        before.clusters.pass_time(6)
        revision = before.application()["sync"]["revision"]
        after = killed(before, tmp_path)
        (after.checkout / "app" / "one.yaml").write_text(MANIFEST.replace("k: v", "k: w"))
        live = after.clusters.the(CONFIG_MAP, "delivered")
        after.clusters.seoul.update(CONFIG_MAP, live | {"data": {"k": "drifted"}})
        after.clusters.pass_time(20)
        assert after.clusters.the(CONFIG_MAP, "delivered")["data"] == {"k": "v"}
        assert after.application()["sync"]["revision"] == revision
        after.clusters.pass_time(120)
        assert after.clusters.the(CONFIG_MAP, "delivered")["data"] == {"k": "w"}

    asyncio.run(story())


def test_a_refresh_that_a_kill_interrupted_is_done(tmp_path: Path) -> None:
    """It was asked for, and its timer had run."""

    async def story() -> None:
        before = Kept(tmp_path)
        before.deliver()
        before.clusters.world.timers.cancel("argocd.work")
        assert before.argo.memory.wanted
        after = killed(before, tmp_path)
        after.clusters.pass_time(2)
        assert after.application()["sync"]["status"] == "Synced"
        assert not after.argo.memory.wanted

    asyncio.run(story())


def test_a_snapshot_puts_a_living_cluster_back(tmp_path: Path) -> None:
    """What came since is gone, and time goes on from there."""

    async def story() -> None:
        kept = Kept(tmp_path)
        kept.deliver()
        kept.clusters.pass_time(6)
        vault = kept.clusters.world.vault
        vault.snapshot("before")
        kept.clusters.seoul.create(CONFIG_MAP, config_map("later"))
        kept.clusters.seoul.delete(APPLICATION, "argocd", "app")
        kept.clusters.pass_time(60)
        vault.restore("before")
        assert kept.clusters.seoul.get(CONFIG_MAP, "default", "later") is None
        assert kept.application()["sync"]["status"] == "Synced"
        reconciled = kept.application()["reconciledAt"]
        kept.clusters.pass_time(130)
        assert kept.application()["reconciledAt"] > reconciled

    asyncio.run(story())
