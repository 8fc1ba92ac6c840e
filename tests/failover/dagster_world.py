"""The failover domain as Dagster runs it, with the resources of a fake world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import Definitions, ResourceDefinition, in_process_executor

from platform_pipelines.failover.definitions import build
from platform_pipelines.ledger import Ledger
from tests.fakes.failover_world import World


@dataclass
class Regions:
    """What the resource `regions` gives."""

    world: World
    platform_file: str

    @property
    def platform(self) -> Any:
        return self.world.platform

    @property
    def aws(self) -> Any:
        return self.world.aws()

    @property
    def clock(self) -> Any:
        return self.world.clock

    @property
    def settings(self) -> Any:
        return self.world.aws().settings


@dataclass
class LedgerOf:
    """What the resource `ledger` gives."""

    world: World

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger()


def definitions(world: World, folder: Path) -> Definitions:
    """Failover as the root merges it, over the fake world; reports go below `folder`."""
    regions = Regions(world, str(folder / "platform.yaml"))
    resources = {
        "regions": ResourceDefinition.hardcoded_resource(regions),
        "ledger": ResourceDefinition.hardcoded_resource(LedgerOf(world)),
    }
    rest = Definitions(resources=resources, executor=in_process_executor)
    return Definitions.merge(build(world.platform), rest)
