"""ministack in our process: the base of the local Regions' AWS services.

Its modules read the environment when they are imported, so `configure` runs first, and nothing that
imports ministack may be imported before. Its stores are reached under `scope`, which says whose and
where. All of these are private seams of ministack 1.5.33, which is therefore pinned exactly.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from platform_pipelines.model import Platform

if TYPE_CHECKING:
    from platform_pipelines.local.http import App

T = TypeVar("T")

# What the local Regions use of it. Their stores are kept; all are loaded before time is replaced.
SERVICES = (
    *("autoscaling", "cloudformation", "cloudwatch", "dynamodb", "ec2", "ecr", "efs", "eks", "alb"),
    *("iam", "kms", "cloudwatch_logs", "rds", "route53", "s3", "secretsmanager", "sns", "sqs"),
    *("ssm", "sts"),
)


def configure(platform: Platform, state: Path, port: int) -> None:
    """Tell ministack where and who it is; loopback only, no Docker, no listeners of its own."""
    data = state.absolute() / "ministack"
    os.environ.update(
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=platform.account,
        MINISTACK_REGION=platform.home_region.name,
        STATE_DIR=str(data),
        S3_DATA_DIR=str(data / "s3"),
        PERSIST_STATE="0",
        S3_PERSIST="0",
        DOCKER_HOST=f"unix://{data}/no-docker.sock",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        AUTH="false",
        LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING"),
    )


def load() -> "App":
    """ministack's ASGI app, bound to the running event loop; `configure` comes before."""
    from ministack import app

    vars(app)["_MAIN_LOOP"] = asyncio.get_running_loop()
    entry: App = app.app
    return entry


def service(name: str) -> ModuleType:
    """A service's module, as `route53`, with the stores that ministack itself uses."""
    from ministack import app

    module: ModuleType = app._get_module(name)
    return module


def use_clock(now: Callable[[], float]) -> None:
    """Have ministack go by this time (AWS-like Unix seconds), but for signatures and tokens."""
    from platform_pipelines.local import ministack_clock

    for name in SERVICES:
        service(name)
    ministack_clock.follow(now)


@contextmanager
def scope(account: str, region: str) -> Iterator[None]:
    """Reach ministack's stores as this account in this Region (an AWS name)."""
    from ministack.core.responses import request_scope

    with request_scope(account, region):
        yield
