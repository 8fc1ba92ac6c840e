"""Which nodes are not heard of, and since when: what the leases of the kubelets tell a real cluster.

A node is Unknown after 50 seconds without a heartbeat, and until the first heartbeat after.
https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
"""

from collections.abc import Mapping
from typing import Any

GRACE = 50.0  # AWS-like seconds without a heartbeat until a node is Unknown
HEARTBEAT = 10.0  # seconds until a kubelet that is back has told so


class Silence:
    """The silent nodes of one cluster, by name."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._until: dict[str, float] = {}  # of those that are back: when they are heard again

    def notice(self, silent: Mapping[str, bool], now: float) -> None:
        """Take note of which nodes stand still now, and which do not; others are gone."""
        for gone in self._since.keys() - silent.keys():
            self.forget(gone)
        for name, still in silent.items():
            if still:
                self._since.setdefault(name, now)
                self._until.pop(name, None)
            elif name in self._since and now - self._since[name] < GRACE:
                self.forget(name)
            elif name in self._since:
                self._until.setdefault(name, now + HEARTBEAT)

    def unknown(self, name: str, now: float) -> bool:
        """Whether the node lifecycle controller has given a node up."""
        if name in self._until and now >= self._until[name]:
            self.forget(name)
        return name in self._since and now - self._since[name] >= GRACE

    def since(self, name: str) -> float | None:
        """When a node that is still silent was heard last."""
        return None if name in self._until else self._since.get(name)

    def next_look(self, now: float) -> float | None:
        """Seconds until something changes by itself."""
        moments = [*self._until.values(), *(since + GRACE for since in self._since.values())]
        later = [moment - now for moment in moments if moment > now]
        return min(later, default=None)

    def forget(self, name: str) -> None:
        """A node was heard, or is gone."""
        self._since.pop(name, None)
        self._until.pop(name, None)

    def dump(self) -> Any:
        """What is known, as JSON values."""
        return {"since": self._since, "until": self._until}

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave."""
        self._since, self._until = dict(state["since"]), dict(state["until"])
