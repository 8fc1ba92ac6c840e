"""What a stack is: a template per Region, what must be applied before it, and where its inputs are.

These are the records of the registry in `cfn`; provisioning walks them and never looks into a
template. They say nothing about roles: a stack lives in each Region, or once, in home.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from troposphere import Template

from platform_pipelines.model import Platform, Region


class Scope(StrEnum):
    """How often a stack exists."""

    EACH = "each"  # in both Regions
    ONCE = "once"  # in home only


class Where(StrEnum):
    """In which Region another stack is needed, seen from the Region of the one that needs it."""

    SAME = "same"
    OTHER = "other"
    HOME = "home"
    EACH = "each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A stack that must be applied before."""

    stack: str
    region: Where = Where.SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A value that another stack gives: of the same Region or of the other one; of home, if that
    stack exists once."""

    stack: str
    key: str
    region: Where = Where.SAME  # or OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack of the platform."""

    name: str
    scope: Scope
    build: Callable[[Platform, Region], Template]
    after: tuple[Dependency, ...] = ()
    parameters: Mapping[str, Output] = field(default_factory=dict)  # by the template's parameter
    stateful: bool = False  # holds data: termination protection, rules against loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A stack in a Region: what is rendered, planned and applied."""

    stack: Stack
    region: Region

    @property
    def key(self) -> tuple[str, str]:
        """(alias, stack): the asset key, and the path of the rendered file."""
        return self.region.alias, self.stack.name

    def __hash__(self) -> int:
        return hash(self.key)
