"""What a readiness check says: one finding per thing it looked at, good ones too.

A finding names its subject, the state, why, and what to do next. `Unknown` is what a read returns
when it could not look: it is a value, so that a dark Region can neither crash a check nor pass it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding does to the verdict."""

    OK = "ok"
    WARN = "warn"  # amber
    ERROR = "error"  # red


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check looked at."""

    check: str  # the asset that says it
    subject: str
    state: str
    severity: Severity
    reason: str
    action: str = ""  # what to do next; empty when there is nothing to do

    def __str__(self) -> str:
        text = f"{self.subject}: {self.reason}"
        return f"{text}. {self.action}" if self.action else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """We could not look."""

    region: str  # alias
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} of {self.region} could not be read: {self.reason}"


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that make the verdict red."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Those that make the verdict amber."""
    return [finding for finding in findings if finding.severity is Severity.WARN]
