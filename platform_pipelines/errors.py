"""The errors of the product, in two families.

`Refused` means that we will not act: the input or the state of the world is wrong, and a person
must change it. `Failed` means that we tried and the world did not follow. Both say where, what, and
what to do next; `__str__` is what the Dagster UI shows.
"""

from dataclasses import dataclass, field


class PlatformError(Exception):
    """Anything that the product raises on purpose."""


class Refused(PlatformError):
    """We will not act; nothing was changed."""


class Failed(PlatformError):
    """We acted or looked, and it did not work."""


@dataclass
class InvalidPlatformFile(Refused):
    """`platform.yaml` has mistakes; all of them are listed."""

    path: str
    mistakes: list[str]

    def __str__(self) -> str:
        count = len(self.mistakes)
        noun = "mistake" if count == 1 else "mistakes"
        lines = "\n".join(f"  - {mistake}" for mistake in self.mistakes)
        return f"{self.path} has {count} {noun}:\n{lines}\nCorrect the file and load it again."


@dataclass
class InvalidEnvironment(Refused):
    """An environment variable is missing or has a value that we do not take."""

    variable: str
    value: str | None
    allowed: str

    def __str__(self) -> str:
        what = "is not set" if self.value is None else f"is {self.value!r}"
        return f"{self.variable} {what}; set it to {self.allowed}."


@dataclass
class UnknownRegion(Refused):
    """A Region was named that `platform.yaml` does not have."""

    name: str
    known: tuple[str, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return f"There is no Region {self.name!r}; platform.yaml has {', '.join(self.known)}."
