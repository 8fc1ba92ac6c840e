"""The versions of RDS for PostgreSQL.

https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-versions.html
"""

from platform_pipelines.local.aws.service import Fault

ENGINE, PORT = "postgres", 5432
# By major version: the minor ones that can be chosen.
_MINORS = {
    13: (*range(15, 24),),
    14: (*range(12, 21),),
    15: (*range(7, 16),),
    16: (*range(3, 12),),
    17: (*range(1, 8),),
    18: (1,),
}
_DEFAULT = 17
VERSIONS = tuple(f"{major}.{minor}" for major, minors in _MINORS.items() for minor in minors)


def known(version: str | None) -> str:
    """A version that RDS offers: `17` stands for the newest 17.x. Raises: Fault."""
    wanted = version or str(_DEFAULT)
    if wanted.isdigit() and int(wanted) in _MINORS:
        return f"{wanted}.{max(_MINORS[int(wanted)])}"
    if wanted not in VERSIONS:
        text = f"Cannot find version {wanted} for {ENGINE}"
        raise Fault("InvalidParameterCombination", text)
    return wanted


def major(version: str) -> int:
    """The part of a version that only a major upgrade changes."""
    return int(version.partition(".")[0])


def family(version: str) -> str:
    """The family of a version's parameter groups."""
    return f"{ENGINE}{major(version)}"


def order(version: str) -> list[int]:
    """A version as numbers, so that a later one is greater."""
    return [int(part) for part in version.split(".")]


def check_upgrade(old: str, wanted: str, *, major_allowed: bool) -> str:
    """The version that an upgrade leads to. Raises: Fault, where RDS offers none."""
    new = known(wanted)
    if order(new) < order(old):
        text = f"Cannot upgrade {ENGINE} from {old} to {new}"
        raise Fault("InvalidParameterCombination", text)
    if major(new) != major(old) and not major_allowed:
        text = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major"
        raise Fault("InvalidParameterCombination", f"{text} version.")
    return new


def families() -> set[str]:
    """Of every version."""
    return {family(one) for one in VERSIONS}
