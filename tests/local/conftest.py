"""A world at rest for the local Regions' own parts; running ones come from `tests/conftest.py`."""

from pathlib import Path

import pytest

from platform_pipelines import model
from platform_pipelines.local import ministack
from platform_pipelines.local.world import Ports, World
from platform_pipelines.local.worldclock import Running
from tests.local_world import PLATFORM


@pytest.fixture
def still_world(tmp_path: Path) -> World:
    """A world in which nothing listens and no timer runs; EKS, Route 53 and S3 are empty."""
    platform = model.load(PLATFORM)
    ministack.configure(platform, tmp_path, port=1)
    for name in ("eks", "route53", "s3"):
        ministack.service(name).reset()
    return World(
        platform=platform,
        state=tmp_path,
        ports=Ports(aws=1, kube={"seoul": 2, "tokyo": 3}),
        clock=Running(1.0),
    )
