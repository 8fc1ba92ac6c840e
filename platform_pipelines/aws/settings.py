"""What the environment says: which world we act on, and who we are. Read when a run starts.

Nothing here has a default that could confuse AWS with the local Regions: without `PLATFORM_TARGET`
and `PLATFORM_CONTROLLER` nothing runs. Called by the Dagster resources, the heartbeat and the demo.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from platform_pipelines import clock as clocks
from platform_pipelines.clock import Clock, RealClock
from platform_pipelines.errors import InvalidEnvironment
from platform_pipelines.model import Platform

EXTERNAL = "external"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Target(StrEnum):
    """The world that a run acts on."""

    AWS = "aws"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One process's view of its environment."""

    target: Target
    controller: str  # a Region's alias, or `external`
    clock: Clock
    local_url: str  # of the local Regions; unused by target aws
    access_key: str | None  # of the local Regions: the account; None with target aws
    dns: tuple[str, int] | None  # a resolver; None is the system's
    service_proxy: str | None  # where the local Regions' load balancers answer

    @property
    def user_agent(self) -> str:
        """Who asks, in every request: CloudTrail and audit logs tell the controllers apart by it."""
        return f"platform-pipelines controller/{self.controller}"


def from_environment(platform: Platform, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment. Raises: InvalidEnvironment."""
    target = _target(environ)
    local = target is Target.LOCAL
    clock = clocks.from_environment(environ)
    if not local:
        _refuse_overrides(environ)
        if not isinstance(clock, RealClock):
            raise InvalidEnvironment(
                clocks.VARIABLE, environ[clocks.VARIABLE], "'real' for target aws"
            )
    return Settings(
        target=target,
        controller=_controller(platform, environ),
        clock=clock,
        local_url=_local_url(environ),
        access_key=_local_account(platform, environ) if local else None,
        dns=_dns(environ),
        service_proxy=f"http://127.0.0.1:{_port(environ, 'LOCAL_SERVICE_PORT', 8080)}"
        if local
        else None,
    )


def _target(environ: Mapping[str, str]) -> Target:
    value = environ.get("PLATFORM_TARGET")
    if value not in list(Target):
        raise InvalidEnvironment("PLATFORM_TARGET", value, "'aws' or 'local'; it has no default")
    return Target(value)


def _controller(platform: Platform, environ: Mapping[str, str]) -> str:
    value = environ.get("PLATFORM_CONTROLLER")
    allowed = [*(region.alias for region in platform.regions), EXTERNAL]
    if value not in allowed:
        names = ", ".join(repr(name) for name in allowed)
        raise InvalidEnvironment("PLATFORM_CONTROLLER", value, f"one of {names}; it has no default")
    return value


def _local_url(environ: Mapping[str, str]) -> str:
    value = environ.get("PLATFORM_LOCAL_URL", "http://127.0.0.1:4566")
    parts = urlsplit(value)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise InvalidEnvironment("PLATFORM_LOCAL_URL", value, "an http address on this machine")
    return value.rstrip("/")


def _local_account(platform: Platform, environ: Mapping[str, str]) -> str:
    """The local Regions take an account id as access key; real credentials are never sent there."""
    key = environ.get("AWS_ACCESS_KEY_ID", "")
    return key if len(key) == 12 and key.isdigit() else platform.account


def _dns(environ: Mapping[str, str]) -> tuple[str, int] | None:
    value = environ.get("PLATFORM_DNS")
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidEnvironment(
            "PLATFORM_DNS", value, "host:port of a resolver, as 127.0.0.1:10053"
        )
    return host, int(port)


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    value = environ.get(variable, str(default))
    if not value.isdigit() or not 1 <= int(value) <= 65535:
        raise InvalidEnvironment(variable, value, "a port from 1 to 65535")
    return int(value)


def _refuse_overrides(environ: Mapping[str, str]) -> None:
    """An endpoint from the environment could send one service's calls somewhere else."""
    for variable in sorted(environ):
        if variable == "AWS_ENDPOINT_URL" or variable.startswith("AWS_ENDPOINT_URL_"):
            allowed = "nothing: unset it, because target aws takes Regional endpoints only"
            raise InvalidEnvironment(variable, environ[variable], allowed)
