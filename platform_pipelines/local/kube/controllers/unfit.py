"""What the scheduler says of a pod that no node takes, in the words of kube-scheduler 1.36.

The second half is about preemption: whether a node would take the pod if others left it. Nobody here
has a higher priority than another, so there are never victims.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NONE_AVAILABLE = "no nodes available to schedule pods"  # of a cluster without nodes
_NO_VICTIMS = "No preemption victims found for incoming pod"
_NOT_HELPFUL = "Preemption is not helpful for scheduling"
_NO_CLAIMS = "no new claims to deallocate"  # of dynamic resources, which are asked first


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Why one node does not take a pod."""

    reasons: tuple[str, ...]
    passing: bool = False  # whether it would if other pods left it


def sentence(refusals: Sequence[Unfit]) -> str:
    """What is said if every node refuses."""
    reasons = Counter(reason for one in refusals for reason in one.reasons)
    afterwards = Counter(_NO_VICTIMS if one.passing else _NOT_HELPFUL for one in refusals)
    return _whole(_counted(reasons), afterwards, len(refusals))


def all_unfit(why: str, total: int) -> str:
    """What is said of a pod that no node is even asked to take."""
    return _whole(why, Counter({_NOT_HELPFUL: total}), total)


def _whole(why: str, afterwards: Counter[str], total: int) -> str:
    none = f"0/{total} nodes are available"
    return f"{none}: {why}. {_NO_CLAIMS}, preemption: {none}: {_counted(afterwards)}."


def _counted(reasons: Counter[str]) -> str:
    told: Iterable[str] = (f"{count} {reason}" for reason, count in reasons.items())
    return ", ".join(sorted(told))
