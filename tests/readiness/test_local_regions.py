"""Readiness against the local Regions: built as a user builds them, looked at, then one goes dark."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from dagster import AssetKey, DagsterInstance, Definitions, ExecuteInProcessResult

from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.definitions import defs
from platform_pipelines.ledger import connect
from platform_pipelines.ledger_records import Colour
from platform_pipelines.local import images
from platform_pipelines.local.world import Outage
from platform_pipelines.readiness import checkup
from platform_pipelines.readiness.finding import Severity, Unknown
from platform_pipelines.readiness.gitops_pair import State as Gitops
from platform_pipelines.readiness.image_case import State as Image
from platform_pipelines.readiness.readings import Readings
from platform_pipelines.readiness.replication import Kind
from platform_pipelines.readiness.verdict import Verdict
from tests import local_world
from tests.local_world import ROOT, LocalWorld

SPEED = 60
STEADY = 1800.0  # AWS-like seconds until everything has arrived in the standby
EVERY = 30.0
QUICKLY = 30.0  # real seconds that a look may take with a Region dark


@dataclass(frozen=True)
class Built:
    """A world, and the product's view of it."""

    world: LocalWorld
    definitions: Definitions
    instance: DagsterInstance

    @property
    def aws(self) -> Aws:
        platform = self.world.platform
        settings = environments.from_environment(platform, self.world.environment())
        return Aws(platform, settings)

    def readings(self) -> Readings:
        """A look of its own."""
        aws = self.aws
        return Readings(aws, lambda: connect(aws))

    def look(self) -> Verdict:
        """The verdict of this moment."""
        return checkup.judge(self.readings())

    def run(self, job: str) -> ExecuteInProcessResult:
        """Launch a job as the UI does."""
        found = self.definitions.resolve_job_def(job)
        return found.execute_in_process(instance=self.instance)

    def until_green(self) -> Verdict:
        """The first green verdict; the last one of any colour when it takes too long."""
        clock = self.aws.settings.clock
        end = clock.monotonic() + STEADY
        while (verdict := self.look()).colour is not Colour.GREEN and clock.monotonic() < end:
            clock.sleep(EVERY)
        return verdict


def deliver(world: LocalWorld) -> None:
    """Push the images and apply the Applications, as a user does."""
    images.push_all(world.aws("ecr", world.platform.home), world.platform)
    kubectl = str(Path(sys.executable).with_name("kubectl"))
    for region in world.platform.regions:
        overlay = ROOT / "manifests" / "argocd" / "overlays" / region.alias
        command = [kubectl, "--context", region.alias, "apply", "--server-side", "-k", str(overlay)]
        environment = {**os.environ, "KUBECONFIG": world.ready["kubeconfig"]}
        subprocess.run(command, env=environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A world in quiet times; the tests of this module follow one another."""
    folder = tmp_path_factory.mktemp("readiness")
    with (
        local_world.start(folder, speed=SPEED) as world,
        pytest.MonkeyPatch.context() as patch,
        DagsterInstance.ephemeral() as instance,
    ):
        for name, value in world.environment().items():
            patch.setenv(name, value)
        made = Built(world, defs(), instance)
        assert made.run("apply_infrastructure").success
        deliver(world)
        assert made.run("converge_roles").success
        yield made


def test_a_platform_in_quiet_times_becomes_green(built: Built) -> None:
    """Images are copied, Applications agree, replication runs, the standby has no nodes."""
    verdict = built.until_green()
    assert verdict.reasons == ()
    states = {one.subject: one.state for one in verdict.findings}
    assert states["argocd/peccy-web"] == Gitops.STANDBY_EXPECTED
    assert states["argocd/peccy-app"] == Gitops.STANDBY_EXPECTED
    assert {one.state for one in verdict.findings if one.check == "ecr_image_parity"} == {
        Image.IN_PARITY
    }
    assert all(verdict.rpo[kind] is not None for kind in Kind)


def test_the_job_shows_and_records_the_verdict(built: Built) -> None:
    """All checks pass, and the ledger holds the verdict that failover will read."""
    before = built.aws.settings.clock.now()
    result = built.run("readiness_check")
    checks = result.get_asset_check_evaluations()
    assert len(checks) == 20
    assert [one.check_name for one in checks if not one.passed] == []
    known = connect(built.aws).verdict_before(built.aws.settings.clock.now())
    assert known is not None
    assert (known.colour, known.at >= before) == (Colour.GREEN, True)


def test_one_check_can_be_launched_alone(built: Built) -> None:
    """It reads what it needs by itself: nothing has to be materialized before."""
    key = AssetKey(["readiness", "replication_lag"])
    job = built.definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=built.instance, asset_selection=[key])
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert 0 < cast(float, metadata["efs_pictures_s"].value) < 600
    assert 0 < cast(float, metadata["aurora_peccy_s"].value) < 60


def test_an_image_that_the_standby_lost_is_named(built: Built) -> None:
    """Somebody deletes it in Tokyo; the copy was complete, so it will not come again."""
    ecr = built.world.aws("ecr", "tokyo")
    details = ecr.describe_images(repositoryName="peccy-web")["imageDetails"]
    index = next(one["imageDigest"] for one in details if one.get("imageTags"))
    ecr.batch_delete_image(repositoryName="peccy-web", imageIds=[{"imageDigest": index}])
    bad = [one for one in built.look().findings if one.severity is not Severity.OK]
    assert [one.state for one in bad] == [Image.MISSING]
    assert "in seoul but not in tokyo, although ECR says COMPLETE" in bad[0].reason


@pytest.mark.parametrize("mode", [Outage.HANG, Outage.REFUSE, Outage.ERROR])
def test_a_dark_region_is_unknown_quickly(built: Built, mode: Outage) -> None:
    """However Seoul is dark, the look ends soon, is red, and knows Tokyo's lag all the same."""
    built.world.control.black_out("seoul", mode)
    try:
        readings = built.readings()
        started = time.monotonic()
        verdict = checkup.judge(readings)
        took = time.monotonic() - started
    finally:
        built.world.control.restore("seoul")
    assert took < QUICKLY
    assert verdict.colour is Colour.RED
    assert isinstance(readings.node_groups("seoul"), Unknown)
    assert not isinstance(readings.node_groups("tokyo"), Unknown)
    states = {(one.check, one.subject): one.state for one in verdict.findings}
    assert states["ecr_image_parity", "seoul"] == Image.UNKNOWN
    assert states["argocd_sync_parity", "seoul"] == Gitops.UNKNOWN
    assert verdict.rpo[Kind.EFS] is not None
