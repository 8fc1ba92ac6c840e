"""A world that goes through several servers: the same folder, the same ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platform_pipelines.local.options import kube_variable
from tests import local_world
from tests.local_world import LocalWorld


def same_ports(world: LocalWorld) -> dict[str, str]:
    """The ports of a world, for the next server."""
    ready = world.ready
    clusters = {kube_variable(alias): _port(url) for alias, url in ready["clusters"].items()}
    return {
        "LOCAL_AWS_PORT": _port(ready["aws"]),
        "LOCAL_DNS_PORT": _port(f"udp://{ready['dns']}"),
        "LOCAL_SERVICE_PORT": _port(ready["services"]),
        **clusters,
    }


def _port(url: str) -> str:
    return str(urlsplit(url).port)


def kill(world: LocalWorld) -> None:
    """SIGKILL: the server can do nothing about it."""
    world.process.kill()
    world.process.wait()


@dataclass(kw_only=True)
class Survivor:
    """A world that goes through several servers."""

    folder: Path
    ports: dict[str, str] = field(default_factory=lambda: dict(local_world.ANY_PORT))

    @contextmanager
    def server(self, **settings: Any) -> Iterator[LocalWorld]:
        """The next server; the same ports once there was one."""
        settings = {"virtual": True, **settings}
        with local_world.start(self.folder, ports=self.ports, **settings) as world:
            self.ports = same_ports(world)
            yield world
            kill(world)
