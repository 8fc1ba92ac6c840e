"""Two Regions that can be failed over: AWS, clusters, services, DNS and the ledger behave together,
and a process can be killed at any call. Time is virtual; DNS, HTTP and TLS are real, on loopback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import EndpointConnectionError

from platform_pipelines import model
from platform_pipelines.aws.region import Aws, AwsRegion, Timeouts
from platform_pipelines.failover import opening, plan
from platform_pipelines.failover.opening import Request
from platform_pipelines.failover.work import Work, resume
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import Colour, Incident, IncidentState, Step
from platform_pipelines.local.tls import ensure_ca
from platform_pipelines.model import Platform
from tests.fakes import dns, service
from tests.fakes.calls import Killed, Wire
from tests.fakes.clock import FakeClock
from tests.fakes.data import Group, Replication
from tests.fakes.dynamodb import FakeDynamoDb, Items
from tests.fakes.failover_aws import (
    Aurora,
    FailoverEfs,
    FailoverEks,
    FailoverRds,
    FailoverS3,
    FakeCloudWatch,
    FakeSts,
    ReplicatedFiles,
)
from tests.fakes.session import session, settings

PLATFORM = model.load(Path(__file__).parents[2] / "platform.yaml")
ADDRESSES = {"192.0.2.1": "seoul", "192.0.2.2": "tokyo"}
CHECKERS_SEE = 30.0  # seconds until Route 53's checkers call a Region down
IRREVERSIBLE = ("DeleteReplicationConfiguration", "FailoverGlobalCluster")
CHANGING = (*IRREVERSIBLE, "UpdateFileSystemProtection", "UpdateNodegroupConfig", "PutObject")
Json = dict[str, Any]


class Stage:
    """The servers that any number of worlds play on, one after the other."""

    world: "World"

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        authority = ensure_ca(folder)
        self.ca_pem = authority.ca_pem
        self.dns = stack.enter_context(dns.serve(lambda name, kind: self.world.resolve(name, kind)))
        self.proxy = stack.enter_context(service.serve(lambda one: self.world.serve(one)))
        context = authority.server_context("stage")
        self.clusters = {
            alias: stack.enter_context(service.serve(self._cluster(alias), context))
            for alias in ADDRESSES.values()
        }

    def _cluster(self, alias: str) -> service.Answer:
        return lambda request: self.world.cluster(alias, request)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Servers until the end of the context."""
    with ExitStack() as stack:
        yield Stage(stack, folder)


class WorldAws(Aws):
    """Both Regions with the world's fakes."""

    def __init__(self, world: "World", controller: str) -> None:
        self.platform = world.platform
        self.settings = replace(
            settings(world.clock, controller),
            dns=world.stage.dns,
            service_proxy=world.stage.proxy,
        )
        self._regions = {one.alias: self._region(world, one) for one in world.platform.regions}

    def _region(self, world: "World", region: model.Region) -> AwsRegion:
        fakes = {(region.name, name): fake for name, fake in world.services[region.alias].items()}
        return AwsRegion(
            region=region,
            settings=self.settings,
            timeouts=Timeouts(attempts=1),
            session=session(fakes),  # type: ignore[arg-type]  # it behaves as one
            lock=threading.Lock(),
        )

    def patient(self, timeouts: Timeouts) -> Aws:  # noqa: ARG002  # nothing here takes time
        return self


class World:
    """Seoul serves, Tokyo stands by, the ledger knows it."""

    def __init__(self, stage: Stage, platform: Platform = PLATFORM) -> None:
        self.stage, self.platform = stage, platform
        stage.world = self
        self.clock = FakeClock()
        self.log: list[tuple[str, str]] = []
        lock = threading.RLock()
        self.wires = {one.alias: Wire(one.alias, self.log, lock) for one in platform.regions}
        self.items = Items()
        self._processes: dict[str, Aws] = {}
        self.files = ReplicatedFiles(self.clock)
        self.aurora = self._aurora()
        self.deployments: dict[str, dict[str, int]] = {}  # alias: node group: replicas
        self.went_dark: dict[str, float] = {}
        self.checkers: dict[str, str | None] = {}  # forced by a test; None: no answer
        self.broken: set[str] = set()  # aliases whose service answers 503
        self.hobbies: dict[str, Json] = {}
        self.writes: list[tuple[str, str]] = []  # host, alias
        self.services = {one.alias: self._services(one) for one in platform.regions}
        self._set_the_stage()

    # Acts

    def aws(self, controller: str = "external") -> Aws:
        """A process of this controller; what it keeps is kept for the whole test."""
        if controller not in self._processes:
            self._processes[controller] = WorldAws(self, controller)
        return self._processes[controller]

    def ledger(self, alias: str | None = None, controller: str = "external") -> Ledger:
        """The ledger through this Region, or through Tokyo as long as it lives."""
        lives = "seoul" if self.wires["tokyo"].dark else "tokyo"
        return Ledger(self.aws(controller)[alias or lives], self.platform, self.clock)

    def black_out(self, alias: str = "seoul") -> None:
        """A Region goes dark."""
        self.wires[alias].dark = True
        self.went_dark[alias] = self.clock.monotonic()

    def restore(self, alias: str = "seoul") -> None:
        """It comes back."""
        self.wires[alias].dark = False
        self.went_dark.pop(alias, None)

    def propose(self, **changes: Any) -> Incident:
        """An incident of Seoul as the sensor leaves it; Seoul went dark a minute ago."""
        now = self.clock.now()
        values: Json = {
            "id": f"inc-1-{now:%Y%m%dT%H%M%SZ}",
            "state": IncidentState.PROPOSED,
            "epoch": 1,
            "target": "tokyo",
            "strategy": "sequence",
            "t0": now,
            "proposed_at": now,
            "reason": "seoul is down",
        }
        incident = Incident(**values | changes)
        self.ledger().propose(incident, None)
        return incident

    def open(self, holder: str = "run-1", **request: Any) -> Work:
        return opening.open_(self.aws(), self.ledger(), holder, Request(**request))

    def started(self, **changes: Any) -> Work:
        """Seoul is dark, and a run has taken up the incident."""
        self.black_out()
        self.propose(**changes)
        return self.open()

    def run(self, holder: str = "run-1") -> Incident:
        """A whole run, as the ops do it."""
        self.open(holder)
        for planned in plan.STEPS:
            plan.execute(self.resume(holder), planned)
        return opening.settle(self.resume(holder))

    def resume(self, holder: str) -> Work:
        return resume(self.aws(), self.ledger(), holder)

    def execute(self, work: Work, name: str) -> Step:
        """One step, and its record."""
        planned = next(one for one in plan.STEPS if one.name == name)
        plan.execute(work, planned)
        return self.step(name)

    def kill(self, when: Callable[[int, str, str], bool]) -> None:
        """Kill the process right after the first call for which `when(number, alias, operation)`;
        from then on no thread of it reaches anything. Counts calls that change something."""
        count, dead = [0], [False]

        def call(alias: str, operation: str) -> None:
            if dead[0] and operation == "UpdateItem":  # the lease's beat must not break the clock
                raise EndpointConnectionError(endpoint_url=f"https://{alias}")
            if dead[0]:
                raise Killed

        def done(operation: str, key: str) -> None:
            if key.startswith("lease/"):
                return  # the background's, which is not tied to the steps
            count[0] += 1
            if when(count[0], operation, key):
                dead[0] = True
                raise Killed

        for alias, wire in self.wires.items():
            wire.on_call = call
            self.services[alias]["dynamodb"].done = done
        self._after_each_change(done)

    def revive(self) -> None:
        """A new process may start."""
        for alias, wire in self.wires.items():
            wire.on_call = None
            self.services[alias]["dynamodb"].done = lambda _operation, _key: None
        self._after_each_change(None)

    # Looks

    def incident(self) -> Incident:
        found = self.ledger().last_incident()
        assert found is not None
        return found

    def step(self, name: str) -> Step:
        steps = {one.name: one for one in self.ledger().steps(self.incident().id)}
        return steps[name]

    def calls(self, *operations: str) -> list[str]:
        """The Regions in which these operations were called."""
        return [alias for alias, name in self.log if name in operations]

    def counts(self, alias: str) -> dict[str, tuple[int, int, int]]:
        groups = self.services[alias]["eks"].groups
        return {name: (one.minimum, one.desired, one.maximum) for name, one in groups.items()}

    def serving(self) -> str:
        """The Region to which DNS sends clients: home, unless the object can be read."""
        bucket = self.platform.traffic_bucket(self.platform.region("tokyo"))
        moved = "serving" in self.services["tokyo"]["s3"].buckets.get(bucket, set())
        return "tokyo" if moved and "tokyo" not in self.went_dark else "seoul"

    def end_state(self) -> Json:
        """What a failover must come to, however often it was interrupted."""
        self.files.settle()
        self.aurora.settle()
        roles = self.ledger().roles()
        assert roles is not None
        return {
            "roles": (roles.active, roles.standby, roles.epoch),
            "state": self.incident().state,
            "replications": len(self.files.replications),
            "protection": self.files.protection("fs-tokyo"),
            "writer": self.aurora.writer,
            "counts": self.counts("tokyo"),
            "serving": self.serving(),
            "virgin": self.ledger().is_virgin("fs-tokyo"),
        }

    # What the servers answer

    def resolve(self, name: str, kind: str) -> tuple[list[str], list[str]] | None:
        """DNS."""
        for region in self.platform.regions:
            if kind == "TXT" and name == self.platform.signal_host(region):
                text = self._checked(region.alias)
                return None if text is None else ([], [text])
            found = self._balancer(region, name) if kind == "A" else None
            if found:
                return found
        return None

    def _balancer(self, region: model.Region, name: str) -> tuple[list[str], list[str]] | None:
        address = next(key for key, alias in ADDRESSES.items() if alias == region.alias)
        balancer = f"{region.alias}-1.elb.amazonaws.com"
        for one in self.platform.services:
            regional = one.regional_host(region)
            if name == regional:
                return [balancer], [address]
            if name == one.host and self.serving() == region.alias:
                return [regional, balancer], [address]
        return None

    def serve(self, request: service.Request) -> tuple[int, Any]:
        """The services behind the load balancers."""
        alias = ADDRESSES[request.address]
        if alias in self.went_dark or alias in self.broken or not self._pods_ready(alias):
            return 503, {"error": "no ready pods"}
        if not request.path.startswith("/hobbies"):
            return 200, {}
        if not self._takes_writes(alias):
            return 503, {"error": "read-only"}
        identifier = request.path.removeprefix("/hobbies").strip("/")
        match request.method:
            case "POST":
                identifier = str(len(self.writes) + 1)
                self.hobbies[identifier] = {**request.body, "id": identifier}
                self.writes.append((request.host, alias))
                return 201, self.hobbies[identifier]
            case "DELETE":
                self.hobbies.pop(identifier, None)
                return 204, None
        return (200, self.hobbies[identifier]) if identifier in self.hobbies else (404, {})

    def cluster(self, alias: str, request: service.Request) -> tuple[int, Any]:
        """A Kubernetes API."""
        if alias in self.went_dark:
            return 500, {"kind": "Status", "message": "dark"}
        if request.method == "PATCH":
            group = "web" if "peccy-web" in request.path else "app"
            self.deployments[alias][group] = request.body["spec"]["replicas"]
            return 200, request.body
        match request.path:
            case "/api/v1/nodes":
                return 200, {"metadata": {}, "items": self._nodes(alias)}
            case "/apis/apps/v1/deployments":
                return 200, {"metadata": {}, "items": self._deployments(alias)}
        return 401, {"kind": "Status", "message": "Unauthorized"}

    def _checked(self, alias: str) -> str | None:
        if alias in self.checkers:
            return self.checkers[alias]
        since = self.went_dark.get(alias)
        seen = since is not None and self.clock.monotonic() - since >= CHECKERS_SEE
        return "down" if seen else "up"

    def _pods_ready(self, alias: str) -> bool:
        ready = self.services[alias]["eks"].ready()
        replicas = self.deployments[alias]
        return all(ready[group] and replicas[group] for group in ("web", "app"))

    def _takes_writes(self, alias: str) -> bool:
        self.files.settle()
        self.aurora.settle()
        name = self.platform.region(alias).name
        writable = self.files.protection(f"fs-{alias}") == "ENABLED"
        return self.aurora.writer == name and not self.aurora.failing and writable

    def _nodes(self, alias: str) -> list[Json]:
        return [
            {
                "metadata": {
                    "name": f"{group}-{i}",
                    "labels": {"eks.amazonaws.com/nodegroup": group, "role": group},
                },
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }
            for group, count in self.services[alias]["eks"].ready().items()
            for i in range(count)
        ]

    def _deployments(self, alias: str) -> list[Json]:
        ready = self.services[alias]["eks"].ready()
        return [
            {
                "metadata": {"namespace": "web", "name": f"peccy-{group}"},
                "spec": {
                    "replicas": replicas,
                    "template": {"spec": {"nodeSelector": {"role": group}, "containers": []}},
                },
                "status": {"readyReplicas": replicas if ready[group] else 0},
            }
            for group, replicas in self.deployments[alias].items()
        ]

    # How it is made

    def _aurora(self) -> Aurora:
        database = self.platform.databases[0]
        return Aurora(
            clock=self.clock,
            identifier=self.platform.global_cluster_id(database),
            clusters={
                one.name: self.platform.db_cluster_id(database, one)
                for one in self.platform.regions
            },
            writer=self.platform.region("seoul").name,
        )

    def _services(self, region: model.Region) -> dict[str, Any]:
        wire = self.wires[region.alias]
        cluster = self.stage.clusters[region.alias]
        self.deployments[region.alias] = {"web": 3, "app": 3}
        return {
            "dynamodb": FakeDynamoDb(wire, self.items),
            "efs": FailoverEfs(wire, self.files, region.name),
            "rds": FailoverRds(wire, self.aurora, region.name),
            "eks": FailoverEks(wire, self.clock, cluster, self.stage.ca_pem),
            "s3": FailoverS3(wire),
            "cloudwatch": FakeCloudWatch(wire),
            "sts": FakeSts(wire, self.platform.account),
        }

    def _set_the_stage(self) -> None:
        seoul, tokyo = (self.platform.region(alias) for alias in ("seoul", "tokyo"))
        name = self.platform.file_system_name(self.platform.file_systems[0])
        self.files.add(seoul.name, "fs-seoul", name)
        self.files.add(tokyo.name, "fs-tokyo", name)
        self.files.protect("fs-tokyo", "REPLICATING")
        self.files.replications.append(
            Replication(
                source="fs-seoul",
                source_region=seoul.name,
                destination="fs-tokyo",
                destination_region=tokyo.name,
                started=-3600.0,
            )
        )
        now = self.clock.now()
        self.files.last_sync = now - timedelta(seconds=240)
        sample = (now - timedelta(seconds=20), 700.0)
        self.services["tokyo"]["cloudwatch"].samples.append(sample)
        for group in self.platform.node_groups:
            for alias, count in (("seoul", group.active), ("tokyo", group.standby)):
                made = Group(
                    minimum=count, desired=count, maximum=group.maximum, busy_until=-3600.0
                )
                self.services[alias]["eks"].groups[group.name] = made
        ledger = self.ledger()
        ledger.bootstrap("seoul")
        ledger.mark_virgin("fs-tokyo")
        ledger.record_verdict(Colour.GREEN, (), now - timedelta(hours=1))
        self.log.clear()

    def _after_each_change(self, done: Callable[[str, str], None] | None) -> None:
        """Tell `done` of each changing call of AWS, after it had its effect."""
        for alias, services in self.services.items():
            for name, operation in (
                ("efs", "delete_replication_configuration"),
                ("efs", "update_file_system_protection"),
                ("rds", "failover_global_cluster"),
                ("eks", "update_nodegroup_config"),
                ("s3", "put_object"),
            ):
                fake = services[name]
                fake.__dict__.pop(operation, None)
                if done:
                    fake.__dict__[operation] = _followed(getattr(fake, operation), done, alias)


def _followed(
    call: Callable[..., Any], done: Callable[[str, str], None], alias: str
) -> Callable[..., Any]:
    def both(**request: Any) -> Any:
        result = call(**request)
        done(call.__name__, alias)
        return result

    return both
