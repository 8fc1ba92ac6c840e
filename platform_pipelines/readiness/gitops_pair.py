"""An Application as both Regions' own Argo CDs have it, and what a rule can hold against parity.

Names and paths are compared with the Region taken out of them, repositories without what does not
matter in a URL. Used by `gitops` and its rules.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platform_pipelines.kube.argocd import ApplicationState
from platform_pipelines.model import Region
from platform_pipelines.readiness.finding import Unknown
from platform_pipelines.readiness.inventory import NodeGroups

_SCP = re.compile(r"^(?:ssh://)?(?:[^@/]+@)(?P<host>[^:/]+)[:/](?P<path>.+)$")


class State(StrEnum):
    """What can be said of an Application, best first."""

    IN_PARITY = "in_parity"
    STANDBY_EXPECTED = "standby_expected"  # not healthy only because it has no nodes on purpose
    CONVERGING = "converging"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What a rule holds against parity."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """An Application in one Region."""

    region: Region
    application: ApplicationState
    nodes: NodeGroups | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An Application in both Regions."""

    active: Side
    standby: Side
    roles_known: bool  # else `active` is only a name for the first Region
    now: datetime
    fresh: timedelta

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.active, self.standby


def repository(url: str) -> str:
    """A repository's URL without what does not matter: scheme, user, `.git`, letter case of the
    host."""
    text = url.strip().rstrip("/").removesuffix(".git")
    scp = _SCP.match(text)
    if scp and "://" not in text.removeprefix("ssh://"):
        return f"{scp['host'].lower()}/{scp['path'].lstrip('/')}"
    host, _, path = text.rpartition("://")[2].partition("/")
    return f"{host.rpartition('@')[2].lower()}/{path}"


def neutral(text: str, *regions: Region) -> str:
    """A path or a name with the Regions taken out, as `apps/web/overlays/{region}`."""
    for region in regions:
        parts = re.split(r"([/_.-])", text.replace(region.name, "{region}"))
        text = "".join("{region}" if part == region.alias else part for part in parts)
    return text
