"""A local world with every stack applied, and the product's view of it."""

import threading
from functools import partial

import cfn
from platform_pipelines.aws import eks
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger import Ledger, connect
from platform_pipelines.provisioning import node_counts, serving
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.converge import Converged, converge
from platform_pipelines.provisioning.outcome import Outcome
from platform_pipelines.provisioning.run import Run
from tests.local_world import LocalWorld


class Built:
    """A local world and the product's view of it."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.platform = world.platform
        self.settings = environments.from_environment(self.platform, world.environment())
        self.aws = Aws(self.platform, self.settings)
        self.told: list[str] = []
        self.ledger: Ledger | None = None

    def find_ledger(self) -> Ledger:
        """The ledger, found once it is there, as the Dagster resource does."""
        self.ledger = self.ledger or connect(self.aws)
        return self.ledger

    def run(self) -> Run:
        return Run(
            platform=self.platform,
            regions=self.aws,
            ledger=self.find_ledger,
            clock=self.settings.clock,
            stop=threading.Event(),
            tell=self.told.append,
        )

    def apply(self) -> dict[str, Outcome]:
        ended: list[Outcome] = []
        apply(self.run(), cfn.units(self.platform), ended.append)
        return {"/".join(one.key): one for one in ended}

    def converge(self) -> Converged:
        run = self.run()
        why_not = partial(serving.why_not, self.platform, self.settings)
        return converge(run, partial(node_counts.ready_nodes, run), why_not)

    def desired(self, alias: str) -> dict[str, int]:
        region = self.aws[alias]
        groups = eks.node_groups(region, self.platform.cluster_name(region.region))
        return {one.name: one.desired for one in groups}
