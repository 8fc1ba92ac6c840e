from collections.abc import Mapping
from pathlib import Path

import pytest
from dagster import (
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
    DefaultScheduleStatus,
    Definitions,
    InitResourceContext,
    build_schedule_context,
    in_process_executor,
)

from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Failed
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Platform
from platform_pipelines.readiness.definitions import build
from platform_pipelines.readiness.schedules import nightly_readiness
from platform_pipelines.resources import LedgerResource, RegionsResource
from tests.fakes.clock import FakeClock
from tests.fakes.session import FakeAws
from tests.readiness.builders import PLATFORM, ROLES

FILE = str(Path(__file__).parent.parent.parent / "platform.yaml")
LOCAL = {"PLATFORM_TARGET": "local", "PLATFORM_CONTROLLER": "seoul"}


class DarkRegions(RegionsResource):
    """Both Regions refuse every connection."""

    def setup_for_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002  # Dagster's
        self._aws = FakeAws(PLATFORM, FakeClock(), lambda _: {})


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """Readiness as the root loads it, over two dark Regions."""
    regions = DarkRegions(platform_file=FILE)
    resources = {"regions": regions, "ledger": LedgerResource(regions=regions)}
    root = Definitions(resources=resources, executor=in_process_executor)
    return Definitions.merge(build(PLATFORM), root)


def test_readiness_loads_and_its_names_are_those_that_users_know(definitions: Definitions) -> None:
    """Inventories of both Regions, four checks, one job, one schedule that runs by itself."""
    Definitions.validate_loadable(definitions)
    keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    inventories = (
        "ecr_images",
        "argocd_applications",
        "efs_file_systems",
        "aurora_clusters",
        "node_groups",
    )
    checks = ("ecr_image_parity", "argocd_sync_parity", "replication_lag", "dr_readiness")
    assert keys >= {f"{alias}/{name}" for alias in ("seoul", "tokyo") for name in inventories}
    assert keys >= {f"readiness/{name}" for name in checks}
    schedule = definitions.resolve_schedule_def("nightly_readiness")
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.execution_timezone == "Asia/Seoul"
    assert schedule.default_status is DefaultScheduleStatus.RUNNING


def test_lineage_leads_from_the_stacks_to_the_verdict(definitions: Definitions) -> None:
    """Both Regions' stacks, their inventories, parity and lag, then one verdict."""
    graph = definitions.resolve_asset_graph()
    verdict = AssetKey(["readiness", "dr_readiness"])
    above = {key.to_user_string() for key in graph.get_ancestor_asset_keys(verdict)}
    stacks = {f"{alias}/{name}" for alias in ("seoul", "tokyo") for name in ("registry", "files")}
    assert above > stacks | {"readiness/replication_lag", "tokyo/node_groups"}


def test_with_both_regions_dark_the_job_ends_red_and_crashes_nowhere(
    definitions: Definitions,
) -> None:
    """Every asset is there, and says that it does not know."""
    with DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("readiness_check")
        result = job.execute_in_process(instance=instance)
    checks = {
        (one.asset_key.to_user_string(), one.check_name): one
        for one in result.get_asset_check_evaluations()
    }
    assert result.success
    assert not checks["seoul/ecr_images", "could_read"].passed
    assert not checks["readiness/replication_lag", "lag_known"].passed
    verdict = checks["readiness/dr_readiness", "is_green"]
    assert (verdict.passed, verdict.severity) == (False, AssetCheckSeverity.ERROR)
    assert not checks["readiness/dr_readiness", "is_recorded"].passed


def evaluate(environ: Mapping[str, str], roles: Roles | Failed | None) -> str | None:
    """Why the schedule skips; None when it requests a run."""

    def ask(platform: Platform, settings: Settings) -> Roles | None:
        if isinstance(roles, Failed):
            raise roles
        return roles

    tick = nightly_readiness(PLATFORM, ask, environ)
    data = tick.evaluate_tick(build_schedule_context())
    assert bool(data.run_requests) is (data.skip_message is None)
    return data.skip_message


def test_the_active_regions_controller_skips_the_night() -> None:
    """It says whose turn it is."""
    reason = evaluate(LOCAL, ROLES)
    assert reason == "seoul is active; the controller of tokyo looks at readiness"


@pytest.mark.parametrize("controller", ["tokyo", "external"])
def test_the_standbys_and_an_external_controller_look(controller: str) -> None:
    """They would have to take over, or stand outside both."""
    assert evaluate({**LOCAL, "PLATFORM_CONTROLLER": controller}, ROLES) is None


@pytest.mark.parametrize("roles", [None, Failed("the table is dark")])
def test_without_known_roles_every_controller_looks(roles: Failed | None) -> None:
    """An extra look does no harm, and says that there are no roles."""
    assert evaluate(LOCAL, roles) is None


def test_without_a_target_the_schedule_skips_and_says_what_to_set() -> None:
    """A code location that was started without an environment shows it every night."""
    assert "PLATFORM_TARGET is not set" in (evaluate({}, ROLES) or "")
