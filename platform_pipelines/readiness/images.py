"""`ecr_image_parity`: can each Region pull, from its own registry, every image that either names?

Equal means equal digests: of the index and of each of its children. Tags only matter where a pod
template pulls by tag, or where a lifecycle policy may remove what lost its tag.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from platform_pipelines.model import Platform
from platform_pipelines.readiness.finding import Finding, Unknown
from platform_pipelines.readiness.image_case import CHECK, Case, Copies, State, finding, side
from platform_pipelines.readiness.inventory import Images
from platform_pipelines.readiness.references import Reference

__all__ = ["CHECK", "Copies", "State", "parity"]


def parity(
    platform: Platform,
    inventories: Mapping[str, Images | Unknown],
    copies: Copies,
    now: datetime,
) -> list[Finding]:
    """Every image that pod templates of either Region name, and whether both Regions have it.
    `copies` is asked only for images that one Region has and the other lacks."""
    unknown = [one for one in inventories.values() if isinstance(one, Unknown)]
    if unknown:
        return [_unknown(one.region, str(one)) for one in unknown]
    known = [one for one in inventories.values() if not isinstance(one, Unknown)]
    findings = [found for one in known for found in _registries(platform, one)]
    for name in sorted(
        {ref.name for one in known for ref in one.references if _ours(platform, ref)}
    ):
        sides = tuple(side(name, one) for one in known)
        findings += Case(name=name, sides=sides, copies=copies, now=now).findings()
    return findings or [_unknown("both Regions", "no pod template of either names an image")]


def _ours(platform: Platform, reference: Reference) -> bool:
    """Whether it names the platform's account; AWS's own add-ons come from AWS's registries."""
    return reference.registry is not None and reference.registry[0] == platform.account


def _registries(platform: Platform, images: Images) -> Iterator[Finding]:
    """Names whose registry is not the Region's own: such a pull dies with another Region."""
    region = platform.region(images.region)
    host = platform.registry_host(region)
    for one in images.references:
        used = f"{one.host}/{one.name} of {_users(one.users)} in {region.alias}"
        if one.registry is None:
            why = f"{used} comes from outside ECR"
            yield finding(one.name, State.FOREIGN, why, f"Push it to {host} and name that")
        elif one.registry[1] != region.name:
            why = f"{used} names another Region's registry"
            act = f"Name {host} in the overlay of {region.alias}"
            yield finding(one.name, State.WRONG_REGISTRY, why, act)


def _unknown(subject: str, why: str) -> Finding:
    act = "Look whether the Region answers and the services are deployed, then run it again"
    return finding(subject, State.UNKNOWN, why, act)


def _users(users: tuple[str, ...]) -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"{users[0]}{more}" if users else "nobody"
