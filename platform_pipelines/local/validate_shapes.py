"""What the checks of every wire form share: findings, where they are, and values written as text."""

import base64
import binascii
import re
from collections.abc import Callable
from email.utils import parsedate_tz

from botocore.model import Shape, StringShape

# A place in an answer, outermost first; a number is an index of a list.
Path = tuple[str | int, ...]

ENOUGH = 20  # findings; more of one answer tell nothing new

# What AWS itself answers although botocore's enums do not have it: a shape, and a value.
_BEYOND_THE_MODEL = frozenset(
    {
        ("AttachmentStatus", "available"),  # of an Internet gateway, as the model's text says
        ("FailoverStatus", "switching-over"),  # of an Aurora global cluster
        ("State", "available"),  # of a VPC endpoint; small, whatever the enum says
        ("State", "deleting"),
        ("State", "pending"),
        ("ResourceStatus", "REVIEW_IN_PROGRESS"),  # the first event of a stack made by a change set
        # A stack's events have its own status, which StackStatus has and ResourceStatus only in part.
        ("ResourceStatus", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("ResourceStatus", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    }
)
_INTEGER = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


class Findings:
    """What is wrong with one answer, as lines that say where."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self.texts: list[str] = []

    def add(self, path: Path, text: str) -> None:
        """Note that something is wrong at `path`."""
        if len(self.texts) < ENOUGH:
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
            self.texts.append(f"{self._operation}{place} {text}")


def check_enum(shape: Shape, value: str, path: Path, found: Findings) -> None:
    """A string of the values that the model lists, if it lists any."""
    if not isinstance(shape, StringShape) or not shape.enum or value in shape.enum:
        return
    if (shape.name, value) not in _BEYOND_THE_MODEL:
        found.add(path, f"is {value!r}, not one of {', '.join(shape.enum)}")


def check_text(
    shape: Shape, text: str, path: Path, found: Findings, *, in_header: bool = False
) -> None:
    """A value as XML and headers have it: in text."""
    if shape.type_name in ("string", "character"):
        check_enum(shape, text, path, found)
    elif shape.type_name == "timestamp":
        if not _is_time(shape, text, "rfc822" if in_header else "iso8601"):
            found.add(path, f"is {text!r}, which is no timestamp as this service writes it")
    elif not _TEXTS.get(shape.type_name, _anything)(text):
        found.add(path, f"is {text!r}, not a {shape.type_name}")


def _is_time(shape: Shape, text: str, default: str) -> bool:
    form = shape.serialization.get("timestampFormat", default)
    return TIME_TEXTS[form](text)


def is_base64(text: str) -> bool:
    """Whether bytes were written as AWS does."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _anything(_text: str) -> bool:
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


TIME_TEXTS: dict[str, Callable[[str], bool]] = {
    "iso8601": _matches(_ISO),
    "rfc822": lambda text: parsedate_tz(text) is not None,
    "unixTimestamp": _matches(_FLOAT),
}
_TEXTS: dict[str, Callable[[str], bool]] = {
    "integer": _matches(_INTEGER),
    "long": _matches(_INTEGER),
    "float": _matches(_FLOAT),
    "double": _matches(_FLOAT),
    "boolean": lambda text: text in ("true", "false"),
    "blob": is_base64,
}
