"""Which drift a failover explains: properties that belong to roles, while its incident is not over.

A failover changes what is, and no template with it. As long as the ledger has an incident that is
open or settled, such a difference is named with the incident instead of failing a check; before and
after, and anywhere else, the same difference is unexpected. Called by `drift`.
"""

from dataclasses import dataclass
from enum import StrEnum

from platform_pipelines.ledger_records import Incident, IncidentState

EXPLAINING = (IncidentState.OPEN, IncidentState.SETTLED)


class Side(StrEnum):
    """Where an incident changes a property."""

    OLD = "the Region that it fails over from"
    BOTH = "both Regions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A property whose value follows the roles."""

    type: str
    property: str  # of the resource, as a template names it
    side: Side
    why: str


OWNED = (
    Owned(
        type="AWS::RDS::DBCluster",
        property="GlobalClusterIdentifier",
        side=Side.OLD,
        why="the old writer is out of the global cluster until it has joined it again",
    ),
    Owned(
        type="AWS::RDS::GlobalCluster",
        property="SourceDBClusterIdentifier",
        side=Side.BOTH,
        why="it reads back as the writer of the day",
    ),
    Owned(
        type="AWS::EFS::FileSystem",
        property="ReplicationConfiguration",
        side=Side.BOTH,
        why="the failover ends the replication",
    ),
    Owned(
        type="AWS::EFS::FileSystem",
        property="FileSystemProtection",
        side=Side.BOTH,
        why="the failover makes the file system writable",
    ),
    Owned(
        type="AWS::EKS::Nodegroup",
        property="ScalingConfig",
        side=Side.BOTH,
        why="node counts follow the roles",
    ),
    Owned(
        type="AWS::CodePipeline::Pipeline",
        property="DisableInboundStageTransitions",
        side=Side.BOTH,
        why="pipelines run in the active Region only",
    ),
)


def reason(incident: Incident | None, alias: str, kind: str, path: str) -> str | None:
    """Why a property of a resource of this type is not as its template says, in this Region; None
    if no incident explains it. `path` is the difference's, as /ScalingConfig/DesiredSize."""
    if incident is None or incident.state not in EXPLAINING:
        return None
    found = next((one for one in OWNED if _is(one, kind, path)), None)
    if found is None or (found.side is Side.OLD and alias == incident.target):
        return None
    return f"{incident.id} ({incident.state}, to {incident.target}): {found.why}"


def _is(owned: Owned, kind: str, path: str) -> bool:
    return kind == owned.type and path.split("/")[1:2] == [owned.property]
