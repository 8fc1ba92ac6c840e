"""The platform as `platform.yaml` describes it: frozen objects, read once, valid by construction.

Everything else takes a `Platform` and never reads the file or the environment. `load` reports all
mistakes of a file at once, each with its path in the file, its value, and what is allowed.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from platform_pipelines import model_rules
from platform_pipelines.errors import InvalidPlatformFile, UnknownRegion

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SECONDS = (3600, 60, 1)


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError("a duration like 30s, 20m, 26h or 1h30m")
    return sum(
        (
            timedelta(seconds=int(part) * unit)
            for part, unit in zip(match.groups(), _SECONDS, strict=True)
            if part
        ),
        timedelta(),
    )


Duration = Annotated[timedelta, BeforeValidator(_duration)]
# RDS takes no identifier with two hyphens in a row.
_WORDS = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=_WORDS, min_length=2, max_length=32)]
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
Host = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
]


class Strategy(StrEnum):
    """How a failover orders its steps."""

    SEQUENCE = "sequence"


class Approval(StrEnum):
    """When a failover waits for a person."""

    NEVER = "never"
    WHEN_UNSAFE = "when_unsafe"
    ALWAYS = "always"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Region(_Record):
    """One of the two Regions."""

    alias: Name = Field(description="our own short name, as `seoul`")
    name: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="the AWS name")
    cidr: str = Field(description="the VPC's IPv4 range, /16 to /20")
    zones: tuple[str, ...] = Field(min_length=3, max_length=3, description="three zone names")


class NodeGroup(_Record):
    """A managed node group; counts are absolute, per role of the Region."""

    name: Name
    instance_types: tuple[InstanceType, ...] = Field(
        min_length=1, max_length=20, description="the first that has capacity is taken"
    )
    active: int = Field(ge=0, le=450, description="nodes when the Region is active")
    standby: int = Field(ge=0, le=450, description="nodes when the Region is standby")
    maximum: int = Field(ge=1, le=450, description="nodes that an autoscaler may reach")


class Verification(_Record):
    """A business transaction: POST `body` to `path` gives 201 with an `id`; GET and DELETE
    `path/<id>` read it back and remove it."""

    path: str = Field(pattern=r"^/[^\s?#]*$")
    body: dict[str, Any]


class Source(_Record):
    """Where a service's code is: its pipeline starts at each push to the branch."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="<owner>/<name>")
    branch: str = Field("main", pattern=r"^[\w./-]+$")


class Service(_Record):
    """A service that runs in both Regions and that clients reach by one host name."""

    name: Name
    repository: str = Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$", description="in ECR")
    node_group: Name
    host: Host = Field(max_length=64, description="the common name of its certificates")
    health_path: str = Field(pattern=r"^/[^\s?#]*$")
    verify: Verification | None = None
    source: Source | None = Field(None, description="without it, no pipeline builds the service")

    def regional_host(self, region: "Region") -> str:
        """The name by which only this Region's load balancer answers."""
        return f"{region.alias}.{self.host}"


class FileSystem(_Record):
    """An EFS file system; one in each Region, replicated from the active one."""

    name: Name


class Database(_Record):
    """An Aurora MySQL global cluster with a DB cluster in each Region."""

    name: Name
    engine_version: str = Field(pattern=r"^8\.0\.mysql_aurora\.\d+\.\d+\.\d+$")
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    instances: dict[str, Annotated[int, Field(ge=2, le=15)]] = Field(
        description="per Region, never by role"
    )


class Born(StrEnum):
    """How a DB cluster came into its global cluster; only the first has credentials."""

    FIRST = "first"
    JOINED = "joined"


class Member(_Record):
    """A Region's DB cluster in a global cluster: how often it was built, and how it came in."""

    generation: int = Field(1, ge=1)
    born: Born


class ClusterAccess(_Record):
    """Who reaches the clusters' API, beside what runs in the VPC."""

    networks: tuple[str, ...] = Field(
        min_length=1, max_length=40, description="IPv4 ranges of the public endpoint"
    )
    administrators: tuple[
        Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:(role|user)/[\w+=,.@/-]+$")], ...
    ] = Field(min_length=1, description="IAM principals")


class Control(_Record):
    """The PostgreSQL of Dagster; one in each Region, never global."""

    engine_version: str = Field(pattern=r"^\d+\.\d+$")
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    storage_gib: int = Field(20, ge=20, le=16384)


class Slack(_Record):
    """The channel that hears of alarms and pipelines; AWS is let into its workspace by hand."""

    workspace: str = Field(pattern=r"^[0-9A-Z]{1,255}$", description="its id, as T0123ABCDE")
    channel: str = Field(pattern=r"^[A-Za-z0-9]{1,256}$", description="its id, as C0123ABCDE")


class Alerts(_Record):
    """Who hears of trouble."""

    slack: Slack | None = None


class InfrastructurePolicy(_Record):
    """When a change of the stacks needs a person's word on a plan."""

    approval: Approval = Field(
        Approval.WHEN_UNSAFE,
        description="when_unsafe: something is removed or replaced",
    )


class Objective(_Record):
    """What a scenario may cost."""

    rpo: Duration
    rto: Duration


class Objectives(_Record):
    """One objective per scenario."""

    zone_down: Objective
    region_down: Objective


class ApprovalLag(_Record):
    """Lag at T0 up to which a failover needs no person."""

    efs: Duration = timedelta(minutes=20)
    aurora: Duration = timedelta(seconds=60)


def _at_least(seconds: int) -> Any:
    return Field(ge=timedelta(seconds=seconds))


class FailoverPolicy(_Record):
    """When and how a Region is failed over."""

    strategy: Strategy = Strategy.SEQUENCE
    approval: Approval = Approval.WHEN_UNSAFE
    approval_lag: ApprovalLag = ApprovalLag()
    interval: Annotated[Duration, _at_least(1)] = Field(
        timedelta(seconds=5), description="between looks while all is up"
    )
    look_timeout: Annotated[Duration, _at_least(1), Field(le=timedelta(seconds=10))] = Field(
        timedelta(seconds=2), description="real seconds; a look ends within"
    )
    hold: Annotated[Duration, _at_least(10)] = Field(
        timedelta(seconds=30), description="how long an outage must be seen"
    )
    looks: int = Field(3, ge=1, le=100, description="and by how many looks")
    heartbeat_dead: Annotated[Duration, _at_least(30)] = Field(
        timedelta(seconds=60), description="a heartbeat beats every 10 s"
    )
    cooldown: Duration = timedelta(minutes=60)
    lease_dead: Annotated[Duration, _at_least(10)] = timedelta(seconds=30)
    attempts: int = Field(5, ge=1, le=20)
    maintenance: bool = False


class ReadinessPolicy(_Record):
    """Thresholds of the readiness checks."""

    verdict_age: Duration = Field(timedelta(hours=26), description="an older verdict is unknown")
    argocd_fresh: Duration = Field(
        timedelta(minutes=6), description="since Argo CD last reconciled"
    )


class Platform(_Record):
    """Everything a team declares about its platform."""

    platform: Annotated[str, Field(pattern=_WORDS, min_length=2, max_length=20)]
    account: str = Field(pattern=r"^\d{12}$", description="twelve digits, quoted")
    domain: Host
    home: str
    witness: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    regions: tuple[Region, ...] = Field(min_length=2, max_length=2)
    kubernetes_version: str = Field(pattern=r"^1\.\d\d$")
    addons: dict[str, Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+-eksbuild\.\d+$")]] = Field(
        description="the version of each add-on of the clusters"
    )
    cluster_access: ClusterAccess
    control: Control
    alerts: Alerts = Alerts()
    infrastructure: InfrastructurePolicy = InfrastructurePolicy()
    node_groups: tuple[NodeGroup, ...] = Field(min_length=1)
    services: tuple[Service, ...] = Field(min_length=1)
    file_systems: tuple[FileSystem, ...] = ()
    databases: tuple[Database, ...] = ()
    objectives: Objectives
    failover: FailoverPolicy = FailoverPolicy()
    readiness: ReadinessPolicy = ReadinessPolicy()
    # By (database, alias). No setting of the file: the ledger has it, `rebuilt` puts it in.
    members: dict[tuple[str, str], Member] = Field(default={}, exclude=True)

    @cached_property
    def home_region(self) -> Region:
        """The Region where the `once` stacks live."""
        return self.region(self.home)

    def region(self, name: str) -> Region:
        """The Region of this alias or AWS name. Raises: UnknownRegion."""
        for region in self.regions:
            if name in (region.alias, region.name):
                return region
        raise UnknownRegion(name, tuple(region.alias for region in self.regions))

    def other(self, name: str) -> Region:
        """The Region that is not `name`. Raises: UnknownRegion."""
        known = self.region(name)
        return next(region for region in self.regions if region != known)

    def member(self, database: Database, region: Region) -> Member:
        """A Region's DB cluster; as long as nothing was rebuilt, the one in home was first."""
        born = Born.FIRST if region.alias == self.home else Born.JOINED
        return self.members.get((database.name, region.alias), Member(born=born))

    def rebuilt(self, members: Mapping[tuple[str, str], Member]) -> "Platform":
        """This platform with what the ledger records of its DB clusters, by (database, alias)."""
        return self.model_copy(update={"members": {**self.members, **members}})

    # Names in AWS: predictable, so that no value has to cross Regions to be known.

    def stack_name(self, stack: str) -> str:
        """`<platform>-<stack>`; CloudFormation takes no underscore."""
        return f"{self.platform}-{stack}".replace("_", "-")

    def cluster_name(self, region: Region) -> str:
        """The EKS cluster of a Region."""
        return f"{self.platform}-{region.alias}"

    def db_cluster_id(self, database: Database, region: Region) -> str:
        """Aurora's identifiers must differ between the members of a global cluster, and between
        a cluster and the one that took its place."""
        generation = self.member(database, region).generation
        again = f"-g{generation}" if generation > 1 else ""
        return f"{self.platform}-{database.name}-{region.alias}{again}"

    def global_cluster_id(self, database: Database) -> str:
        """The global cluster of a database."""
        return f"{self.platform}-{database.name}"

    def file_system_name(self, file_system: FileSystem) -> str:
        """The `Name` tag, equal in both Regions, by which a file system is found."""
        return f"{self.platform}-{file_system.name}"

    def traffic_bucket(self, region: Region) -> str:
        """The bucket whose object `serving` says that the non-home Region serves."""
        return f"{self.platform}-traffic-{self.account}-{region.name}"

    def control_bucket(self, region: Region) -> str:
        """The bucket of Dagster's logs, of reports, and of templates too large for a call."""
        return f"{self.platform}-control-{self.account}-{region.name}"

    def artifacts_bucket(self, region: Region) -> str:
        """The bucket through which a pipeline's stages hand over."""
        return f"{self.platform}-artifacts-{self.account}-{region.name}"

    def pipeline_name(self, service: Service) -> str:
        """A service's pipeline, equal in both Regions."""
        return f"{self.platform}-{service.name}"

    def role_name(self, role: str, region: Region) -> str:
        """An IAM role that only one Region's controllers take; IAM knows no Regions."""
        return f"{self.platform}-{role}-{region.alias}"

    def registry_host(self, region: Region) -> str:
        """The Region's own ECR registry, as image names begin."""
        return f"{self.account}.dkr.ecr.{region.name}.amazonaws.com"

    @property
    def ledger_table(self) -> str:
        """The DynamoDB global table of roles, leases, heartbeats and incidents."""
        return f"{self.platform}-ledger"

    def signal_host(self, region: Region) -> str:
        """The TXT record that carries the checkers' verdict on a Region."""
        return f"signal-{region.alias}.{self.domain}"


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _mistake(error: ErrorDetails) -> str:
    path, message = _path(error["loc"]), error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{path}: is missing; it is required"
    if error["type"] == "extra_forbidden":
        return f"{path}: {error['input']!r} is no setting of ours; remove it or correct its name"
    return f"{path}: {error['input']!r}; allowed: {message}"


def parse(text: str, path: str = "platform.yaml") -> Platform:
    """The platform that a YAML text describes. Raises: InvalidPlatformFile with every mistake."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidPlatformFile(path, [f"it is not YAML: {error}"]) from None
    if not isinstance(data, dict):
        raise InvalidPlatformFile(path, [f"it holds {type(data).__name__}; allowed: a mapping"])
    mistakes = model_rules.mistakes(data)
    try:
        platform = Platform.model_validate(data)
    except ValidationError as error:
        mistakes = [_mistake(item) for item in error.errors()] + mistakes
    if mistakes:
        raise InvalidPlatformFile(path, mistakes)
    return platform


def load(path: Path) -> Platform:
    """Read a platform file. Raises: InvalidPlatformFile."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        what = "there is no such file; create it, or name another with PLATFORM_FILE"
        raise InvalidPlatformFile(str(path), [what]) from None
    except OSError as error:
        raise InvalidPlatformFile(str(path), [f"it cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise InvalidPlatformFile(str(path), ["it is not UTF-8 text"]) from None
    return parse(text, str(path))
