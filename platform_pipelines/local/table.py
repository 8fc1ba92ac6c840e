"""The part of docs/local-regions.md that the code writes: what is answered, and how long things take.

`python -m platform_pipelines.local.table` prints it; with a file's name it puts it between the
file's markers. It is made from the operations themselves, so it cannot promise what is not there.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from platform_pipelines.errors import Refused
from platform_pipelines.local.aws import catalogue
from platform_pipelines.local.aws.catalogue import Operation
from platform_pipelines.local.durations import Durations

BEGIN = "<!-- made by `python -m platform_pipelines.local.table docs/local-regions.md`: begin -->"
END = "<!-- made by platform_pipelines.local.table: end -->"
NAMED = 60  # absent operations of a service; of more only their number is told

_HOW = """\
## Operations

What an operation begins, with its intermediate states, and the errors of its own that it answers.
Besides them every operation answers what its service answers to a request that its model does not
allow, and whatever a fault was told to do (throttling, 5xx, latency). An operation, a parameter or a
service that is not here is answered at once with `NotImplemented` (501)."""
_TIME = """\
## Durations

Each transition's length in AWS-like seconds, as `--durations` may change it."""


@dataclass
class NoMarkers(Refused):
    """A file without a place for the tables."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path} has no place for the tables; put these lines into it: {BEGIN} {END}"


def render() -> str:
    """The operations and the durations, in Markdown."""
    services = groupby(catalogue.operations(), key=lambda one: one.service)
    parts = [_HOW, *(_service(name, list(found)) for name, found in services), _durations()]
    return "\n\n".join(parts) + "\n"


def updated(text: str, path: Path) -> str:
    """The file's text with the tables of now. Raises: NoMarkers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoMarkers(path)
    return f"{before}{BEGIN}\n\n{render()}\n{END}{after}"


def _service(name: str, operations: Sequence[Operation]) -> str:
    known = catalogue.known(name)
    lines = [f"### {name}: {len(operations)} of {len(known)}", ""]
    ours = [one for one in operations if one.ours]
    passed = [one.name for one in operations if not one.ours]
    if ours:
        lines += _table(("operation", "states", "errors"), map(_row, ours))
    if passed:
        lines += ["", f"By ministack as AWS does: {_names(passed)}."]
    lines += ["", _absent(catalogue.absent(name))]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def _row(one: Operation) -> tuple[str, str, str]:
    return f"`{one.name}`", _cell(one.about.states), ", ".join(sorted(one.about.raises))


def _absent(names: Sequence[str]) -> str:
    if not names:
        return "Nothing is missing."
    if len(names) > NAMED:
        return f"Not implemented: the other {len(names)}."
    return f"Not implemented: {_names(names)}."


def _durations() -> str:
    rows = (
        (f"`{name}`", f"{field.default:g}", _cell(field.description or ""))
        for name, field in Durations.model_fields.items()
    )
    return "\n".join([_TIME, "", *_table(("name", "seconds", "what"), rows)])


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(titles)
    yield _line(["---"] * len(titles))
    yield from map(_line, rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """A text as it stands in a table."""
    return text.replace("|", "\\|")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables, or put them into a file."""
    parser = argparse.ArgumentParser(prog="python -m platform_pipelines.local.table")
    parser.add_argument("file", type=Path, nargs="?", help="Markdown with the markers")
    path: Path | None = parser.parse_args(argv).file
    if path is None:
        sys.stdout.write(render())
        return 0
    try:
        path.write_text(updated(path.read_text(), path))
    except (Refused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
