"""Looks as a test writes them down: one letter a vantage, in the order checkers, heartbeat, probes.
U is up, D is down, a question mark is unknown; a dash for all is a look without self-check."""

from datetime import UTC, datetime, timedelta

from platform_pipelines.failover.decision import Watch
from platform_pipelines.failover.signals import Look, Signal, State, Vantage
from platform_pipelines.ledger_records import Heartbeat, Roles

T = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ROLES = Roles(active="seoul", standby="tokyo", epoch=1)
LETTERS = {"U": State.UP, "D": State.DOWN, "?": State.UNKNOWN}


def look(states: str, at: float, counter: int | None = None) -> Look:
    """A look `at` seconds after 03:00."""
    blind = states == "---"
    letters = "???" if blind else states
    time = T + timedelta(seconds=at)
    return Look(
        at=time,
        self_check=State.DOWN if blind else State.UP,
        signals=tuple(
            Signal(vantage=vantage, state=LETTERS[letter], detail=f"{vantage} is {letter}")
            for vantage, letter in zip(Vantage, letters, strict=True)
        ),
        heartbeat=Heartbeat(counter=counter, at=time) if counter is not None else None,
    )


def fresh() -> Watch:
    """Nothing seen yet."""
    return Watch.fresh(ROLES)
