"""Both Regions and the ledger as fakes, with the product's own `AwsRegion` in front of them."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3

import cfn
from platform_pipelines import model
from platform_pipelines.aws.dynamodb import Table, TableUnavailable
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.aws.settings import Settings, Target
from platform_pipelines.ledger_records import Incident, IncidentState, Roles
from platform_pipelines.ledger_stacks import StackRecords
from platform_pipelines.model import Approval, InfrastructurePolicy, Platform
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.converge import Converged, converge
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.plan import plan
from platform_pipelines.provisioning.planned import Plan
from platform_pipelines.provisioning.run import Run
from tests.fakes.calls import Wire, client_error
from tests.fakes.clock import FakeClock
from tests.fakes.cloudformation import FakeCloudFormation
from tests.fakes.codepipeline import FakeCodePipeline
from tests.fakes.data import Databases, FakeEfs, FakeEks, FakeRds, FakeS3, Files, Group
from tests.fakes.dynamodb import FakeDynamoDb, Items

PLATFORM = model.load(Path(__file__).parents[2] / "platform.yaml")
GLOBAL = PLATFORM.global_cluster_id(PLATFORM.databases[0])
FILES = PLATFORM.file_system_name(PLATFORM.file_systems[0])
SESSION = boto3.Session(aws_access_key_id="0" * 12, aws_secret_access_key="local")  # never used
CHANGING = ("Create", "Execute", "Delete", "Update", "Put", "Set", "Enable", "Disable")


def after(where: str) -> set[str]:
    """Everything that needs the unit `<alias>/<stack>`, near or far."""
    found = {where}
    for unit in cfn.units(PLATFORM):  # each comes after all that it needs
        if found & {"/".join(need.key) for need in cfn.dependencies(PLATFORM, unit)}:
            found.add("/".join(unit.key))
    return found - {where}


def approving(policy: Approval) -> Platform:
    """The platform with another policy for its stacks."""
    return PLATFORM.model_copy(update={"infrastructure": InfrastructurePolicy(approval=policy)})


class FakeLedger:
    """The ledger's rules, in memory."""

    def __init__(self, wire: Wire, exists: Callable[[], bool]) -> None:
        self.wire = wire
        self.exists = exists
        self.now: Roles | None = None
        self.last: Incident | None = None
        self.virgins: dict[str, bool] = {}
        self.before_read: Callable[[], None] = lambda: None
        self.items = Items()

    @property
    def stacks(self) -> StackRecords:
        region = SimpleNamespace(dynamodb=FakeDynamoDb(self.wire, self.items), alias="seoul")
        table = Table(
            region=cast(AwsRegion, region),
            name="peccy-ledger",
            partition="peccy",
            clock=FakeClock(),
        )
        return StackRecords(table=table)

    def roles(self) -> Roles | None:
        self.before_read()
        if not self.exists():
            error = TableUnavailable("peccy-ledger", "seoul", "not found")
            error.__cause__ = client_error("ResourceNotFoundException", "no table", "GetItem")
            raise error
        return self.now

    def bootstrap(self, active: str) -> Roles:
        self.wire.call("PutRoles")
        standby = PLATFORM.other(active).alias
        self.now = self.now or Roles(active=active, standby=standby, epoch=1)
        return self.now

    def last_incident(self) -> Incident | None:
        return self.last

    def mark_virgin(self, file_system_id: str) -> None:
        self.wire.call("PutVirgin")
        self.virgins.setdefault(file_system_id, True)

    def spend_virgin(self, file_system_id: str) -> None:
        self.wire.call("PutVirgin")
        self.virgins[file_system_id] = False

    def is_virgin(self, file_system_id: str) -> bool:
        return self.virgins.get(file_system_id, False)

    # What tests say

    def say(self, active: str, epoch: int, state: IncidentState | None = None) -> None:
        """Roles, and perhaps the incident that made them."""
        standby = PLATFORM.other(active).alias
        self.now = Roles(active=active, standby=standby, epoch=epoch)
        self.last = incident(active, state) if state else None


def incident(target: str, state: IncidentState) -> Incident:
    """An incident of this target."""
    now = FakeClock().now()
    return Incident(
        id="inc-1-20261122T030000Z",
        state=state,
        epoch=1,
        target=target,
        strategy="sequence",
        t0=now,
        proposed_at=now,
        reason="a test",
    )


class World:
    """Two Regions, a ledger and a clock."""

    def __init__(self, platform: Platform = PLATFORM) -> None:
        self.platform = platform
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.told: list[str] = []
        self.log: list[tuple[str, str]] = []
        self.files = Files(self.clock)
        self.databases = Databases()
        self.lock = threading.RLock()
        self.wires = {one.alias: Wire(one.alias, self.log, self.lock) for one in platform.regions}
        self.cloudformation: dict[str, FakeCloudFormation] = {}
        self.eks: dict[str, FakeEks] = {}
        self.s3: dict[str, FakeS3] = {}
        self.pipelines: dict[str, FakeCodePipeline] = {}
        self.regions = {one.alias: self._region(one) for one in platform.regions}
        self.wires["ledger"] = Wire("ledger", self.log, self.lock)
        self.ledger = FakeLedger(self.wires["ledger"], self._ledger_exists)

    # Acts

    def run(self, **changes: Any) -> Run:
        values: dict[str, Any] = {
            "platform": self.platform,
            "regions": self.regions,
            "ledger": lambda: self.ledger,
            "clock": self.clock,
            "stop": self.stop,
            "tell": self.told.append,
            "answers": lambda alias: not self.wires[alias].dark,
        }
        return Run(**values | changes)

    def apply(self, *keys: tuple[str, str], **changes: Any) -> dict[tuple[str, str], Outcome]:
        """Apply these units, or all; outcomes in the order in which they ended."""
        units = [one for one in cfn.units(self.platform) if not keys or one.key in keys]
        ended: list[Outcome] = []
        apply(self.run(**changes), units, ended.append)
        return {one.key: one for one in ended}

    def endings(self, **changes: Any) -> dict[str, Ending]:
        """Apply all; how each ended."""
        return {"/".join(key): one.ending for key, one in self.apply(**changes).items()}

    def plan(self, *, keep: bool = False) -> Plan:
        return plan(self.run(), cfn.units(self.platform), keep=keep)

    def converge(self, why_not: Callable[[str], str | None] = lambda _: None) -> Converged:
        return converge(self.run(), lambda region: self.eks[region.alias].ready(), why_not)

    def watch(self, look: Callable[[str, str], None] | None) -> None:
        """Be told of every call before it has an effect; raising loses it."""
        for wire in self.wires.values():
            wire.on_call = look

    # Looks

    def open_change_sets(self) -> list[str]:
        """Change sets that nobody has executed."""
        return [
            one.id
            for cloudformation in self.cloudformation.values()
            for one in cloudformation.change_sets.values()
            if one.execution in ("AVAILABLE", "UNAVAILABLE")
        ]

    def calls(self, operation: str) -> list[str]:
        """The Regions in which an operation was called."""
        return [alias for alias, name in self.log if name == operation]

    def changing(self) -> list[tuple[str, str]]:
        """Every call that changed something."""
        return [one for one in self.log if one[1].startswith(CHANGING)]

    def stack(self, alias: str, stack: str) -> Any:
        return self.cloudformation[alias].stacks[self.platform.stack_name(stack)]

    def statuses(self) -> set[str]:
        return {one.status for cf in self.cloudformation.values() for one in cf.stacks.values()}

    def counts(self, alias: str) -> dict[str, tuple[int, int, int]]:
        groups = self.eks[alias].groups
        return {name: (one.minimum, one.desired, one.maximum) for name, one in groups.items()}

    def file_system(self, alias: str) -> str:
        return self.files.ids(self.platform.region(alias).name)[0]

    # How it is made

    def _ledger_exists(self) -> bool:
        name = self.platform.stack_name("ledger")
        stack = self.cloudformation[self.platform.home].stacks.get(name)
        return stack is not None and bool(stack.resources)

    def _region(self, region: model.Region) -> AwsRegion:
        wire = self.wires[region.alias]
        aws = AwsRegion(
            region=region,
            settings=settings(self.clock),
            session=SESSION,
            lock=threading.Lock(),
        )
        cloudformation = FakeCloudFormation(wire, self.clock, region.name)
        cloudformation.created = lambda kind, physical, properties: self._created(
            region, kind, physical, properties
        )
        cloudformation.stored = lambda *key: self.s3[region.alias].bodies.get(key)
        self.cloudformation[region.alias] = cloudformation
        self.eks[region.alias] = FakeEks(wire, self.clock)
        self.s3[region.alias] = FakeS3(wire)
        self.pipelines[region.alias] = FakeCodePipeline(wire)
        aws.__dict__.update(  # each client is a cached property: what stands there is used
            cloudformation=cloudformation,
            efs=FakeEfs(wire, self.files, region.name),
            rds=FakeRds(wire, self.databases),
            eks=self.eks[region.alias],
            s3=self.s3[region.alias],
            codepipeline=self.pipelines[region.alias],
        )
        return aws

    def _created(
        self, region: model.Region, kind: str, physical: str, properties: Mapping[str, Any]
    ) -> None:
        match kind:
            case "AWS::EFS::FileSystem":
                self.files.add(region.name, physical, FILES)
            case "AWS::EKS::Nodegroup":
                self.eks[region.alias].groups[properties["NodegroupName"]] = Group()
            case "AWS::CodePipeline::Pipeline":
                self.pipelines[region.alias].add(properties["Name"], properties["Stages"])
            case "AWS::S3::Bucket":
                self.s3[region.alias].buckets[properties["BucketName"]] = set()
            case "AWS::RDS::DBCluster":
                self.databases.members.setdefault(GLOBAL, []).append(region.name)
                self.databases.writers.setdefault(GLOBAL, region.name)


def settings(clock: FakeClock, dns: tuple[str, int] | None = None) -> Settings:
    """An environment that reaches nothing real."""
    return Settings(
        target=Target.LOCAL,
        controller="external",
        clock=clock,
        local_url="http://127.0.0.1:1",
        access_key="111122223333",
        dns=dns,
        service_proxy=None,
    )
