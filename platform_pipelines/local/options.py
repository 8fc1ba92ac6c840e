"""What the command line and the environment say to the local Regions' server.

Anything wrong is one line on stderr and exit status 2; a port that is taken too. Port 0 lets the
system choose, which tests use; the ready line tells the choice.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml
from pydantic import ValidationError

from platform_pipelines import model
from platform_pipelines.errors import InvalidPlatformFile, Refused
from platform_pipelines.local.durations import Durations
from platform_pipelines.local.world import Ports
from platform_pipelines.model import Platform

DEFAULT_SPEED = 20.0
FASTEST = 1000.0
FIRST_KUBE_PORT = 6443  # the Regions' clusters follow each other
DEFAULT_PORTS = Ports(kube={})


@dataclass
class BadOption(Refused):
    """An option or a variable that we do not take."""

    option: str
    value: object
    allowed: str

    def __str__(self) -> str:
        return f"{self.option}: {self.value!r}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One server's settings."""

    platform: Platform
    file: Path  # the platform's file
    checkout: Path  # the git folder that the local Argo CDs follow
    state: Path
    speed: float
    virtual: bool
    strict: bool
    durations: Durations
    reset: bool
    ports: Ports


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def read(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """The settings. Raises: BadOption, InvalidPlatformFile; SystemExit as argparse does."""
    args = _parser(environ).parse_args(argv)
    if not 0 < args.speed <= FASTEST:
        raise BadOption("--speed", args.speed, f"above 0, up to {FASTEST:g}")
    platform = model.load(args.platform)
    return Options(
        platform=platform,
        file=args.platform.absolute(),
        checkout=args.platform.absolute().parent,
        state=args.state,
        speed=args.speed,
        virtual=args.clock == "virtual",
        strict=args.validate,
        durations=_durations(args.durations) if args.durations else Durations(),
        reset=args.reset,
        ports=_ports(platform, environ),
    )


def one_line(error: Exception) -> str:
    """An error of several lines as one; the command line promises that."""
    if isinstance(error, InvalidPlatformFile):
        return f"{error.path}: {'; '.join(error.mistakes)}"
    return " ".join(str(error).split())


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m platform_pipelines.local",
        description="Two AWS Regions and their Kubernetes clusters on this machine.",
    )
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder for all files")
    parser.add_argument(
        "--speed", type=float, default=DEFAULT_SPEED, help="AWS-like seconds per real second"
    )
    parser.add_argument(
        "--clock",
        choices=["real", "virtual"],
        default="real",
        help="virtual: time stands still until POST /_local/clock/advance",
    )
    parser.add_argument(
        "--validate",
        action="store_true",
        help="check every answer against botocore's model; see violations.jsonl in the folder",
    )
    parser.add_argument("--durations", type=Path, help="YAML file of how long transitions take")
    parser.add_argument("--reset", action="store_true", help="forget the folder's earlier world")
    default = Path(environ.get("PLATFORM_FILE", "platform.yaml"))
    parser.add_argument("--platform", type=Path, default=default, help="the platform's file")
    return parser


def _durations(path: Path) -> Durations:
    try:
        content = yaml.safe_load(path.read_text())
        return Durations.model_validate(content or {})
    except OSError as error:
        raise BadOption("--durations", str(path), f"a readable file ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadOption("--durations", str(path), "a YAML file of durations") from None
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise BadOption("--durations", str(path), "; ".join(told)) from None


def _ports(platform: Platform, environ: Mapping[str, str]) -> Ports:
    return Ports(
        aws=_port(environ, "LOCAL_AWS_PORT", DEFAULT_PORTS.aws),
        kube={
            region.alias: _port(environ, kube_variable(region.alias), FIRST_KUBE_PORT + i)
            for i, region in enumerate(platform.regions)
        },
        dns=_port(environ, "LOCAL_DNS_PORT", DEFAULT_PORTS.dns),
        service=_port(environ, "LOCAL_SERVICE_PORT", DEFAULT_PORTS.service),
    )


def kube_variable(alias: str) -> str:
    """The variable of a cluster's port: LOCAL_KUBE_SEOUL_PORT."""
    return f"LOCAL_KUBE_{alias.upper().replace('-', '_')}_PORT"


def variables(ports: Ports) -> dict[str, str]:
    """The ports as the environment says them: what `read` would read."""
    kube = {kube_variable(alias): str(port) for alias, port in ports.kube.items()}
    return {
        "LOCAL_AWS_PORT": str(ports.aws),
        "LOCAL_DNS_PORT": str(ports.dns),
        "LOCAL_SERVICE_PORT": str(ports.service),
        **kube,
    }


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    value = environ.get(variable, str(default))
    if not (value.isdecimal() and int(value) <= 65535):
        raise BadOption(variable, value, "a port up to 65535, or 0 for any that is free")
    return int(value)
