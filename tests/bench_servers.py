"""The servers that `make bench` measures: the local Regions, plain ministack, and moto's."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests import local_world

ACCOUNT = "111122223333"
REGION = "ap-northeast-1"
PATIENCE = 30.0  # seconds until a server is given up
MOTO = """
import logging, time
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
while True:
    time.sleep(60)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that runs."""

    name: str
    url: str
    pid: int
    started: float  # seconds from its start until it answered

    def memory(self) -> float:
        """What it has in memory now, in MiB."""
        return memory_of(self.pid)

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service by name
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
            config=Config(s3={"addressing_style": "path"}),
        )


def memory_of(pid: int) -> float:
    """What a process has in memory now, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kibibytes) / 1024


@contextmanager
def all_three(folder: Path) -> Iterator[list[Server]]:
    """Ours, plain ministack, and moto's, until the end of the context."""
    with ExitStack() as stack:
        yield [stack.enter_context(one(folder)) for one in (ours, plain_ministack, moto)]


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """The local Regions, at the speed of the demo."""
    begun = time.perf_counter()
    with local_world.start(folder / "ours", speed=20, strict=False) as world:
        started = time.perf_counter() - begun
        pid = world.process.pid
        yield Server(name="local Regions", url=world.url, pid=pid, started=started)


@contextmanager
def plain_ministack(folder: Path) -> Iterator[Server]:
    """ministack as its makers start it, on loopback and without Docker."""
    port = _free_port()
    command = [sys.executable, "-m", "ministack"]
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "STATE_DIR": str(folder / "ministack"),
        "S3_DATA_DIR": str(folder / "ministack" / "s3"),
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "TMPDIR": str(folder),  # its pid file
    }
    with _running("plain ministack", command, environment, lambda _: port) as server:
        yield server


@contextmanager
def moto(_folder: Path) -> Iterator[Server]:
    """moto's server in a process of its own."""
    command = [sys.executable, "-c", MOTO]
    with _running("moto", command, {}, lambda process: int(_line(process))) as server:
        yield server


@contextmanager
def _running(
    name: str,
    command: list[str],
    environment: dict[str, str],
    port_of: Callable[[subprocess.Popen[str]], int],
) -> Iterator[Server]:
    begun = time.perf_counter()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    process = local_world.launch(command, {**kept, **environment})
    try:
        port = port_of(process)
        _await_port(port, begun + PATIENCE)
        started = time.perf_counter() - begun
        url = f"http://127.0.0.1:{port}"
        yield Server(name=name, url=url, pid=process.pid, started=started)
    finally:
        local_world.end(process)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await_port(port: int, until: float) -> None:
    while True:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.perf_counter() > until:
            raise RuntimeError(f"nothing listens on {port} after {PATIENCE} s")
        time.sleep(0.02)
