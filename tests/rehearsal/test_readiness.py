"""Readiness of the platform as it was built: looked at in quiet times, then with a Region dark."""

import time
from dataclasses import dataclass
from typing import cast

import pytest
from dagster import AssetKey

from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger import connect
from platform_pipelines.ledger_records import Colour
from platform_pipelines.local.world import Outage
from platform_pipelines.readiness import checkup
from platform_pipelines.readiness.finding import Severity, Unknown
from platform_pipelines.readiness.gitops_pair import State as Gitops
from platform_pipelines.readiness.image_case import State as Image
from platform_pipelines.readiness.readings import Readings
from platform_pipelines.readiness.replication import Kind
from platform_pipelines.readiness.verdict import Verdict
from tests.local_world import LocalWorld
from tests.rehearsal.virtual import Rehearsal

QUICKLY = 30.0  # real seconds that a look may take with a Region dark


@dataclass(frozen=True)
class Quiet:
    """The platform in quiet times, and the product's view of it."""

    rehearsal: Rehearsal

    @property
    def world(self) -> LocalWorld:
        return self.rehearsal.world

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


@pytest.fixture(scope="module")
def quiet(rehearsal: Rehearsal) -> Quiet:
    """Nothing has happened since the platform was built; the tests of this module follow one another."""
    return Quiet(rehearsal)


def test_a_platform_in_quiet_times_becomes_green(quiet: Quiet) -> None:
    """Images are copied, Applications agree, replication runs, the standby has no nodes."""
    verdict = quiet.look()
    assert verdict.reasons == ()
    states = {one.subject: one.state for one in verdict.findings}
    assert states["argocd/peccy-web"] == Gitops.STANDBY_EXPECTED
    assert states["argocd/peccy-app"] == Gitops.STANDBY_EXPECTED
    assert {one.state for one in verdict.findings if one.check == "ecr_image_parity"} == {
        Image.IN_PARITY
    }
    assert all(verdict.rpo[kind] is not None for kind in Kind)


def test_the_job_shows_and_records_the_verdict(quiet: Quiet) -> None:
    """All checks pass, and the ledger holds the verdict that failover will read."""
    before = quiet.rehearsal.clock.now()
    quiet.rehearsal.clock.sleep(60)
    result = quiet.rehearsal.run("readiness_check")
    checks = result.get_asset_check_evaluations()
    assert len(checks) == 20
    assert [one.check_name for one in checks if not one.passed] == []
    known = connect(quiet.aws).verdict_before(quiet.aws.settings.clock.now())
    assert known is not None
    assert (known.colour, known.at > before) == (Colour.GREEN, True)


def test_one_check_can_be_launched_alone(quiet: Quiet) -> None:
    """It reads what it needs by itself: nothing has to be materialized before."""
    key = AssetKey(["readiness", "replication_lag"])
    job = quiet.rehearsal.repository.get_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=quiet.rehearsal.instance, asset_selection=[key])
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert 0 < cast(float, metadata["efs_pictures_s"].value) < 600
    assert 0 < cast(float, metadata["aurora_peccy_s"].value) < 60


def test_an_image_that_the_standby_lost_is_named(quiet: Quiet) -> None:
    """Somebody deletes it in Tokyo; the copy was complete, so it will not come again."""
    ecr = quiet.world.aws("ecr", "tokyo")
    details = ecr.describe_images(repositoryName="peccy-web")["imageDetails"]
    index = next(one["imageDigest"] for one in details if one.get("imageTags"))
    ecr.batch_delete_image(repositoryName="peccy-web", imageIds=[{"imageDigest": index}])
    bad = [one for one in quiet.look().findings if one.severity is not Severity.OK]
    assert [one.state for one in bad] == [Image.MISSING]
    assert "in seoul but not in tokyo, although ECR says COMPLETE" in bad[0].reason


@pytest.mark.parametrize("mode", [Outage.HANG, Outage.REFUSE, Outage.ERROR])
def test_a_dark_region_is_unknown_quickly(quiet: Quiet, mode: Outage) -> None:
    """However Seoul is dark, the look ends soon, is red, and knows Tokyo's lag all the same."""
    quiet.world.control.black_out("seoul", mode)
    try:
        readings = quiet.readings()
        started = time.monotonic()
        verdict = checkup.judge(readings)
        took = time.monotonic() - started
    finally:
        quiet.world.control.restore("seoul")
    assert took < QUICKLY
    assert verdict.colour is Colour.RED
    assert isinstance(readings.node_groups("seoul"), Unknown)
    assert not isinstance(readings.node_groups("tokyo"), Unknown)
    states = {(one.check, one.subject): one.state for one in verdict.findings}
    assert states["ecr_image_parity", "seoul"] == Image.UNKNOWN
    assert states["argocd_sync_parity", "seoul"] == Gitops.UNKNOWN
    assert verdict.rpo[Kind.EFS] is not None
