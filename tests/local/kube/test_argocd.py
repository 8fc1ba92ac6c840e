"""The Argo CD stand-in: Applications follow a folder, and tell what a real Argo CD tells."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube import argocd
from platform_pipelines.local.kube.argocd import ArgoCd
from platform_pipelines.local.kube.kinds import (
    APP_PROJECT,
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    NAMESPACE,
    SERVICE,
)
from tests.local.kube.hand_world import MINUTE, Clusters, Object

DEPLOYMENT_YAML = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {role: web}
      tolerations: [{key: role, value: web, effect: NoSchedule}]
      containers: [{name: main, image: "example.com/web@sha256:1"}]
"""
SERVICE_YAML = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
AUTOMATED = {"automated": {"prune": True, "selfHeal": True}}


class Followed:
    """Seoul with its controllers and its Argo CD, and a folder that a test edits."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.overlay = self.root / "manifests" / "overlay"
        self.overlay.mkdir(parents=True)
        self.clusters = Clusters(root)
        self.store = self.clusters.seoul
        self.argo: ArgoCd
        self.write("deployment.yaml", DEPLOYMENT_YAML)
        self.write("service.yaml", SERVICE_YAML)
        self.kustomize("deployment.yaml", "service.yaml")

    def write(self, name: str, text: str) -> None:
        """Edit a file of the folder."""
        (self.overlay / name).write_text(text)

    def kustomize(self, *resources: str) -> None:
        """Say which files are delivered."""
        self.write("kustomization.yaml", f"namespace: web\nresources: [{', '.join(resources)}]\n")

    def git(self, *arguments: str) -> str:
        """Run git in the checkout."""
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything; returns the commit."""
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def start(self) -> None:
        """Begin the controllers and Argo CD."""
        self.clusters.start()
        self.argo = argocd.start(self.clusters.world, self.root)["seoul"]
        self.store.create(NAMESPACE, {"metadata": {"name": "argocd"}})
        self.store.create(NAMESPACE, {"metadata": {"name": "web"}})

    def follow(self, **more: Any) -> None:
        """Create the Application."""
        source = {
            "repoURL": "https://git.example/platform.git",
            "path": "manifests/overlay",
            "targetRevision": "main",
        }
        spec = {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"},
            "source": source,
            "syncPolicy": AUTOMATED,
        }
        metadata = {"name": "web", "namespace": "argocd"}
        self.store.create(APPLICATION, {"metadata": metadata, "spec": spec | more})

    async def settle(self) -> None:
        """Let a change be noticed, and everything that follows end."""
        await self.pass_time(6)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, with what comes due."""
        for _ in range(max(1, int(seconds // 2))):
            self.clusters.pass_time(min(2, seconds))
            await self.argo.idle()
        self.clusters.settle()

    def application(self) -> Object:
        """The Application as it is now."""
        return self.clusters.the(APPLICATION, "web", "argocd")

    def edit(self, change: Callable[[Object], None]) -> None:
        """Change the Application."""
        application = self.application()
        change(application)
        self.store.update(APPLICATION, application)

    @property
    def status(self) -> Object:
        """What the Application tells."""
        found: Object = self.application()["status"]
        return found

    def deployment(self) -> Object:
        """What was delivered."""
        return self.clusters.the(DEPLOYMENT, "web", "web")


Story = Callable[[Followed], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story on an event loop, with Argo CD started and nothing followed yet."""

    @asynccontextmanager
    async def followed() -> AsyncIterator[Followed]:
        made = Followed(tmp_path)
        made.start()
        yield made
        await made.argo.idle()

    def run(story: Story) -> None:
        async def main() -> None:
            async with followed() as made:
                await story(made)

        asyncio.run(main())

    return run


def test_an_application_delivers_its_folder(play: Callable[[Story], None]) -> None:
    """Synced to the commit, everything applied, one operation in the history."""

    async def story(world: Followed) -> None:
        commit = world.commit()
        world.follow()
        await world.settle()
        assert world.status["sync"]["status"] == "Synced"
        assert world.status["sync"]["revision"] == commit
        assert world.status["sync"]["comparedTo"]["source"] == world.application()["spec"]["source"]
        assert world.deployment()["spec"]["replicas"] == 2
        assert world.status["operationState"]["phase"] == "Succeeded"
        assert [one["revision"] for one in world.status["history"]] == [commit]
        assert world.status["sourceType"] == "Kustomize"
        assert world.status["reconciledAt"] > world.application()["metadata"]["creationTimestamp"]
        assert {one["kind"] for one in world.status["resources"]} == {"Deployment", "Service"}

    play(story)


def test_health_follows_the_deployment(play: Callable[[Story], None]) -> None:
    """A standby is Progressing, then Degraded; with nodes it becomes Healthy."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.pass_time(10)
        assert world.status["health"]["status"] == "Progressing"
        assert world.status["summary"]["images"] == ["example.com/web@sha256:1"]
        await world.pass_time(11 * MINUTE)
        assert world.status["health"]["status"] == "Degraded"
        assert (
            world.status["health"]["message"] == 'Deployment "web" exceeded its progress deadline'
        )
        world.clusters.scale(web=2)
        await world.pass_time(180)
        assert world.status["health"]["status"] == "Healthy"
        assert world.status["sync"]["status"] == "Synced"

    play(story)


def test_every_poll_moves_reconciled_at_and_nothing_else(play: Callable[[Story], None]) -> None:
    """A quiet Application is fresh, and its last operation stays the one that changed something."""

    async def story(world: Followed) -> None:
        world.commit()
        world.follow()
        await world.pass_time(20 * MINUTE)
        before = world.status
        await world.pass_time(120)
        after = world.status
        assert after.pop("reconciledAt") > before.pop("reconciledAt")
        assert after == before

    play(story)


def test_an_edit_is_a_new_revision_before_it_is_committed(play: Callable[[Story], None]) -> None:
    """Clean: the commit. Edited: forty hex digits of its own. The next poll delivers it."""

    async def story(world: Followed) -> None:
        commit = world.commit()
        world.follow()
        await world.settle()
        world.write("deployment.yaml", DEPLOYMENT_YAML.replace("replicas: 2", "replicas: 3"))
        await world.pass_time(122)
        revision = world.status["sync"]["revision"]
        assert revision != commit
        assert len(revision) == 40
        assert set(revision) <= set("0123456789abcdef")
        assert world.deployment()["spec"]["replicas"] == 3
        assert len(world.status["history"]) == 2

    play(story)


def test_two_checkouts_of_the_same_content_have_the_same_revision(tmp_path: Path) -> None:
    """The digest depends on names and bytes alone, so both clusters agree."""
    first, second = tmp_path / "a", tmp_path / "elsewhere" / "b"
    for root in (first, second):
        (root / "manifests").mkdir(parents=True)
        (root / "manifests" / "x.yaml").write_text("a: 1\n")
    revisions = {
        asyncio.run(argocd.Checkout(root).revision("manifests")) for root in (first, second)
    }
    assert len(revisions) == 1
    (second / "manifests" / "y.yaml").write_text("b: 1\n")
    assert asyncio.run(argocd.Checkout(second).revision("manifests")) not in revisions


def test_a_commit_that_changes_nothing_here_is_synced_without_a_sync(
    play: Callable[[Story], None],
) -> None:
    """sync.revision follows git; the last operation does not."""

    async def story(world: Followed) -> None:
        first = world.commit()
        world.follow()
        await world.settle()
        second = world.commit()
        await world.pass_time(122)
        assert world.status["sync"]["revision"] == second
        assert world.status["operationState"]["syncResult"]["revision"] == first

    play(story)


def test_the_refresh_annotation_is_obeyed_and_taken_away(play: Callable[[Story], None]) -> None:
    """`argocd.argoproj.io/refresh: hard` moves reconciledAt before the next poll."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.pass_time(30)
        before = world.status["reconciledAt"]
        refresh = {"argocd.argoproj.io/refresh": "hard"}
        world.edit(lambda one: one["metadata"].update(annotations=refresh))
        await world.settle()
        assert world.status["reconciledAt"] > before
        assert not world.application()["metadata"].get("annotations")

    play(story)


def test_drift_is_healed(play: Callable[[Story], None]) -> None:
    """Somebody scales by hand; self-heal undoes it within seconds."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.pass_time(30)
        world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 0)})
        await world.pass_time(4)
        assert world.deployment()["spec"]["replicas"] == 2

    play(story)


def test_without_self_heal_drift_is_told(play: Callable[[Story], None]) -> None:
    """OutOfSync, until somebody syncs."""

    async def story(world: Followed) -> None:
        world.follow(syncPolicy={"automated": {}})
        await world.pass_time(30)
        world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 5)})
        await world.pass_time(10)
        assert world.status["sync"]["status"] == "OutOfSync"
        assert world.deployment()["spec"]["replicas"] == 5
        world.edit(lambda one: one.update(operation={"sync": {}}))
        await world.settle()
        assert world.status["sync"]["status"] == "Synced"
        assert "operation" not in world.application()

    play(story)


def test_ignored_differences_are_no_drift(play: Callable[[Story], None]) -> None:
    """`ignoreDifferences` with RespectIgnoreDifferences: replicas are somebody else's."""

    async def story(world: Followed) -> None:
        policy = AUTOMATED | {"syncOptions": ["RespectIgnoreDifferences=true"]}
        rule = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
        world.follow(syncPolicy=policy, ignoreDifferences=[rule])
        await world.pass_time(30)
        world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 5)})
        await world.pass_time(150)
        assert world.status["sync"]["status"] == "Synced"
        assert world.deployment()["spec"]["replicas"] == 5

    play(story)


def test_what_left_git_is_pruned(play: Callable[[Story], None]) -> None:
    """An object and a field: both go."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.settle()
        labelled = DEPLOYMENT_YAML.replace("{name: web}\n", "{name: web, labels: {a: b}}\n", 1)
        world.write("deployment.yaml", labelled)
        await world.pass_time(122)
        assert world.deployment()["metadata"]["labels"] == {"a": "b"}
        world.write("deployment.yaml", DEPLOYMENT_YAML)
        world.kustomize("deployment.yaml")
        await world.pass_time(122)
        assert world.store.get(SERVICE, "web", "web") is None
        assert not world.deployment()["metadata"].get("labels")
        assert world.status["sync"]["status"] == "Synced"

    play(story)


def test_without_prune_what_left_git_stays_and_is_out_of_sync(
    play: Callable[[Story], None],
) -> None:
    """`requiresPruning` names it."""

    async def story(world: Followed) -> None:
        world.follow(syncPolicy={"automated": {}})
        await world.settle()
        world.kustomize("deployment.yaml")
        await world.pass_time(122)
        assert world.store.get(SERVICE, "web", "web") is not None
        [extra] = [one for one in world.status["resources"] if one.get("requiresPruning")]
        assert (extra["kind"], extra["status"]) == ("Service", "OutOfSync")
        assert world.status["sync"]["status"] == "OutOfSync"

    play(story)


def test_manifests_that_do_not_render_are_a_comparison_error(
    play: Callable[[Story], None],
) -> None:
    """Sync Unknown, what runs goes on running; corrected, the condition goes."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.settle()
        world.kustomize("missing.yaml")
        await world.pass_time(122)
        assert world.status["sync"]["status"] == "Unknown"
        [condition] = world.status["conditions"]
        assert condition["type"] == "ComparisonError"
        assert "kustomize build manifests/overlay" in condition["message"]
        assert world.deployment()["spec"]["replicas"] == 2
        world.kustomize("deployment.yaml", "service.yaml")
        await world.pass_time(122)
        assert world.status["sync"]["status"] == "Synced"
        assert "conditions" not in world.status

    play(story)


@pytest.mark.parametrize("path", ["manifests/elsewhere", "../..", "/etc"])
def test_a_path_outside_of_the_checkout_is_not_read(
    play: Callable[[Story], None], path: str
) -> None:
    """A folder that is not there, or not inside, is a ComparisonError."""

    async def story(world: Followed) -> None:
        world.follow(source={"repoURL": "https://x", "path": path, "targetRevision": "main"})
        await world.settle()
        assert "app path does not exist" in world.status["conditions"][0]["message"]

    play(story)


def test_a_sync_that_fails_says_why_and_is_tried_again(play: Callable[[Story], None]) -> None:
    """The namespace is missing: Failed; it appears: the next poll succeeds."""

    async def story(world: Followed) -> None:
        world.store.delete(NAMESPACE, None, "web")
        world.follow()
        await world.settle()
        assert world.status["operationState"]["phase"] == "Failed"
        assert world.status["health"]["status"] == "Missing"
        assert world.status["conditions"][0]["type"] == "SyncError"
        assert 'namespaces "web" not found' in world.status["operationState"]["message"]
        world.store.create(NAMESPACE, {"metadata": {"name": "web"}})
        await world.pass_time(122)
        assert world.status["operationState"]["phase"] == "Succeeded"
        assert world.status["sync"]["status"] == "Synced"
        assert "conditions" not in world.status

    play(story)


def test_a_namespace_is_made_when_the_application_says_so(play: Callable[[Story], None]) -> None:
    """`CreateNamespace=true`."""

    async def story(world: Followed) -> None:
        world.store.delete(NAMESPACE, None, "web")
        world.follow(syncPolicy=AUTOMATED | {"syncOptions": ["CreateNamespace=true"]})
        await world.settle()
        assert world.status["sync"]["status"] == "Synced"

    play(story)


def test_a_project_that_is_missing_or_narrow_refuses(play: Callable[[Story], None]) -> None:
    """InvalidSpecError without the project; with a narrow one only what it lists is delivered."""

    async def story(world: Followed) -> None:
        world.follow(project="peccy")
        await world.settle()
        assert world.status["conditions"][0]["type"] == "InvalidSpecError"
        assert world.status["sync"]["status"] == "Unknown"
        rules = {
            "sourceRepos": ["https://git.example/*"],
            "destinations": [{"server": "*", "namespace": "web"}],
            "namespaceResourceWhitelist": [{"group": "", "kind": "Service"}],
        }
        metadata = {"name": "peccy", "namespace": "argocd"}
        world.store.create(APP_PROJECT, {"metadata": metadata, "spec": rules})
        await world.settle()
        assert world.store.get(SERVICE, "web", "web") is not None
        assert world.store.get(DEPLOYMENT, "web", "web") is None
        assert "not permitted in project peccy" in world.status["operationState"]["message"]

    play(story)


def test_a_dark_region_stands_still(play: Callable[[Story], None]) -> None:
    """reconciledAt grows old while dark; afterwards the next poll catches up."""

    async def story(world: Followed) -> None:
        world.follow()
        await world.settle()
        before = world.status
        world.clusters.black_out("seoul")
        world.write("deployment.yaml", DEPLOYMENT_YAML.replace("replicas: 2", "replicas: 3"))
        await world.pass_time(10 * MINUTE)
        assert world.status == before
        world.clusters.bring_back("seoul")
        await world.pass_time(122)
        assert world.deployment()["spec"]["replicas"] == 3
        assert world.status["reconciledAt"] > before["reconciledAt"]

    play(story)


def test_a_deleted_application_with_the_finalizer_takes_all_with_it(
    play: Callable[[Story], None],
) -> None:
    """Cascade; what it does not own stays."""

    async def story(world: Followed) -> None:
        world.follow()
        finalizers = ["resources-finalizer.argocd.argoproj.io"]
        world.edit(lambda one: one["metadata"].update(finalizers=finalizers))
        await world.settle()
        world.store.create(CONFIG_MAP, {"metadata": {"name": "mine", "namespace": "web"}})
        world.store.delete(APPLICATION, "argocd", "web")
        await world.settle()
        assert world.application()["metadata"]["deletionTimestamp"]
        await world.pass_time(12)
        assert world.store.get(APPLICATION, "argocd", "web") is None
        assert world.store.get(DEPLOYMENT, "web", "web") is None
        assert world.store.get(CONFIG_MAP, "web", "mine") is not None

    play(story)


def test_a_folder_outside_of_git_is_followed_too(play: Callable[[Story], None]) -> None:
    """A downloaded copy without `.git` works; so does one whose `.git` vanished."""

    async def story(world: Followed) -> None:
        commit = world.commit()
        shutil.rmtree(world.root / ".git")
        world.follow()
        await world.settle()
        assert world.status["sync"]["status"] == "Synced"
        assert world.status["sync"]["revision"] != commit

    play(story)


def _scaled(world: Followed, replicas: int) -> Object:
    spec: Object = world.deployment()["spec"]
    return spec | {"replicas": replicas}
