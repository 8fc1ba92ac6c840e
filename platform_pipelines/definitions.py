"""What Dagster loads: the three domains and their resources, merged. No logic.

`platform.yaml` is read here, from PLATFORM_FILE or beside workspace.yaml, so that its mistakes show
as the location's load error. Nothing else of the environment is read before a run starts.
"""

import os
from pathlib import Path

from dagster import Definitions, definitions, in_process_executor

from platform_pipelines.failover import definitions as failover
from platform_pipelines.provisioning import definitions as provisioning
from platform_pipelines.readiness import definitions as readiness
from platform_pipelines.resources import LedgerResource, RegionsResource, platform_of


@definitions
def defs() -> Definitions:
    """The code location. Raises: InvalidPlatformFile."""
    beside = Path(__file__).resolve().parent.parent / "platform.yaml"
    path = os.environ.get("PLATFORM_FILE", str(beside))
    platform = platform_of(path)
    regions = RegionsResource(platform_file=path)
    return Definitions.merge(
        provisioning.build(platform),
        readiness.build(platform),
        failover.build(platform),
        Definitions(
            resources={"regions": regions, "ledger": LedgerResource(regions=regions)},
            executor=in_process_executor,
        ),
    )
