"""The Argo CD stand-in: Applications follow a folder, and tell what a real Argo CD tells."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube import argocd
from platform_pipelines.local.kube.argocd import ArgoCd
from platform_pipelines.local.kube.argocd.cascade import FINALIZER
from platform_pipelines.local.kube.argocd.policy import SKIP
from platform_pipelines.local.kube.kinds import (
    APP_PROJECT,
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    NAMESPACE,
    SERVICE,
)
from platform_pipelines.local.timers import Timers
from platform_pipelines.local.world import Outage
from platform_pipelines.local.worldclock import Running
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
SPEED = 50.0
PATIENCE = 20  # real seconds
SKIPPED = {SKIP: "true"}
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

    def settle(self) -> None:
        """Let a change be noticed, and everything that follows end."""
        self.pass_time(6)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with what comes due."""
        self.clusters.pass_time(seconds)

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


@pytest.fixture
def world(tmp_path: Path) -> Followed:
    """Argo CD started in both clusters, and nothing followed yet."""
    made = Followed(tmp_path)
    made.start()
    return made


def test_an_application_delivers_its_folder(world: Followed) -> None:
    """Synced to the commit, everything applied, one operation in the history."""
    commit = world.commit()
    world.follow()
    world.settle()
    assert world.status["sync"]["status"] == "Synced"
    assert world.status["sync"]["revision"] == commit
    assert world.status["sync"]["comparedTo"]["source"] == world.application()["spec"]["source"]
    assert world.deployment()["spec"]["replicas"] == 2
    assert world.status["operationState"]["phase"] == "Succeeded"
    assert [one["revision"] for one in world.status["history"]] == [commit]
    assert world.status["sourceType"] == "Kustomize"
    assert world.status["reconciledAt"] > world.application()["metadata"]["creationTimestamp"]
    assert {one["kind"] for one in world.status["resources"]} == {"Deployment", "Service"}


def test_health_follows_the_deployment(world: Followed) -> None:
    """A standby is Progressing, then Degraded; with nodes it becomes Healthy."""
    world.follow()
    world.pass_time(10)
    assert world.status["health"]["status"] == "Progressing"
    assert world.status["summary"]["images"] == ["example.com/web@sha256:1"]
    world.pass_time(11 * MINUTE)
    assert world.status["health"]["status"] == "Degraded"
    assert world.status["health"]["message"] == 'Deployment "web" exceeded its progress deadline'
    world.clusters.scale(web=2)
    world.pass_time(180)
    assert world.status["health"]["status"] == "Healthy"
    assert world.status["sync"]["status"] == "Synced"


def test_every_poll_moves_reconciled_at_and_nothing_else(world: Followed) -> None:
    """A quiet Application is fresh, and its last operation stays the one that changed something."""
    world.commit()
    world.follow()
    world.pass_time(20 * MINUTE)
    before = world.status
    world.pass_time(120)
    after = world.status
    assert after.pop("reconciledAt") > before.pop("reconciledAt")
    assert after == before


def test_an_application_that_is_to_be_skipped_is_left_alone(world: Followed) -> None:
    """No status from the beginning; once the annotation is gone it is followed."""
    source = {"repoURL": "https://git.example/p.git", "path": "manifests/overlay"}
    metadata = {"name": "web", "namespace": "argocd", "annotations": SKIPPED}
    destination = {"server": "https://kubernetes.default.svc", "namespace": "web"}
    spec = {"project": "default", "destination": destination, "source": source}
    world.store.create(
        APPLICATION, {"metadata": metadata, "spec": spec | {"syncPolicy": AUTOMATED}}
    )
    world.pass_time(10 * MINUTE)
    assert "status" not in world.application()
    assert world.store.list(DEPLOYMENT, "web") == []
    world.edit(lambda one: one["metadata"]["annotations"].clear())
    world.settle()
    assert world.status["sync"]["status"] == "Synced"


def test_what_is_skipped_neither_polls_nor_heals_nor_syncs_nor_cascades(world: Followed) -> None:
    """`false` is as good as no annotation; with it everything goes on."""
    world.follow()
    world.settle()
    before = world.status
    world.edit(lambda one: one["metadata"].update(annotations=dict(SKIPPED)))
    scaled = world.deployment()
    scaled["spec"]["replicas"] = 5
    world.store.update(DEPLOYMENT, scaled)
    world.edit(lambda one: one.update(operation={"sync": {}}))
    world.edit(lambda one: one["metadata"].update(finalizers=[FINALIZER]))
    world.store.delete(APPLICATION, "argocd", "web")
    world.pass_time(20 * MINUTE)
    assert world.status == before
    assert world.deployment()["spec"]["replicas"] == 5
    world.edit(lambda one: one["metadata"]["annotations"].update({SKIP: "false"}))
    world.pass_time(20)
    assert world.store.list(APPLICATION) == []
    assert world.store.list(DEPLOYMENT, "web") == []


def test_what_was_skipped_for_longer_than_a_poll_is_refreshed_soon(world: Followed) -> None:
    """Not only with the next poll."""
    world.follow()
    world.settle()
    world.edit(lambda one: one["metadata"].update(annotations=dict(SKIPPED)))
    world.pass_time(10 * MINUTE + 20)
    before = world.status["reconciledAt"]
    world.edit(lambda one: one["metadata"]["annotations"].clear())
    world.pass_time(7)
    assert world.status["reconciledAt"] > before


def test_an_edit_is_a_new_revision_before_it_is_committed(world: Followed) -> None:
    """Clean: the commit. Edited: forty hex digits of its own. The next poll delivers it."""
    commit = world.commit()
    world.follow()
    world.settle()
    world.write("deployment.yaml", DEPLOYMENT_YAML.replace("replicas: 2", "replicas: 3"))
    world.pass_time(122)
    revision = world.status["sync"]["revision"]
    assert revision != commit
    assert len(revision) == 40
    assert set(revision) <= set("0123456789abcdef")
    assert world.deployment()["spec"]["replicas"] == 3
    assert len(world.status["history"]) == 2


def test_two_checkouts_of_the_same_content_have_the_same_revision(tmp_path: Path) -> None:
    """The digest depends on names and bytes alone, so both clusters agree."""
    first, second = tmp_path / "a", tmp_path / "elsewhere" / "b"
    for root in (first, second):
        (root / "manifests").mkdir(parents=True)
        (root / "manifests" / "x.yaml").write_text("a: 1\n")
    revisions = {argocd.Checkout(root).revision("manifests") for root in (first, second)}
    assert len(revisions) == 1
    (second / "manifests" / "y.yaml").write_text("b: 1\n")
    assert argocd.Checkout(second).revision("manifests") not in revisions


def test_a_commit_that_changes_nothing_here_is_synced_without_a_sync(
    world: Followed,
) -> None:
    """sync.revision follows git; the last operation does not."""
    first = world.commit()
    world.follow()
    world.settle()
    second = world.commit()
    world.pass_time(122)
    assert world.status["sync"]["revision"] == second
    assert world.status["operationState"]["syncResult"]["revision"] == first


def test_the_refresh_annotation_is_obeyed_and_taken_away(world: Followed) -> None:
    """`argocd.argoproj.io/refresh: hard` moves reconciledAt before the next poll."""
    world.follow()
    world.pass_time(30)
    before = world.status["reconciledAt"]
    refresh = {"argocd.argoproj.io/refresh": "hard"}
    world.edit(lambda one: one["metadata"].update(annotations=refresh))
    world.settle()
    assert world.status["reconciledAt"] > before
    assert not world.application()["metadata"].get("annotations")


def test_drift_is_healed(world: Followed) -> None:
    """Somebody scales by hand; self-heal undoes it within seconds."""
    world.follow()
    world.pass_time(30)
    world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 0)})
    world.pass_time(4)
    assert world.deployment()["spec"]["replicas"] == 2


def test_without_self_heal_drift_is_told(world: Followed) -> None:
    """OutOfSync, until somebody syncs."""
    world.follow(syncPolicy={"automated": {}})
    world.pass_time(30)
    world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 5)})
    world.pass_time(10)
    assert world.status["sync"]["status"] == "OutOfSync"
    assert world.deployment()["spec"]["replicas"] == 5
    world.edit(lambda one: one.update(operation={"sync": {}}))
    world.settle()
    assert world.status["sync"]["status"] == "Synced"
    assert "operation" not in world.application()


def test_ignored_differences_are_no_drift(world: Followed) -> None:
    """`ignoreDifferences` with RespectIgnoreDifferences: replicas are somebody else's."""
    policy = AUTOMATED | {"syncOptions": ["RespectIgnoreDifferences=true"]}
    rule = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
    world.follow(syncPolicy=policy, ignoreDifferences=[rule])
    world.pass_time(30)
    world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 5)})
    world.pass_time(150)
    assert world.status["sync"]["status"] == "Synced"
    assert world.deployment()["spec"]["replicas"] == 5


def test_what_left_git_is_pruned(world: Followed) -> None:
    """An object and a field: both go."""
    world.follow()
    world.settle()
    labelled = DEPLOYMENT_YAML.replace("{name: web}\n", "{name: web, labels: {a: b}}\n", 1)
    world.write("deployment.yaml", labelled)
    world.pass_time(122)
    assert world.deployment()["metadata"]["labels"] == {"a": "b"}
    world.write("deployment.yaml", DEPLOYMENT_YAML)
    world.kustomize("deployment.yaml")
    world.pass_time(122)
    assert world.store.get(SERVICE, "web", "web") is None
    assert not world.deployment()["metadata"].get("labels")
    assert world.status["sync"]["status"] == "Synced"


def test_without_prune_what_left_git_stays_and_is_out_of_sync(
    world: Followed,
) -> None:
    """`requiresPruning` names it."""
    world.follow(syncPolicy={"automated": {}})
    world.settle()
    world.kustomize("deployment.yaml")
    world.pass_time(122)
    assert world.store.get(SERVICE, "web", "web") is not None
    [extra] = [one for one in world.status["resources"] if one.get("requiresPruning")]
    assert (extra["kind"], extra["status"]) == ("Service", "OutOfSync")
    assert world.status["sync"]["status"] == "OutOfSync"


def test_manifests_that_do_not_render_are_a_comparison_error(
    world: Followed,
) -> None:
    """Sync Unknown, what runs goes on running; corrected, the condition goes."""
    world.follow()
    world.settle()
    world.kustomize("missing.yaml")
    world.pass_time(122)
    assert world.status["sync"]["status"] == "Unknown"
    [condition] = world.status["conditions"]
    assert condition["type"] == "ComparisonError"
    assert "kustomize build manifests/overlay" in condition["message"]
    assert world.deployment()["spec"]["replicas"] == 2
    world.kustomize("deployment.yaml", "service.yaml")
    world.pass_time(122)
    assert world.status["sync"]["status"] == "Synced"
    assert "conditions" not in world.status


@pytest.mark.parametrize("path", ["manifests/elsewhere", "../..", "/etc"])
def test_a_path_outside_of_the_checkout_is_not_read(world: Followed, path: str) -> None:
    """A folder that is not there, or not inside, is a ComparisonError."""
    world.follow(source={"repoURL": "https://x", "path": path, "targetRevision": "main"})
    world.settle()
    assert "app path does not exist" in world.status["conditions"][0]["message"]


def test_a_sync_that_fails_says_why_and_is_tried_again(world: Followed) -> None:
    """The namespace is missing: Failed; it appears: the next poll succeeds."""
    world.store.delete(NAMESPACE, None, "web")
    world.follow()
    world.settle()
    assert world.status["operationState"]["phase"] == "Failed"
    assert world.status["health"]["status"] == "Missing"
    assert world.status["conditions"][0]["type"] == "SyncError"
    assert 'namespaces "web" not found' in world.status["operationState"]["message"]
    world.store.create(NAMESPACE, {"metadata": {"name": "web"}})
    world.pass_time(122)
    assert world.status["operationState"]["phase"] == "Succeeded"
    assert world.status["sync"]["status"] == "Synced"
    assert "conditions" not in world.status


def test_a_namespace_is_made_when_the_application_says_so(world: Followed) -> None:
    """`CreateNamespace=true`."""
    world.store.delete(NAMESPACE, None, "web")
    world.follow(syncPolicy=AUTOMATED | {"syncOptions": ["CreateNamespace=true"]})
    world.settle()
    assert world.status["sync"]["status"] == "Synced"


def test_a_project_that_is_missing_or_narrow_refuses(world: Followed) -> None:
    """InvalidSpecError without the project; with a narrow one only what it lists is delivered."""
    world.follow(project="peccy")
    world.settle()
    assert world.status["conditions"][0]["type"] == "InvalidSpecError"
    assert world.status["sync"]["status"] == "Unknown"
    rules = {
        "sourceRepos": ["https://git.example/*"],
        "destinations": [{"server": "*", "namespace": "web"}],
        "namespaceResourceWhitelist": [{"group": "", "kind": "Service"}],
    }
    metadata = {"name": "peccy", "namespace": "argocd"}
    world.store.create(APP_PROJECT, {"metadata": metadata, "spec": rules})
    world.settle()
    assert world.store.get(SERVICE, "web", "web") is not None
    assert world.store.get(DEPLOYMENT, "web", "web") is None
    assert "not permitted in project peccy" in world.status["operationState"]["message"]


def test_a_dark_region_stands_still(world: Followed) -> None:
    """reconciledAt grows old while dark; afterwards the next poll catches up."""
    world.follow()
    world.settle()
    before = world.status
    world.clusters.black_out("seoul")
    world.write("deployment.yaml", DEPLOYMENT_YAML.replace("replicas: 2", "replicas: 3"))
    world.pass_time(10 * MINUTE)
    assert world.status == before
    world.clusters.bring_back("seoul")
    world.pass_time(122)
    assert world.deployment()["spec"]["replicas"] == 3
    assert world.status["reconciledAt"] > before["reconciledAt"]


def test_a_wedged_controller_says_what_it_said_last(world: Followed) -> None:
    """Synced, with an old reconciledAt; even the refresh annotation stays. It goes on at once."""
    world.follow()
    world.settle()
    before = world.status
    fault = world.clusters.world.faults.add({"kind": "argocd", "region": "seoul"})
    world.write("deployment.yaml", DEPLOYMENT_YAML.replace("replicas: 2", "replicas: 3"))
    refresh = {"argocd.argoproj.io/refresh": "hard"}
    world.edit(lambda one: one["metadata"].update(annotations=refresh))
    world.store.update(DEPLOYMENT, world.deployment() | {"spec": _scaled(world, 0)})
    world.pass_time(10 * MINUTE)
    assert world.status == before
    assert world.application()["metadata"]["annotations"] == refresh
    world.clusters.world.faults.remove(fault.id)
    world.pass_time(2)
    assert world.deployment()["spec"]["replicas"] == 3
    assert "annotations" not in world.application()["metadata"]


def test_the_other_regions_argo_cd_is_not_wedged(world: Followed) -> None:
    """A fault is one Region's."""
    world.clusters.world.faults.add({"kind": "argocd", "region": "ap-northeast-1"})
    world.follow()
    world.settle()
    assert world.status["sync"]["status"] == "Synced"


@pytest.mark.parametrize("mode", [Outage.CONTROL_PLANE, Outage.DATA_PLANE])
def test_without_its_nodes_or_the_api_argo_cd_stands_still(world: Followed, mode: Outage) -> None:
    """It runs on the nodes, and speaks to the API."""
    world.follow()
    world.settle()
    before = world.status
    world.clusters.world.outages["seoul"] = mode
    world.pass_time(5 * MINUTE)
    assert world.status == before


def test_applications_of_other_namespaces_are_not_followed(world: Followed) -> None:
    """As with an Argo CD that was not told of more namespaces."""
    metadata = {"name": "web", "namespace": "web"}
    world.store.create(APPLICATION, {"metadata": metadata, "spec": {"project": "default"}})
    world.pass_time(5 * MINUTE)
    assert "status" not in world.clusters.the(APPLICATION, "web", "web")


def test_while_time_runs_a_render_does_not_stop_the_server(tmp_path: Path) -> None:
    """It runs beside the event loop, and what is asked for meanwhile is done, too."""
    made = Followed(tmp_path)
    running = Running(SPEED)
    made.clusters.world.clock = running
    made.clusters.world.timers = Timers(running)
    turns = 0

    async def main() -> None:
        nonlocal turns
        made.start()
        timers = asyncio.create_task(made.clusters.world.timers.run())
        made.follow()
        async with asyncio.timeout(PATIENCE):
            while "history" not in made.application().get("status", {}):
                turns += 1
                await asyncio.sleep(0.005)
        timers.cancel()
        await made.argo.idle()

    asyncio.run(main())
    assert made.status["sync"]["status"] == "Synced"
    assert turns > 1


def test_a_deleted_application_with_the_finalizer_takes_all_with_it(
    world: Followed,
) -> None:
    """Cascade; what it does not own stays."""
    world.follow()
    finalizers = ["resources-finalizer.argocd.argoproj.io"]
    world.edit(lambda one: one["metadata"].update(finalizers=finalizers))
    world.settle()
    world.store.create(CONFIG_MAP, {"metadata": {"name": "mine", "namespace": "web"}})
    world.store.delete(APPLICATION, "argocd", "web")
    world.settle()
    assert world.application()["metadata"]["deletionTimestamp"]
    world.pass_time(12)
    assert world.store.get(APPLICATION, "argocd", "web") is None
    assert world.store.get(DEPLOYMENT, "web", "web") is None
    assert world.store.get(CONFIG_MAP, "web", "mine") is not None


def test_a_folder_outside_of_git_is_followed_too(world: Followed) -> None:
    """A downloaded copy without `.git` works; so does one whose `.git` vanished."""
    commit = world.commit()
    shutil.rmtree(world.root / ".git")
    world.follow()
    world.settle()
    assert world.status["sync"]["status"] == "Synced"
    assert world.status["sync"]["revision"] != commit


def _scaled(world: Followed, replicas: int) -> Object:
    spec: Object = world.deployment()["spec"]
    return spec | {"replicas": replicas}
