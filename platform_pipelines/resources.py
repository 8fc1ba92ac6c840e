"""The Dagster resources: the Regions and the ledger, made when a run starts, from its environment.

The code location loads without an environment; a run says what to set. `regions` also checks that
the credentials are of the platform's account, and tags the run with its target.
"""

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

from dagster import ConfigurableResource, InitResourceContext, ResourceDependency
from pydantic import PrivateAttr

from platform_pipelines import ledger as ledgers
from platform_pipelines import model
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws, AwsRegion
from platform_pipelines.aws.settings import Settings
from platform_pipelines.clock import Clock
from platform_pipelines.ledger import Ledger
from platform_pipelines.model import Platform


class Closable(Protocol):
    """Something that goes on until it is closed."""

    def close(self) -> None: ...


Closed = TypeVar("Closed", bound=Closable)


@cache
def platform_of(path: str) -> Platform:
    """The platform of a file, read once per process."""
    return model.load(Path(path))


class RegionsResource(ConfigurableResource):  # type: ignore[type-arg]  # its value is itself
    """Both Regions of the platform, as this run's environment reaches them."""

    platform_file: str
    _aws: Aws = PrivateAttr()
    _ends: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        settings = environments.from_environment(self.platform)
        self._aws = Aws(self.platform, settings)
        self._aws.verify_account()
        run = context.run
        if run and context.instance and context.instance.has_run(run.run_id):
            tags = {"target": str(settings.target), "controller": settings.controller}
            context.instance.add_run_tags(run.run_id, tags)

    def teardown_after_execution(self, context: InitResourceContext) -> None:  # noqa: ARG002  # Dagster's signature
        self._ends.close()

    def ends(self, work: Closed) -> Closed:
        """The same, which at the latest the end of the run closes, however the run ends."""
        self._ends.callback(work.close)
        return work

    @property
    def platform(self) -> Platform:
        """What `platform.yaml` declares."""
        return platform_of(self.platform_file)

    @property
    def aws(self) -> Aws:
        """The clients of both Regions."""
        return self._aws

    @property
    def settings(self) -> Settings:
        """What the environment says."""
        return self._aws.settings

    @property
    def clock(self) -> Clock:
        """The time of this run."""
        return self._aws.settings.clock

    def __getitem__(self, alias: str) -> AwsRegion:
        return self._aws[alias]


class LedgerResource(ConfigurableResource):  # type: ignore[type-arg]  # its value is itself
    """The ledger, through a Region that answers."""

    regions: ResourceDependency[RegionsResource]
    _ledger: Ledger | None = PrivateAttr(default=None)

    @property
    def ledger(self) -> Ledger:
        """The ledger; found at the first use, because the first apply runs before there is one.
        Raises: TableUnavailable."""
        if self._ledger is None:
            self._ledger = ledgers.connect(self.regions.aws)
        return self._ledger
