"""The log of all calls: what was asked of AWS, Kubernetes and the services, and what came of it.

One JSON object a line in `<state>/calls.jsonl`, written when a call is answered or dropped, so that
a test or a person can prove what a failover did and did not need. The control API reads it back.
"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

FILE = "calls.jsonl"
GLOBAL = "global"  # the Region of services that belong to none

# Operations that only look, by the first words of their names.
READS = (
    "AssumeRole",
    "BatchCheck",
    "BatchDescribe",
    "BatchGet",
    "Decode",
    "Describe",
    "Detect",
    "Estimate",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "TransactGet",
    "Validate",
)
KEPT = ("Detect",)  # reads that begin something, which must outlive the server, too
SAFE_VERBS = ("GET", "HEAD", "OPTIONS")


class Outcome(StrEnum):
    """What came of a call."""

    OK = "ok"
    ERROR = "error"
    DROPPED = "dropped"  # never answered


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One line of the log."""

    n: int  # from 1, in the order of answers
    time: str  # when the call came in: AWS-like, ISO, UTC
    region: str  # AWS name, or `global`
    service: str  # as boto3 names it; `kubernetes` and `http` too
    operation: str
    changing: bool
    outcome: Outcome
    status: int | None  # of HTTP; None if dropped
    error: str | None  # the code that AWS or Kubernetes gave
    request_id: str | None
    access_key: str | None

    @classmethod
    def from_json(cls, line: str) -> "CallRecord":
        """Read a line back."""
        values = json.loads(line)
        return cls(**{**values, "outcome": Outcome(values["outcome"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call that came in and is not answered yet."""

    time: datetime
    region: str
    service: str
    operation: str
    changing: bool
    access_key: str | None = None


def iso(time: datetime) -> str:
    """As the log and AWS write a time: 2026-11-22T16:53:01.123Z."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def changes(operation: str, method: str) -> bool:
    """Whether an AWS operation changes something."""
    return method not in SAFE_VERBS and not operation.startswith(READS)


class CallLog:
    """The log of one state folder. Numbers go on where an earlier server stopped."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE
        self._offsets = array("Q", _offsets(self.path))  # where line n - 1 begins
        self._file = self.path.open("ab", buffering=0)

    def answered(
        self, asked: Asked, status: int, error: str | None = None, request_id: str | None = None
    ) -> None:
        """Note a call that got an answer."""
        outcome = Outcome.OK if status < 400 else Outcome.ERROR
        self._write(asked, outcome, status, error, request_id)

    def dropped(self, asked: Asked) -> None:
        """Note a call that will never be answered."""
        self._write(asked, Outcome.DROPPED, None, None, None)

    def after(self, n: int) -> Iterator[CallRecord]:
        """The calls whose number is greater than `n`."""
        if n >= len(self._offsets):
            return
        with self.path.open("rb") as file:
            file.seek(self._offsets[max(n, 0)])
            for line in file:
                yield CallRecord.from_json(line.decode())

    @property
    def last(self) -> int:
        """The number of the newest call; 0 before the first."""
        return len(self._offsets)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _write(
        self,
        asked: Asked,
        outcome: Outcome,
        status: int | None,
        error: str | None,
        request_id: str | None,
    ) -> None:
        record = CallRecord(
            n=len(self._offsets) + 1,
            time=iso(asked.time),
            region=asked.region,
            service=asked.service,
            operation=asked.operation,
            changing=asked.changing,
            outcome=outcome,
            status=status,
            error=error,
            request_id=request_id,
            access_key=asked.access_key,
        )
        self._offsets.append(self._file.tell())
        self._file.write(json.dumps(asdict(record)).encode() + b"\n")


def _offsets(path: Path) -> Iterator[int]:
    if not path.exists():
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield offset
            offset += len(line)
