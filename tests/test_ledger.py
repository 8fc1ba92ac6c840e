"""Every test runs against the fake table and against the local Regions: so the fake behaves."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines import model
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.aws.region import PROBE, Aws
from platform_pipelines.clock import Clock
from platform_pipelines.ledger import Ledger, LedgerMoved, connect
from platform_pipelines.ledger_records import (
    Colour,
    Incident,
    IncidentState,
    Lease,
    Outcome,
    Roles,
    Step,
)
from platform_pipelines.model import Platform
from tests.fakes.calls import Wire
from tests.fakes.clock import FakeClock
from tests.fakes.dynamodb import FakeDynamoDb, Items
from tests.fakes.session import FakeAws
from tests.local_world import LocalWorld

PLATFORM = model.load(Path(__file__).parent.parent / "platform.yaml")
T = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
NUMBERS = itertools.count(1)


@dataclass
class Table:
    """A ledger's table, and the ledger through either Region."""

    platform: Platform
    aws: Aws
    clock: Clock

    def ledger(self, alias: str = "tokyo") -> Ledger:
        return Ledger(self.aws[alias], self.platform, self.clock)


def _await_active(client: Any, platform: Platform) -> None:
    """The table and its members take a moment."""
    deadline = time.monotonic() + 20
    while True:
        table = client.describe_table(TableName=platform.ledger_table)["Table"]
        members = [one["ReplicaStatus"] for one in table.get("Replicas", [])]
        members += [one["WitnessStatus"] for one in table.get("GlobalTableWitnesses", [])]
        if {table["TableStatus"], *members} == {"ACTIVE"}:
            return
        assert time.monotonic() < deadline, table
        time.sleep(0.02)


def _local(world: LocalWorld) -> Table:
    platform = world.platform.model_copy(update={"platform": f"ledger{next(NUMBERS)}"})
    client = world.aws("dynamodb", "seoul")
    client.create_table(
        TableName=platform.ledger_table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    _await_active(client, platform)
    client.update_table(
        TableName=platform.ledger_table,
        MultiRegionConsistency="STRONG",
        ReplicaUpdates=[{"Create": {"RegionName": "ap-northeast-1"}}],
        GlobalTableWitnessUpdates=[{"Create": {"RegionName": platform.witness}}],
    )
    _await_active(client, platform)
    settings = environments.from_environment(platform, world.environment())
    return Table(platform, Aws(platform, settings), settings.clock)


@dataclass
class Fakes:
    """Two Regions with one fake table."""

    items: Items = field(default_factory=Items)
    clock: FakeClock = field(default_factory=FakeClock)
    wires: dict[str, Wire] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lock = threading.RLock()
        self.wires = {one.alias: Wire(one.alias, [], lock) for one in PLATFORM.regions}

    def aws(self, controller: str = "external") -> Aws:
        made = FakeAws(
            PLATFORM,
            self.clock,
            lambda alias: {"dynamodb": FakeDynamoDb(self.wires[alias], self.items)},
            controller,
        )
        made.__dict__["patient"] = lambda _timeouts: made
        return made


@pytest.fixture(params=["fake", "local"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """An empty table."""
    if request.param == "fake":
        fakes = Fakes()
        yield Table(PLATFORM, fakes.aws(), fakes.clock)
    else:
        yield _local(request.getfixturevalue("local_regions"))


@pytest.fixture
def ledger(table: Table) -> Ledger:
    """A ledger in which Seoul is active."""
    made = table.ledger()
    made.bootstrap("seoul")
    return made


def _incident(number: int = 1, **changes: Any) -> Incident:
    values: dict[str, Any] = {
        "id": f"inc-1-{number}",
        "state": IncidentState.PROPOSED,
        "epoch": 1,
        "target": "tokyo",
        "strategy": "sequence",
        "t0": T,
        "proposed_at": T + timedelta(seconds=65),
        "reason": "a test",
        "lag_before": {"efs:pictures": 240.5, "aurora:peccy": None},
        "signals": ({"at": "2026-11-22T03:00:00.000Z", "signals": {"probes": {"state": "down"}}},),
    }
    return Incident(**values | changes)


def _at_once(table: Table, calls: Sequence[Callable[[], bool]]) -> list[bool]:
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], bool]) -> bool:
        barrier.wait(10)
        return one()

    return table.clock.gather([partial(call, one) for one in calls])


def _done(call: Callable[[], object]) -> bool:
    try:
        call()
    except LedgerMoved:
        return False
    return True


# Roles


def test_before_the_first_apply_there_are_no_roles(table: Table) -> None:
    """Nor anything else."""
    ledger = table.ledger()
    assert ledger.roles() is None
    assert ledger.last_incident() is None
    assert ledger.open_incident() is None


def test_the_first_bootstrap_wins(table: Table) -> None:
    """The second one changes nothing, and says what holds."""
    first = table.ledger("seoul").bootstrap("seoul")
    second = table.ledger("tokyo").bootstrap("tokyo")
    assert first == second == Roles(active="seoul", standby="tokyo", epoch=1)


def test_two_first_applies_at_once_agree(table: Table) -> None:
    """Both read what one of them wrote."""
    barrier = threading.Barrier(2)

    def boot(alias: str) -> Roles:
        barrier.wait(10)
        return table.ledger(alias).bootstrap(alias)

    found = table.clock.gather([lambda: boot("seoul"), lambda: boot("tokyo")])
    assert found[0] == found[1] == table.ledger().roles()


def test_both_regions_read_what_one_wrote(table: Table) -> None:
    """Strongly consistent: there is no `meanwhile`."""
    table.ledger("seoul").bootstrap("seoul")
    assert table.ledger("tokyo").roles() == table.ledger("seoul").roles()


def test_roles_change_once_per_incident(ledger: Ledger) -> None:
    """Told twice, they are changed once; the epoch says that they were."""
    ledger.propose(_incident(), None)
    ledger.change_roles(_incident())
    ledger.change_roles(_incident())
    assert ledger.roles() == Roles(active="tokyo", standby="seoul", epoch=2, incident="inc-1-1")


def test_a_late_change_of_roles_is_fenced_by_its_epoch(ledger: Ledger) -> None:
    """Its epoch is over: another incident has changed the roles since."""
    ledger.propose(_incident(), None)
    ledger.change_roles(_incident())
    back = _incident(2, epoch=2, target="seoul")
    ledger.propose(back, "inc-1-1")
    with pytest.raises(LedgerMoved, match="epoch 1 is over"):
        ledger.change_roles(_incident())
    ledger.change_roles(back)
    with pytest.raises(LedgerMoved):
        ledger.change_roles(_incident())
    roles = ledger.roles()
    assert roles is not None
    assert (roles.active, roles.epoch) == ("seoul", 3)


# Incidents


def test_an_incident_is_read_as_it_was_written(ledger: Ledger) -> None:
    """Times, enums, numbers, lists and maps; what is unknown stays unknown."""
    made = _incident(approvals=({"approver": "mina", "accept_data_loss_s": 60},))
    ledger.propose(made, None)
    assert ledger.last_incident() == made
    assert ledger.incident(made.id) == made
    assert ledger.incident("inc-9") is None
    assert ledger.open_incident() is None


def test_an_epoch_has_one_incident(ledger: Ledger) -> None:
    """Unless the earlier one is named, which must be over."""
    ledger.propose(_incident(1), None)
    with pytest.raises(LedgerMoved, match="another incident has epoch 1"):
        ledger.propose(_incident(2), None)
    ledger.propose(_incident(3), "inc-1-1")
    found = ledger.last_incident()
    assert found is not None
    assert found.id == "inc-1-3"


def test_two_controllers_propose_and_one_wins(table: Table, ledger: Ledger) -> None:
    """Through different Regions, at the same time."""
    calls = [
        partial(_done, partial(table.ledger(alias).propose, _incident(n), None))
        for n, alias in enumerate(["seoul", "tokyo", "seoul", "tokyo"])
    ]
    won = _at_once(table, calls)
    assert won.count(True) == 1
    found = ledger.last_incident()
    assert found is not None
    assert found.id == f"inc-1-{won.index(True)}"


def test_an_incident_changes_only_from_the_state_that_was_read(ledger: Ledger) -> None:
    """Whoever comes second decides anew."""
    made = _incident()
    ledger.propose(made, None)
    opened = ledger.change_incident(made, state=IncidentState.OPEN, opened_at=T)
    assert ledger.open_incident() == opened
    with pytest.raises(LedgerMoved, match="is no longer proposed"):
        ledger.change_incident(made, state=IncidentState.EXPIRED)
    settled = ledger.change_incident(opened, state=IncidentState.SETTLED, failure=None)
    assert ledger.open_incident() is None
    assert ledger.last_incident() == settled


def test_two_runs_open_and_one_wins(table: Table, ledger: Ledger) -> None:
    """The state is the condition."""
    made = _incident()
    ledger.propose(made, None)
    calls = [
        partial(_done, partial(table.ledger(alias).change_incident, made, state=IncidentState.OPEN))
        for alias in ("seoul", "tokyo")
    ]
    assert sorted(_at_once(table, calls)) == [False, True]


def test_steps_come_in_the_order_of_their_start(ledger: Ledger) -> None:
    """All of them, over pages; and none of another incident whose name begins the same."""
    for number in range(9):
        started = T + timedelta(seconds=100 - number)
        ledger.write_step("inc-1-1", Step(name=f"step-{number}", started=started))
    ledger.write_step("inc-1-10", Step(name="other", started=T))
    done = Step(
        name="step-3",
        started=T,
        ended=T + timedelta(seconds=5),
        outcome=Outcome.DONE,
        resources=({"kind": "efs", "rpo_s": 1.5},),
        calls=({"what": "Delete"},),
    )
    ledger.write_step("inc-1-1", done)
    found = ledger.steps("inc-1-1")
    assert [one.name for one in found] == [
        "step-3",
        *(f"step-{n}" for n in (8, 7, 6, 5, 4, 2, 1, 0)),
    ]
    assert found[0] == done


# Leases


def test_a_lease_is_taken_by_one(table: Table, ledger: Ledger) -> None:
    """Whether there was none, or a dead one."""
    calls = [partial(table.ledger().take_lease, "inc-1", f"run-{n}", None) for n in range(4)]
    first = _at_once(table, calls)
    assert first.count(True) == 1
    dead = ledger.lease("inc-1")
    assert dead == Lease(holder=f"run-{first.index(True)}", counter=1)
    calls = [partial(table.ledger().take_lease, "inc-1", f"next-{n}", dead) for n in range(4)]
    second = _at_once(table, calls)
    assert second.count(True) == 1
    assert ledger.lease("inc-1") == Lease(holder=f"next-{second.index(True)}", counter=2)


def test_a_lease_that_moved_is_not_taken(ledger: Ledger) -> None:
    """Its holder lived after all."""
    ledger.take_lease("inc-1", "run-1", None)
    seen = ledger.lease("inc-1")
    assert ledger.renew_lease("inc-1", "run-1")
    assert not ledger.take_lease("inc-1", "run-2", seen)
    assert ledger.lease("inc-1") == Lease(holder="run-1", counter=2)


def test_only_its_holder_renews_and_releases_a_lease(ledger: Ledger) -> None:
    """A run that lost it learns that."""
    ledger.take_lease("inc-1", "run-1", None)
    assert not ledger.renew_lease("inc-1", "run-2")
    ledger.release_lease("inc-1", "run-2")
    assert ledger.lease("inc-1") is not None
    ledger.release_lease("inc-1", "run-1")
    assert ledger.lease("inc-1") is None
    assert not ledger.renew_lease("inc-1", "run-1")


# Heartbeats, verdicts, virgins, maintenance


def test_a_heartbeat_counts(ledger: Ledger) -> None:
    """Per Region; a Region that never beat has none."""
    assert ledger.heartbeat("seoul") is None
    ledger.beat("seoul")
    ledger.beat("seoul")
    ledger.beat("tokyo")
    seoul, tokyo = ledger.heartbeat("seoul"), ledger.heartbeat("tokyo")
    assert seoul is not None
    assert tokyo is not None
    assert (seoul.counter, tokyo.counter) == (2, 1)
    assert abs(seoul.at - ledger.clock.now()) < timedelta(hours=1)


def test_the_verdict_that_was_known_at_a_time(ledger: Ledger) -> None:
    """The last one before it, to the millisecond, or none."""
    ledger.record_verdict(Colour.GREEN, [], T)
    ledger.record_verdict(Colour.RED, ["images differ", "lag"], T + timedelta(hours=24))
    assert ledger.verdict_before(T - timedelta(milliseconds=1)) is None
    first = ledger.verdict_before(T)
    assert first is not None
    assert (first.colour, first.reasons) == (Colour.GREEN, ())
    assert ledger.verdict_before(T + timedelta(hours=23)) == first
    second = ledger.verdict_before(T + timedelta(hours=25))
    assert second is not None
    assert (second.colour, second.reasons) == (Colour.RED, ("images differ", "lag"))


def test_a_virgin_is_one_only_once(ledger: Ledger) -> None:
    """What was spent is never virgin again, and what is not known never was."""
    assert not ledger.is_virgin("fs-1")
    ledger.mark_virgin("fs-1")
    assert ledger.is_virgin("fs-1")
    ledger.spend_virgin("fs-1")
    ledger.mark_virgin("fs-1")
    assert not ledger.is_virgin("fs-1")
    ledger.spend_virgin("fs-2")
    ledger.mark_virgin("fs-2")
    assert not ledger.is_virgin("fs-2")


def test_maintenance_has_a_reason(ledger: Ledger) -> None:
    """None when there is none."""
    assert ledger.maintenance() is None
    ledger.table.put("maintenance", {"reason": "a drill"})
    assert ledger.maintenance() == "a drill"
    ledger.table.put("maintenance", {"since": "today"})
    assert ledger.maintenance() == "no reason given"


# What goes wrong


def test_a_missing_table_says_what_to_run(local_regions: LocalWorld) -> None:
    """Before the first apply."""
    settings = environments.from_environment(PLATFORM, local_regions.environment())
    platform = PLATFORM.model_copy(update={"platform": "nobody"})
    with pytest.raises(TableUnavailable, match="run apply_infrastructure first"):
        Ledger(Aws(PLATFORM, settings)["tokyo"], platform, settings.clock).roles()


def test_two_writes_at_once_are_tried_again() -> None:
    """ReplicatedWriteConflictException is not the caller's business."""
    fakes = Fakes()
    ledger = Ledger(fakes.aws()["tokyo"], PLATFORM, fakes.clock)
    fakes.items.conflicts = 4
    ledger.bootstrap("seoul")
    assert ledger.roles() is not None
    fakes.items.conflicts = 5
    with pytest.raises(TableUnavailable, match="ReplicatedWriteConflict"):
        ledger.beat("seoul")


# Through which Region


def test_a_controller_uses_its_own_region() -> None:
    """Cut off from the other one, it can read nothing and change nothing."""
    fakes = Fakes()
    assert connect(fakes.aws("seoul")).region.alias == "seoul"
    assert connect(fakes.aws("tokyo")).region.alias == "tokyo"


@pytest.mark.parametrize(
    ("active", "dark", "through"),
    [
        (None, None, "seoul"),  # before the first apply: home
        (None, "seoul", "tokyo"),
        ("seoul", None, "tokyo"),  # the standby: it will have to answer
        ("tokyo", None, "seoul"),
        ("seoul", "seoul", "tokyo"),
        ("seoul", "tokyo", "seoul"),
    ],
)
def test_an_external_controller_uses_the_region_that_must_answer(
    active: str | None, dark: str | None, through: str
) -> None:
    """The standby's, as long as it lives."""
    fakes = Fakes()
    if active:
        Ledger(fakes.aws()["tokyo"], PLATFORM, fakes.clock).bootstrap(active)
    if dark:
        fakes.wires[dark].dark = True
    assert connect(fakes.aws()).region.alias == through


def test_with_both_regions_dark_the_reason_is_given() -> None:
    """There is no ledger to be found."""
    fakes = Fakes()
    for wire in fakes.wires.values():
        wire.dark = True
    with pytest.raises(TableUnavailable, match="cannot be used through seoul"):
        connect(fakes.aws())


def test_a_dark_region_can_neither_read_nor_write(start_regions: Callable[..., LocalWorld]) -> None:
    """The living one and the witness are a majority: it goes on."""
    world = start_regions(speed=200)
    table = _local(world)
    table.ledger("seoul").bootstrap("seoul")
    world.control.black_out("seoul")
    quick = Aws(table.platform, table.aws.settings).patient(PROBE)
    with pytest.raises(TableUnavailable):
        Ledger(quick["seoul"], table.platform, table.clock).beat("seoul")
    tokyo = table.ledger("tokyo")
    tokyo.propose(_incident(), None)
    tokyo.change_roles(_incident())
    roles = tokyo.roles()
    assert roles is not None
    assert roles.active == "tokyo"
