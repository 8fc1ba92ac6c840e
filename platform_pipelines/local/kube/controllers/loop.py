"""Drives the controllers of one cluster: on changes of the store, on timers, never while frozen.

A change only marks the controllers that watch its kind; they run from a timer that is due at once,
so a controller never runs inside another one's write. A tick comes every few seconds, for what the
store does not tell, as node groups. What goes wrong in the world is looked at when it does.
"""

import logging
from collections.abc import Sequence
from typing import Any

from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller
from platform_pipelines.local.kube.controllers.objects import Object
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.vault import Value
from platform_pipelines.local.world import World

log = logging.getLogger(__name__)

TICK = 4.0  # AWS-like seconds
LEAST_TICK = 0.1  # real seconds, at any speed
ROUNDS = 100  # of one run: controllers that disagree for ever must not stop the server


class Loop:
    """The controllers of one cluster, in the order in which a change runs through them."""

    def __init__(self, cluster: Cluster, controllers: Sequence[Controller]) -> None:
        self.cluster = cluster
        self.controllers = controllers
        self._due: set[Controller] = set()
        cluster.store.subscribe(self._changed)
        cluster.world.on_change(self._look)
        part = f"kube.controllers.{cluster.region.alias}"
        cluster.world.vault.add(part, Value(self.dump, self.load))

    def start(self) -> None:
        """Look at everything once, and tick from now on."""
        self._due.update(self.controllers)
        self._soon()
        alias = self.cluster.region.alias
        self.cluster.world.timers.every(self._rhythm(), "kube.tick", alias=alias)

    def tick(self) -> None:
        """Time has passed."""
        alias = self.cluster.region.alias
        self.cluster.world.timers.after(self._rhythm(), "kube.tick", alias=alias)
        self._look()
        self.run()

    def wake(self, controller: str) -> None:
        """A controller asked to look again at this time."""
        self.cluster.woken()
        self._due.update(one for one in self.controllers if str(one) == controller)
        self.run()

    def run(self) -> None:
        """Run the controllers that have a reason, until none has."""
        for _ in range(ROUNDS):
            if self.cluster.frozen or not self._due:
                return
            for controller in self.controllers:
                if controller in self._due:
                    self._due.discard(controller)
                    self._reconcile(controller)

    def dump(self) -> dict[str, Any]:
        """What the controllers know besides the objects."""
        states = {str(one): one.dump() for one in self.controllers}
        return {name: state for name, state in states.items() if state is not None}

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `dump` gave, and look at everything."""
        self.cluster.restored()
        for controller in self.controllers:
            controller.load(state.get(str(controller)))
        self._due.update(self.controllers)
        self._soon()

    def _look(self) -> None:
        """Note what goes wrong, frozen or not, and have everyone who ticks look at it soon."""
        for controller in self.controllers:
            controller.notice()
        self._due.update(one for one in self.controllers if one.ticks)
        self._soon()

    def _reconcile(self, controller: Controller) -> None:
        """What the store refuses, as a pod in a namespace that goes, is tried again later."""
        try:
            controller.reconcile()
        except KubeFault as fault:
            log.warning("%s in %s: %s", controller, self.cluster.region.alias, fault)

    def _changed(self, event: str, kind: Kind, obj: Object) -> None:  # noqa: ARG002  # a listener's form
        watching = {one for one in self.controllers if kind in one.watches}
        if watching - self._due:
            self._due |= watching
            self._soon()

    def _soon(self) -> None:
        alias = self.cluster.region.alias
        if not self.cluster.world.timers.pending("kube.run", alias=alias):
            self.cluster.world.timers.after(0, "kube.run", alias=alias)

    def _rhythm(self) -> float:
        return max(TICK, LEAST_TICK * self.cluster.world.clock.speed)


def handle_timers(world: World, loops: dict[str, Loop]) -> None:
    """Say what the timers of the controllers mean; `loops` by the Region's alias."""
    world.timers.on("kube.run", lambda alias: loops[alias].run())
    world.timers.on("kube.tick", lambda alias: loops[alias].tick())
    world.timers.on("kube.wake", lambda alias, controller: loops[alias].wake(controller))
