"""The whole product in one process on local Regions whose time stands still.

Jobs run as Dagster runs them, with their real resources; the heartbeats and the sensor are threads
that take part in virtual time, so every run of a rehearsal takes the same AWS-like time.
"""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, SensorResult, build_sensor_context

from platform_pipelines import definitions, model
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws, Timeouts
from platform_pipelines.clock import Stopped
from platform_pipelines.failover.heartbeat import beat_for_ever
from platform_pipelines.ledger import Ledger
from platform_pipelines.local import images
from platform_pipelines.local.stage import program
from platform_pipelines.local.world import Outage
from platform_pipelines.virtual_clock import VirtualClock
from tests import local_world
from tests.local_world import ROOT, LocalWorld

QUIET = 90.0  # seconds before the outage in which nothing happens
PATIENCE = 3600.0  # seconds in which the sensor must have asked for a run


@contextmanager
def rehearsing(folder: Path, *, strict: bool = True) -> Iterator["Rehearsal"]:
    """A new world whose time stands still, and the product on it; nothing is built yet."""
    with (
        local_world.start(folder / "local", virtual=True, strict=strict) as world,
        acting_on(world, folder) as made,
    ):
        yield made


@contextmanager
def acting_on(world: LocalWorld, folder: Path) -> Iterator["Rehearsal"]:
    """The product on a world, with a Dagster and a folder of its own."""
    shutil.copy(world.platform_file, folder)
    with pytest.MonkeyPatch.context() as patch, DagsterInstance.ephemeral() as instance:
        for name, value in world.environment().items():
            patch.setenv(name, value)
        patch.setenv("PLATFORM_FILE", str(folder / world.platform_file.name))
        yield Rehearsal(world=world, instance=instance, folder=folder)


@dataclass
class Rehearsal:
    """A world, and the product on it."""

    world: LocalWorld
    instance: DagsterInstance
    folder: Path  # where platform.yaml and the reports are
    during: Callable[[str], AbstractContextManager[object]] = nullcontext  # around each job
    repository: Any = field(init=False)  # what Dagster loads

    def __post_init__(self) -> None:
        self.repository = definitions.defs().get_repository_def()

    @property
    def clock(self) -> VirtualClock:
        """The world's time, which this process drives."""
        return VirtualClock.of(self.world.url)

    def run(
        self, job: str, config: dict[str, Any] | None = None, **tags: str
    ) -> ExecuteInProcessResult:
        """Run a job; its failure is the test's."""
        found = self.repository.get_job(job)
        with self.clock.taking_part(), self.during(job):
            done: ExecuteInProcessResult = found.execute_in_process(
                run_config=config, instance=self.instance, tags=tags
            )
        assert done.success
        return done

    def build(self) -> None:
        """Infrastructure, images, GitOps, roles and readiness, as a user would."""
        self.run("apply_infrastructure")
        platform = self.world.platform
        images.push_all(self.world.aws("ecr", platform.home), platform)
        for region in platform.regions:
            overlay = ROOT / "manifests" / "argocd" / "overlays" / region.alias
            apply = ["apply", "--server-side", "-k", str(overlay)]
            kubectl = [str(program("kubectl")), "--kubeconfig", self.world.ready["kubeconfig"]]
            subprocess.run(
                [*kubectl, "--context", region.alias, *apply], check=True, capture_output=True
            )
        self.clock.sleep(300)
        self.run("converge_roles")
        self.clock.sleep(900)
        self.run("readiness_check")

    def lose_home(self, mode: Outage = Outage.REFUSE) -> dict[str, Any]:
        """Lose the active Region, and have the sensor fail over; the report."""
        stop = threading.Event()
        platform = self.world.platform

        def scenario() -> None:
            try:
                self.clock.sleep(QUIET)
                self.world.control.black_out(platform.home, mode)
                self._watch()
            finally:
                stop.set()

        beats = [self._beats(region.alias, stop) for region in platform.regions]
        self.clock.gather([scenario, *beats], stop)
        (report,) = (self.folder / ".local" / "reports").glob("inc-*.json")
        found: dict[str, Any] = json.loads(report.read_text())
        report.unlink()
        return found

    def _watch(self) -> None:
        """What the Dagster daemon does: tick the sensor, run what it asks for."""
        sensor = self.repository.get_sensor_def("region_outage_sensor")
        cursor: str | None = None
        end = self.clock.monotonic() + PATIENCE
        while self.clock.monotonic() < end:
            with build_sensor_context(
                instance=self.instance, cursor=cursor, repository_def=self.repository
            ) as context:
                ticked = sensor(context)
            assert isinstance(ticked, SensorResult), ticked
            cursor = ticked.cursor
            for request in ticked.run_requests or []:
                self.run("region_failover", dict(request.run_config), **dict(request.tags))
                return
            self.clock.sleep(1)
        raise AssertionError(f"no failover was asked for: {ticked.skip_reason}")

    def _beats(self, alias: str, stop: threading.Event) -> Callable[[], None]:
        """A Region's heartbeat, which runs inside of it."""
        platform = model.load(self.folder / "platform.yaml")
        environment = self.world.environment(alias)
        settings = environments.from_environment(platform, environment)
        region = Aws(platform, settings, Timeouts(attempts=1))[alias]

        def beat() -> None:
            try:
                ledger = Ledger(region, platform, settings.clock)
                beat_for_ever(ledger, alias, settings.clock, stop)
            except Stopped:
                return

        return beat
