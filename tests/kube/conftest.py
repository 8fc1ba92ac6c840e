"""A cluster's API over TLS, and the Region whose EKS names it."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines import model
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.kube.cluster import Cluster, Limits, connect
from platform_pipelines.model import Platform
from tests.fakes import kube, session
from tests.fakes.clock import FakeClock
from tests.fakes.kube import FakeKube

ROOT = Path(__file__).parent.parent.parent
NAME = "peccy-seoul"
QUICK = Limits(connect=0.5, read=0.3)


class ResourceNotFoundException(Exception):
    """EKS has no such cluster."""


class _Exceptions:
    ResourceNotFoundException = ResourceNotFoundException


class FakeEks:
    """An EKS that knows one cluster."""

    exceptions = _Exceptions
    meta: Any

    def __init__(self, endpoint: str | None, ca: bytes, status: str = "ACTIVE") -> None:
        self.endpoint, self.ca, self.status = endpoint, ca, status

    def describe_cluster(self, name: str) -> dict[str, Any]:
        if name != NAME:
            raise ResourceNotFoundException(name)
        found: dict[str, Any] = {"status": self.status, "version": "1.36"}
        if self.endpoint:
            data = base64.b64encode(self.ca).decode()
            found |= {"endpoint": self.endpoint, "certificateAuthority": {"data": data}}
        return {"cluster": found}


@pytest.fixture(scope="session")
def platform() -> Platform:
    """Peccy's platform."""
    return model.load(ROOT / "platform.yaml")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeKube]:
    """The Kubernetes API of Seoul's cluster."""
    with kube.serve(tmp_path) as fake:
        yield fake


@pytest.fixture
def seoul(platform: Platform) -> Callable[[FakeEks], AwsRegion]:
    """Makes Seoul with an EKS of the test's choice."""
    return lambda eks: session.region(platform, "seoul", FakeClock(), {"eks": eks})


@pytest.fixture
def cluster(api: FakeKube, seoul: Callable[[FakeEks], AwsRegion]) -> Cluster:
    """Seoul's cluster, connected."""
    return connect(seoul(FakeEks(api.endpoint, api.ca_pem)), NAME, QUICK)
