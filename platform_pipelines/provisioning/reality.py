"""Where AWS itself contradicts the ledger: a writer in the wrong Region, a replication the wrong way.

Whoever acts on the ledger's word asks here first. Reality is read from both Regions and never
corrected: what to believe is a person's decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from platform_pipelines.aws import efs, rds
from platform_pipelines.aws.region import AwsError, AwsRegion, error_code
from platform_pipelines.errors import Refused
from platform_pipelines.ledger_records import Roles
from platform_pipelines.model import Database, Platform
from platform_pipelines.provisioning.regions import Regions, reaching

SERVING = "serving"  # the object whose presence says that the non-home Region serves


@dataclass
class RealityContradictsLedger(Refused):
    """The ledger says one thing, and AWS another."""

    active: str
    epoch: int
    contradictions: tuple[str, ...]

    def __str__(self) -> str:
        found = "; ".join(self.contradictions)
        return (
            f"The ledger says that {self.active} is active (epoch {self.epoch}), but {found}. "
            f"Nothing was changed. Find out which is right: a failover outside of this project has "
            f"to be made known to the ledger, or undone, by a person."
        )


def refuse_contradictions(platform: Platform, regions: Regions, roles: Roles) -> None:
    """Raises: RealityContradictsLedger, unless every writer is in the active Region and nothing
    replicates into its file systems; RegionUnreachable."""
    active = regions[roles.active]
    with reaching(active):
        found = (*_writers(platform, active), *_inbound(platform, active))
    if found:
        raise RealityContradictsLedger(roles.active, roles.epoch, found)


def refuse_bootstrap(platform: Platform, regions: Regions) -> None:
    """Raises: RealityContradictsLedger, if there are databases already and home does not write
    them: then the ledger is not new, but lost."""
    home = regions[platform.home]
    found = []
    for database in platform.databases:
        with reaching(home):
            state = rds.describe_global(home, platform.global_cluster_id(database))
        if state and state.members and not (state.writer and state.writer.region == home.name):
            found.append(f"{state.identifier} is not written in {platform.home}")
    if found:
        raise RealityContradictsLedger(platform.home, 1, tuple(found))


def traffic_contradiction(platform: Platform, regions: Regions, roles: Roles) -> str | None:
    """What is wrong with the object that moves the traffic, if something is. Only the failover
    writes it."""
    away = platform.other(platform.home)
    bucket = platform.traffic_bucket(away)
    with reaching(regions[away.alias]):
        present = _present(regions[away.alias], bucket)
    if present == (roles.active != platform.home):
        return None
    state = "is there" if present else "is missing"
    serves = away.alias if present else platform.home
    return (
        f"s3://{bucket}/{SERVING} {state}, so clients are sent to {serves}, but the ledger says "
        f"that {roles.active} is active. Only the failover moves traffic: look at the last incident."
    )


def _writers(platform: Platform, active: AwsRegion) -> Iterator[str]:
    for database in platform.databases:
        if wrong := _writer(active, platform.global_cluster_id(database), database):
            yield wrong


def _writer(active: AwsRegion, identifier: str, database: Database) -> str | None:
    state = rds.describe_global(active, identifier)
    if state is None:
        return f"there is no global cluster {identifier} (apply_infrastructure makes it)"
    if state.failover_status:
        return f"{identifier} is {state.failover_status}"
    if state.writer is None:
        return f"{identifier} has no single writer"
    if state.writer.region != active.name:
        return f"database {database.name} is written in {state.writer.region}"
    return None


def _inbound(platform: Platform, active: AwsRegion) -> Iterator[str]:
    ours = {platform.file_system_name(one) for one in platform.file_systems}
    for state in efs.describe(active):
        if state.name in ours and state.receives:
            yield f"file system {state.name} ({state.id}) in {active.alias} is being replicated into"


def _present(region: AwsRegion, bucket: str) -> bool:
    """Whether the object exists; without a bucket it does not."""
    try:
        found = region.s3.list_objects_v2(Bucket=bucket, Prefix=SERVING).get("Contents", [])
    except AwsError as error:
        if error_code(error) == "NoSuchBucket":
            return False
        raise
    return any(one.get("Key") == SERVING for one in found)
