"""A plan for people: as text for the log, as Markdown for the UI."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from platform_pipelines.aws.change_sets import KNOWN_AFTER_APPLY, PropertyChange, ResourceChange
from platform_pipelines.provisioning import loss
from platform_pipelines.provisioning.outcome import Outcome
from platform_pipelines.provisioning.planned import Action, Plan, UnitPlan

WIDTH = 160  # of a value; longer ones are cut
_CHANGES = (
    "| Resource | Type | Action | Property | Before | After |",
    "|---|---|---|---|---|---|",
)
SIGNS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": "=", "Dynamic": "?"}


def text(plan: Plan) -> str:
    """The plan, one line a resource and one a property."""
    return "\n".join([line for unit in plan.units for line in _unit(unit)] + [summary(plan)])


def summary(plan: Plan) -> str:
    """The plan in one sentence."""
    counts = Counter(unit.action for unit in plan.units)
    parts = [f"{counts[action]} {action}" for action in Action if counts[action]]
    lost = [name for unit in plan.units for name in unit.losses]
    named = [name for unit in plan.units for name in unit.to_allow]
    needs = f" To apply it, allow_replace must name {', '.join(named)}." if named else ""
    warning = f" Data would be lost: {', '.join(lost)}." if lost else ""
    return f"Stacks: {', '.join(parts) or 'none'}.{needs}{warning}"


def markdown(plan: Plan) -> str:
    """A table of the stacks, and one of their changes."""
    head = "| Stack | Action | Add | Change | Replace | Remove | Data lost | Notes |"
    rule = "|---|---|--:|--:|--:|--:|---|---|"
    rows = [head, rule, *(_row(unit) for unit in plan.units)]
    changes = [line for unit in plan.units for line in _change_rows(unit.key, unit.changes)]
    return "\n".join([*rows, "", *_CHANGES, *changes] if changes else rows)


def document(plan: Plan) -> dict[str, Any]:
    """The plan for programs; None where something does not exist."""
    return {
        "id": plan.id,
        "epoch": plan.epoch,
        "kept": plan.kept,
        "summary": summary(plan),
        "units": [asdict(unit) for unit in plan.units],
    }


def reasons(found: Iterable[UnitPlan | Outcome]) -> list[str]:
    """Why units failed; those that failed for the same reason stand together, as all of a dark
    Region do."""
    together: dict[str, list[str]] = {}
    for one in found:
        together.setdefault(one.reason, []).append("/".join(one.key))
    return [f"{', '.join(names)}: {reason}" for reason, names in together.items()]


def changes_table(key: tuple[str, str], changes: Sequence[ResourceChange]) -> str:
    """A Markdown table of one stack's changes."""
    return "\n".join([*_CHANGES, *_change_rows(key, changes)])


def _unit(unit: UnitPlan) -> Iterator[str]:
    reason = f": {unit.reason}" if unit.reason else ""
    yield f"{unit.alias}/{unit.stack}: {unit.action}{reason}"
    for name in unit.unknown:
        yield f"  not known yet: {name}"
    for change in unit.changes:
        yield f"  {_resource(change)}"
        for one in change.properties:
            yield f"      {one.path}: {_values(one)}"


def _resource(change: ResourceChange) -> str:
    lost = "  LOSES DATA" if loss.loses_data(change) else ""
    replaced = "  is replaced" if _replaced(change) else ""
    sign = SIGNS.get(change.action, change.action)
    return f"{sign} {change.logical_id}  {change.type}{replaced}{lost}"


def _values(one: PropertyChange) -> str:
    if one.before is None and one.after is None:
        return (
            "changes" if one.recreation == "Never" else "changes, and so the resource is replaced"
        )
    if one.before is None:
        return _value(one.after)
    return f"{_value(one.before)} → {_value(one.after)}"


def _value(value: str | None) -> str:
    if value is None:
        return "(none)"
    shown = value.replace(KNOWN_AFTER_APPLY, "known after apply")
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 1]}…"


def _replaced(change: ResourceChange) -> bool:
    return change.replacement in ("True", "Conditional")


def _row(unit: UnitPlan) -> str:
    kinds = Counter("Replace" if _replaced(one) else one.action for one in unit.changes)
    notes = [f"not known yet: {name}" for name in unit.unknown]
    notes += [f"allow_replace must name {name}" for name in unit.to_allow] + [unit.reason]
    cells = (
        f"{unit.alias}/{unit.stack}",
        str(unit.action),
        *(str(kinds[kind] or "") for kind in ("Add", "Modify", "Replace", "Remove")),
        ", ".join(unit.losses),
        "; ".join(note for note in notes if note),
    )
    return _cells(*cells)


def _change_rows(key: tuple[str, str], changes: Sequence[ResourceChange]) -> Iterator[str]:
    for change in changes:
        where = "/".join((*key, change.logical_id))
        action = f"{change.action}, replaced" if _replaced(change) else change.action
        if change.action == "Add" or not change.properties:
            yield _cells(where, change.type, action, "", "", "")
            continue
        for one in change.properties:
            yield _cells(
                where, change.type, action, one.path, _value(one.before), _value(one.after)
            )


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
