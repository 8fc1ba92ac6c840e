"""The world of the local Regions: one object that every part of the server shares.

It holds time, the timers, which Regions are dark, and where each part can be found; it knows no
HTTP. Made by `__main__`, passed as a value to every service, so two worlds can run side by side.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from platform_pipelines.clock import ScaledClock
from platform_pipelines.local.balancer import Balancers
from platform_pipelines.local.durations import Durations
from platform_pipelines.local.timers import Timers
from platform_pipelines.model import Platform, Region

if TYPE_CHECKING:
    from platform_pipelines.local.kube.store import Store


class Outage(StrEnum):
    """How a dark Region treats a call."""

    HANG = "hang"  # accepts the connection and never answers
    REFUSE = "refuse"  # drops the connection
    ERROR = "5xx"  # answers 503 in the service's own protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the world listens, always on 127.0.0.1."""

    aws: int = 4566
    kube: dict[str, int]  # by the Region's alias
    dns: int = 10053
    service: int = 8080


@dataclass
class World:
    """Everything that is not a service's own state."""

    platform: Platform
    state: Path
    ports: Ports
    clock: ScaledClock
    durations: Durations = field(default_factory=Durations)
    checkout: Path = field(default_factory=Path.cwd)  # the git folder that Argo CD follows
    outages: dict[str, Outage] = field(default_factory=dict)  # by the Region's alias
    ca_pem: bytes = b""  # the CA of the clusters' certificates
    stores: dict[str, "Store"] = field(default_factory=dict)  # Kubernetes, by the Region's alias
    timers: Timers = field(init=False)
    balancers: Balancers = field(init=False)

    def __post_init__(self) -> None:
        self.timers = Timers(self.now, self.clock)
        self.balancers = Balancers([region.alias for region in self.platform.regions])

    def now(self) -> float:
        """AWS-like Unix seconds."""
        return self.clock.at(time.time())

    def datetime(self) -> datetime:
        """AWS-like time in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def outage(self, region: Region) -> Outage | None:
        """How this Region is dark, if it is."""
        return self.outages.get(region.alias)

    def region_of(self, aws_name: str) -> Region | None:
        """The platform's Region of an AWS name; None for any other, as the witness or us-east-1."""
        return next((region for region in self.platform.regions if region.name == aws_name), None)
