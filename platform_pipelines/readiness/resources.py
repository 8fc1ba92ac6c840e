"""The Dagster resource that lets the checks of one run share what was read.

With the in-process executor a resource is made for a run and lives as long: nothing is passed
between assets, so each can be launched alone, and nothing is kept on a disk.
"""

import threading

from dagster import ConfigurableResource
from pydantic import PrivateAttr

from platform_pipelines.readiness.readings import Readings
from platform_pipelines.resources import LedgerResource, RegionsResource


class ReadingsResource(ConfigurableResource):  # type: ignore[type-arg]  # its value is itself
    """The inventories that this run has read."""

    _readings: Readings | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def of(self, regions: RegionsResource, ledger: LedgerResource) -> Readings:
        """The readings of this run, through the run's own clients."""
        with self._lock:
            if self._readings is None:
                self._readings = Readings(regions.aws, lambda: ledger.ledger)
            return self._readings
