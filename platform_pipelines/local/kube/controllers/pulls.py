"""When an image that could not be pulled is tried again: after 10 s, then twice as long each time,
at most five minutes. https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
"""

from typing import Any

FIRST, LONGEST = 10.0, 300.0  # AWS-like seconds
MOMENT = 2.0  # from the error until the kubelet says that it backs off


class Pulls:
    """The failed pulls of one cluster, by the pod's uid."""

    def __init__(self) -> None:
        self._tries: dict[str, int] = {}
        self._next: dict[str, float] = {}

    def failed(self, uid: str, now: float) -> None:
        """A pull failed now."""
        self._tries[uid] = self._tries.get(uid, 0) + 1
        self._next[uid] = now + self._delay(uid)

    def wait(self, uid: str, now: float) -> float:
        """Seconds until the next try; none for what never failed."""
        return self._next.get(uid, now) - now

    def settled(self, uid: str, wait: float) -> bool:
        """Whether a moment has passed since the error."""
        return self._delay(uid) - wait >= MOMENT

    def forget(self, uid: str) -> None:
        """The pod runs, or is gone."""
        self._tries.pop(uid, None)
        self._next.pop(uid, None)

    def dump(self) -> Any:
        """What is known, as JSON values."""
        return {"tries": self._tries, "next": self._next}

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave."""
        self._tries, self._next = dict(state["tries"]), dict(state["next"])

    def _delay(self, uid: str) -> float:
        return float(min(LONGEST, FIRST * 2 ** (self._tries.get(uid, 1) - 1)))
