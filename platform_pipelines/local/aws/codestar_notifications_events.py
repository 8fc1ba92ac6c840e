"""The events that a notification rule can be about, as the Developer Tools console names them.

https://docs.aws.amazon.com/dtconsole/latest/userguide/concepts.html#concepts-api
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One event of one kind of resource."""

    id: str
    service: str  # as the console names it
    resource: str
    name: str
    arn: str  # the service's name in the ARNs of its resources


_PIPELINE = {
    "action-execution": ("Action execution", "succeeded failed canceled started"),
    "stage-execution": ("Stage execution", "started succeeded resumed canceled failed"),
    "pipeline-execution": (
        "Pipeline execution",
        "failed canceled started resumed succeeded superseded",
    ),
    "manual-approval": ("Manual approval", "failed needed succeeded"),
}
_BUILD = {
    "build-state": ("Build state", "failed succeeded in-progress stopped"),
    "build-phase": ("Build phase", "failure success"),
}


def _of(service: str, resource: str, groups: dict[str, tuple[str, str]]) -> tuple[EventType, ...]:
    arn = service.lower()
    return tuple(
        EventType(
            id=f"{arn}-{resource.lower()}-{group}-{ending}",
            service=service,
            resource=resource,
            name=f"{title}: {ending.replace('-', ' ').capitalize()}",
            arn=arn,
        )
        for group, (title, endings) in groups.items()
        for ending in endings.split()
    )


EVENT_TYPES: dict[str, EventType] = {
    one.id: one
    for one in (*_of("CodePipeline", "Pipeline", _PIPELINE), *_of("CodeBuild", "Project", _BUILD))
}
