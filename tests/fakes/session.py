"""A boto3 session whose clients are fakes, and an `Aws` made of it: the product's own `AwsRegion`
with its endpoint assertion and time limits, and no network."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from platform_pipelines.aws.region import Aws, AwsRegion, Timeouts
from platform_pipelines.aws.settings import Settings, Target
from platform_pipelines.clock import Clock
from platform_pipelines.model import Platform

LOCAL_URL = "http://127.0.0.1:1"  # nothing listens there: a call that is not faked fails at once


class _Events:
    def register(self, *_: object) -> None:
        """Nobody listens to fakes."""


@dataclass
class _Meta:
    endpoint_url: str = LOCAL_URL
    events: _Events = field(default_factory=_Events)


@dataclass
class FakeSession:
    """Hands out the fake of a service in a Region, or a real client where there is none."""

    services: Mapping[tuple[str, str], Any]  # by the Region's AWS name and the service
    real: boto3.Session

    def client(self, service: Any, *, region_name: str, **settings: Any) -> Any:
        fake = self.services.get((region_name, service))
        if fake is None:
            return self.real.client(service, region_name=region_name, **settings)
        fake.meta = _Meta()
        return fake

    def get_credentials(self) -> Any:
        return self.real.get_credentials()


def settings(clock: Clock, controller: str = "external") -> Settings:
    """An environment of the local Regions."""
    return Settings(
        target=Target.LOCAL,
        controller=controller,
        clock=clock,
        local_url=LOCAL_URL,
        access_key="111122223333",
        dns=None,
        service_proxy=None,
    )


def session(services: Mapping[tuple[str, str], Any]) -> FakeSession:
    """A session with these fakes."""
    real = boto3.Session(aws_access_key_id="111122223333", aws_secret_access_key="local")
    return FakeSession(services, real)


def region(platform: Platform, alias: str, clock: Clock, services: Mapping[str, Any]) -> AwsRegion:
    """One Region whose services are fakes."""
    one = platform.region(alias)
    fakes = session({(one.name, name): fake for name, fake in services.items()})
    return AwsRegion(
        region=one,
        settings=settings(clock),
        timeouts=Timeouts(attempts=1),
        session=fakes,  # type: ignore[arg-type]  # it behaves as one
        lock=threading.Lock(),
    )


class FakeAws(Aws):
    """Both Regions with fakes."""

    def __init__(
        self,
        platform: Platform,
        clock: Clock,
        services: Callable[[str], Mapping[str, Any]],  # of a Region's alias
        controller: str = "external",
    ) -> None:
        super().__init__(platform, settings(clock, controller))
        self._regions = {
            one.alias: region(platform, one.alias, clock, services(one.alias))
            for one in platform.regions
        }
