"""What one run has read: each inventory of each Region at most once, whoever asks first.

Checks of one run share it, and a check that is launched alone reads what it needs. A read that
fails becomes `Unknown`. Each Region is asked a short question at STS first: one that is silent to
it and to a first read is not asked again in this run, so that a dark Region costs seconds.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from botocore.exceptions import ClientError

from platform_pipelines.aws import ecr
from platform_pipelines.aws.ecr import CopyState
from platform_pipelines.aws.region import PROBE, Aws, AwsError, AwsRegion, Timeouts
from platform_pipelines.errors import PlatformError
from platform_pipelines.kube import argocd, workloads
from platform_pipelines.kube.argocd import ApplicationState
from platform_pipelines.kube.cluster import Cluster, connect
from platform_pipelines.kube.workloads import TemplateState
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import Roles
from platform_pipelines.readiness import inventory
from platform_pipelines.readiness.finding import Unknown
from platform_pipelines.readiness.references import ImageName, Reference, references

T = TypeVar("T")
LEDGER = "ledger"
TIMEOUTS = Timeouts(attempts=2)
GREETING = Timeouts(connect=1.5, read=1.5, attempts=2)


class Readings:
    """The inventories of both Regions, as one run reads them. Thread-safe."""

    def __init__(self, aws: Aws, ledger: Callable[[], Ledger]) -> None:
        self.platform = aws.platform
        self.clock = aws.settings.clock
        self._ledger = ledger
        self._regions = {region.alias: region for region in iter(aws)}
        self._read: dict[tuple[str, str], Any] = {}
        self._locks: dict[tuple[str, str], threading.RLock] = {}
        self._lock = threading.Lock()
        self._silent: dict[str, str] = {}

    def roles(self) -> Roles | Unknown | None:
        """Who is active, as the ledger says; None before the first apply."""
        return self._once((LEDGER, "roles"), self._roles)

    def ecr_images(self, alias: str) -> inventory.Images | Unknown:
        """The images that pod templates of either Region name, as this Region's registry has
        them. The other Region's templates count as far as they can be read."""
        return self._of(alias, "ecr_images", self._images)

    def argocd_applications(self, alias: str) -> tuple[ApplicationState, ...] | Unknown:
        """Argo CD's Applications."""
        return self._of(
            alias,
            "argocd_applications",
            lambda region: tuple(argocd.applications(self._cluster(region))),
        )

    def efs_file_systems(self, alias: str) -> tuple[inventory.FileSystem, ...] | Unknown:
        """The platform's file systems."""
        return self._of(
            alias,
            "efs_file_systems",
            lambda region: inventory.file_systems(region, self.platform, self.clock.now()),
        )

    def aurora_clusters(self, alias: str) -> tuple[inventory.Database, ...] | Unknown:
        """The platform's databases."""
        return self._of(
            alias,
            "aurora_clusters",
            lambda region: inventory.databases(region, self.platform, self.clock.now()),
        )

    def node_groups(self, alias: str) -> inventory.NodeGroups | Unknown:
        """Node groups, nodes and pods."""
        return self._of(
            alias,
            "node_groups",
            lambda region: inventory.node_groups(region, self._cluster(region)),
        )

    def templates(self, alias: str) -> tuple[TemplateState, ...] | Unknown:
        """The pod templates."""
        return self._of(
            alias,
            "pod templates",
            lambda region: tuple(workloads.templates(self._cluster(region))),
        )

    def everything(self) -> list[object]:
        """Every inventory of both Regions."""
        reads = (
            self.ecr_images,
            self.argocd_applications,
            self.efs_file_systems,
            self.aurora_clusters,
            self.node_groups,
        )
        return [found for read in reads for found in self.both(read).values()]

    def both(self, read: Callable[[str], T]) -> dict[str, T]:
        """One inventory of both Regions, read in parallel."""
        aliases = list(self._regions)
        found = self.clock.gather([partial(read, alias) for alias in aliases])
        return dict(zip(aliases, found, strict=True))

    def copy_state(self, alias: str, repository: str, digest: str) -> CopyState | Unknown | None:
        """How far the copy of an image from this Region to the other one is."""
        destination = self.platform.other(alias).name
        return self._of(
            alias,
            f"replication of {repository}@{digest}",
            lambda region: ecr.copy_state(region, repository, digest, destination),
        )

    def _images(self, region: AwsRegion) -> inventory.Images:
        own = self._references(region.alias)
        if isinstance(own, Unknown):
            raise Unread(own)
        other = self._references(self.platform.other(region.alias).alias)
        named: Iterable[Reference] = own if isinstance(other, Unknown) else [*own, *other]
        return inventory.images(region, self.clock, own, self._ours(named))

    def _ours(self, named: Iterable[Reference]) -> set[ImageName]:
        account = self.platform.account
        return {one.name for one in named if one.registry and one.registry[0] == account}

    def _references(self, alias: str) -> tuple[Reference, ...] | Unknown:
        templates = self.templates(alias)
        return templates if isinstance(templates, Unknown) else references(templates)

    def _cluster(self, region: AwsRegion) -> Cluster:
        name = self.platform.cluster_name(region.region)
        found = self._of(region.alias, "EKS cluster", lambda one: connect(one, name))
        if isinstance(found, Unknown):
            raise Unread(found)
        return found

    def _roles(self) -> Roles | Unknown | None:
        try:
            return self._ledger().roles()
        except PlatformError as error:
            return Unknown(region=LEDGER, what="roles", reason=str(error))

    def _of(self, alias: str, what: str, look: Callable[[AwsRegion], T]) -> T | Unknown:
        return self._once((alias, what), lambda: self._try(alias, what, look))

    def _try(self, alias: str, what: str, look: Callable[[AwsRegion], T]) -> T | Unknown:
        region = self._once((alias, "greeting"), lambda: self._greet(alias))
        if alias in self._silent:
            return Unknown(region=alias, what=what, reason=self._silent[alias])
        try:
            return look(region)
        except Unread as error:
            return replace(error.unknown, what=what)
        except (*AwsError, PlatformError) as error:
            if region.timeouts is PROBE and not isinstance(error, ClientError):
                self._silent[alias] = f"the Region does not answer ({error})"
            return Unknown(region=alias, what=what, reason=str(error))

    def _greet(self, alias: str) -> AwsRegion:
        """The Region with time limits to match its first impression."""
        region = self._regions[alias]
        try:
            replace(region, timeouts=GREETING).sts.get_caller_identity()
        except AwsError as error:
            if not isinstance(error, ClientError):
                return replace(region, timeouts=PROBE)
        return replace(region, timeouts=TIMEOUTS)

    def _once(self, key: tuple[str, str], read: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            if key not in self._read:
                self._read[key] = read()
            return cast(T, self._read[key])


class Unread(PlatformError):
    """What a reading needs could not be read either."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(str(unknown))
        self.unknown = unknown
