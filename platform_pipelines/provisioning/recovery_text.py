"""A stuck stack for people: why it is, and the exact run that would go on with it, as Markdown."""

import json
from collections.abc import Iterator, Sequence

from platform_pipelines.aws.recovery import StackResource
from platform_pipelines.provisioning.recover import Recovered
from platform_pipelines.provisioning.statuses import Way
from platform_pipelines.provisioning.stuck import Recovery

_WAYS = {
    Way.CONTINUE: "CloudFormation goes on undoing the update. What is skipped stays as it is, though "
    "CloudFormation calls it complete; it is no longer as the template says.",
    Way.ROLL_BACK: "CloudFormation undoes the operation.",
    Way.DELETE: "The stack is deleted, and apply_infrastructure creates it anew. What is kept stays "
    "in the account, outside of any stack, under its name.",
}


def shown(found: Recovery) -> str:
    """What is stuck, and what confirming would do."""
    if found.way is None:
        return f"{found.where} is {found.status}: there is nothing to recover."
    return "\n".join(_lines(found, found.way))


def config(found: Recovery) -> dict[str, object]:
    """The configuration of the op in the run that goes on, with everything stuck skipped. What
    holds data is nowhere named for deletion: that is for a person to write."""
    return {"stack": found.where, "skip": list(found.skip), "confirm": True}


def done(found: Recovered) -> str:
    """How a stack came back, and what is left to do."""
    if found.way is None:
        return f"{found.where} is {found.status}: there was nothing to recover."
    lines = [f"{found.where} is {found.status} ({found.way})."]
    if found.skipped:
        names = ", ".join(found.skipped)
        lines.append(
            f"Skipped, and not as the template says: {names}. detect_drift shows how; put it right."
        )
    if found.kept:
        lines.append(
            f"Kept outside of any stack: {', '.join(found.kept)}. Before the next apply, import or "
            f"remove what would have the same name."
        )
    lines.append("apply_infrastructure goes on from here.")
    return "\n".join(lines)


def _lines(found: Recovery, way: Way) -> Iterator[str]:
    yield f"**{found.where} is {found.status}.** Way back: {way}. {_WAYS[way]}"
    yield "\nWhy:"
    yield from (f"- {cause}" for cause in dict.fromkeys(found.causes))
    yield from _list("Stuck (`skip` leaves it as it is)", found.stuck, reasons=True)
    yield from _list("Deleted, if it is not skipped", found.deleted)
    yield from _list("Holds data: deleted only if the run names it in `delete`", found.losing)
    yield from _list("Kept", found.kept)
    retry = "Repaired the cause? Then leave `skip` empty. " if found.stuck else ""
    yield f"\nNothing was changed. {retry}To go on, launch `recover_stack` with:"
    run = {"ops": {"recover_one": {"config": config(found)}}}
    yield f"\n```json\n{json.dumps(run, indent=2)}\n```"


def _list(title: str, found: Sequence[StackResource], *, reasons: bool = False) -> Iterator[str]:
    if not found:
        return
    yield f"\n{title}:"
    yield from (f"- {one}{f': {one.reason}' if reasons and one.reason else ''}" for one in found)
