"""What the fake CloudFormation remembers: stacks, change sets, and what resources really are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass
class Stack:
    """One stack."""

    name: str
    id: str
    status: str
    created: datetime
    updated: datetime | None = None
    template: Json = field(default_factory=lambda: {"Resources": {}})
    parameters: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)  # logical id: physical id
    outputs: dict[str, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    protected: bool = False
    policy: str = ""
    role: str | None = None
    tags: list[Json] = field(default_factory=list)
    reason: str = ""
    change_set: "ChangeSet | None" = None  # that is being executed
    then: Callable[[], None] | None = None  # what ends another operation
    ends: float = 0.0
    # What was changed outside of CloudFormation: logical id: property: value (None: it is absent).
    reality: dict[str, Json] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # logical ids of what is not there any more
    unreadable: dict[str, str] = field(default_factory=dict)  # logical id: why drift is unknown
    stuck: dict[str, str] = field(default_factory=dict)  # logical id: why it cannot be rolled back


@dataclass
class ChangeSet:
    """One change set."""

    id: str
    name: str
    stack: Stack
    kind: str
    template: Json
    parameters: dict[str, str]
    ready: float
    status: str
    reason: str
    changes: list[Json]
    execution: str = "AVAILABLE"
    on_failure: str | None = None
    role: str | None = None
    tags: list[Json] = field(default_factory=list)
    token: str | None = None  # with which it was executed
    failed_events: list[Json] = field(default_factory=list)
