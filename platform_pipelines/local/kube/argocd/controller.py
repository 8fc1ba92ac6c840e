"""One cluster's Argo CD: which Applications to look at, and when.

A *refresh* renders git anew: at every poll, when an Application comes or changes, and when somebody
sets the refresh annotation. A *look* follows a change of something that an Application owns; it
compares with the last render, so that health is told soon and self-heal acts. Only a refresh moves
`reconciledAt`. A render takes processes and so real time: it runs beside the event loop while the
world's time runs, and in between while that stands still, so that a rehearsal on a virtual clock
repeats.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local.kube.argocd.cascade import cascade
from platform_pipelines.local.kube.argocd.checkout import Checkout, NotRendered, Rendered
from platform_pipelines.local.kube.argocd.compare import TRACKING
from platform_pipelines.local.kube.argocd.memory import Memory, Name
from platform_pipelines.local.kube.argocd.policy import has_expired, is_skipped
from platform_pipelines.local.kube.argocd.reconcile import REFRESH, Reconciler
from platform_pipelines.local.kube.kinds import APP_PROJECT, APPLICATION, POD, REPLICA_SET, Kind
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

Object = dict[str, Any]

NAMESPACE = "argocd"  # whose Applications it follows, unless it is told of more
CASCADE_AFTER = 10.0  # seconds from the deletion of an Application to that of what it owns
NOTICED_AFTER = 5.0  # seconds from a new or changed Application to its refresh
LOOK_AFTER = 1.0  # seconds from a change to a look, so that many changes make one


@dataclass
class ArgoCd:
    """Argo CD in one cluster. Used from the event loop's thread only."""

    world: World
    region: Region
    store: Store
    checkout: Checkout
    memory: Memory = field(init=False)
    _reconciler: Reconciler = field(init=False)
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.memory = Memory(self.resume)
        self._reconciler = Reconciler(self.store)

    def start(self) -> None:
        """Follow the store, and poll from now on."""
        self.store.subscribe(self._changed)
        self.world.on_change(self.resume)
        self.world.timers.every(self._rhythm, "argocd.poll", alias=self.region.alias)

    # Reasons to act

    def poll(self) -> None:
        """Refresh every Application, and again in `argocd_poll` seconds."""
        self.world.timers.after(self._rhythm, "argocd.poll", alias=self.region.alias)
        for application in self._followed():
            self._refresh_soon(_name(application))
        self.cascade()

    def work(self) -> None:
        """Refresh what is wanted; while Argo CD stands still it waits."""
        if self.world.clock.virtual:
            while (wanted := self._next()) is not None:
                self._refreshed(*wanted, self._render(wanted[0]))
        elif self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    def look(self) -> None:
        """Compare every Application with its last render."""
        if self.still:
            return
        for application in self._followed():
            rendered = self.memory.rendered(_name(application))
            if rendered is not None:
                self._compare(_name(application), rendered, reconciled=False)

    def cascade(self) -> None:
        """Delete what deleted Applications own, and let them go."""
        for application in [] if self.still else self._followed():
            if application["metadata"].get("deletionTimestamp"):
                cascade(self.store, clone(application))

    def resume(self) -> None:
        """Something is right again, or the world was put back: go on with what waited."""
        if not self.still and self.memory.wanted:
            self._later("argocd.work", 0)
            self._later("argocd.look", LOOK_AFTER)

    async def idle(self) -> None:
        """Wait until nothing is being refreshed."""
        while self._task is not None and not self._task.done():
            await self._task

    @property
    def still(self) -> bool:
        """Whether nothing moves: its nodes or the Kubernetes API are gone, or it is wedged."""
        world = self.world
        gone = world.dark(self.region) or world.frozen(self.region)
        return gone or world.faults.wedged(self.region.alias)

    @property
    def _rhythm(self) -> float:
        return self.world.durations.argocd_poll

    def _changed(self, event: str, kind: Kind, obj: Object) -> None:
        if kind is APPLICATION:
            if event != "DELETED" and obj["metadata"]["namespace"] == NAMESPACE:
                self._noticed(obj)
        elif kind is APP_PROJECT:
            for application in self._followed():
                self._refresh_soon(_name(application))
        elif kind in (POD, REPLICA_SET) or TRACKING in (obj["metadata"].get("annotations") or {}):
            self._later("argocd.look", LOOK_AFTER)

    def _followed(self) -> list[Object]:
        """The Applications that do not ask to be left alone."""
        found = self.store.peek_all(APPLICATION, NAMESPACE)
        return [one for one in found if not is_skipped(one)]

    def _noticed(self, application: Object) -> None:
        metadata = application["metadata"]
        if is_skipped(application):
            return
        if metadata.get("deletionTimestamp"):
            self._later("argocd.cascade", CASCADE_AFTER)
        elif REFRESH in (metadata.get("annotations") or {}) or "operation" in application:
            self._refresh_soon(_name(application))
        elif self._is_news(application):
            self._refresh_soon(_name(application), NOTICED_AFTER)

    def _is_news(self, application: Object) -> bool:
        """Whether it is not what was refreshed last, or was left alone for longer than a poll."""
        if self.memory.spec(_name(application)) != application["spec"]:
            return True
        return has_expired(application, self.world.now(), self._rhythm + NOTICED_AFTER)

    def _refresh_soon(self, name: Name, seconds: float = 0) -> None:
        self.memory.want(name)
        self._later("argocd.work", seconds)

    def _later(self, kind: str, seconds: float) -> None:
        alias = self.region.alias
        if not seconds or not self.world.timers.pending(kind, alias=alias):
            self.world.timers.after(seconds, kind, alias=alias)

    # Refreshing

    async def _work(self) -> None:
        while (wanted := self._next()) is not None:
            self._refreshed(*wanted, await asyncio.to_thread(self._render, wanted[0]))
            self.world.vault.soon()

    def _next(self) -> tuple[Object, int] | None:
        """An Application to be refreshed, and the number of its request; None if there is nothing
        to do now."""
        while self.memory.wanted and not self.still:
            name, number = next(iter(self.memory.wanted.items()))
            application = self.store.get(APPLICATION, *name)
            if application is not None and _is_live(application):
                self.memory.begin(name, application["spec"])
                return application, number
            if application is None:
                self.memory.forget(name)
            self.memory.done(name, number)
        return None

    def _render(self, application: Object) -> Rendered | NotRendered:
        source = application["spec"].get("source") or {}
        try:
            if not source.get("path"):
                raise NotRendered("only sources with a path are followed by the local Regions")
            return self.checkout.render(source["path"])
        except NotRendered as failure:
            return failure

    def _refreshed(
        self, application: Object, number: int, rendered: Rendered | NotRendered
    ) -> None:
        if self.still:  # since it was begun: begun again when everything is right again
            return
        name = _name(application)
        if isinstance(rendered, NotRendered):
            self._reconciler.fail(name, "ComparisonError", str(rendered))
        else:
            self.memory.keep(name, rendered)
            self._compare(name, rendered, reconciled=True)
        self.memory.done(name, number)

    def _compare(self, name: Name, rendered: Rendered, *, reconciled: bool) -> None:
        wait = self._reconciler.compare(name, rendered, reconciled=reconciled)
        if wait is not None:
            self._later("argocd.look", wait.seconds)


def _is_live(application: Object) -> bool:
    return not application["metadata"].get("deletionTimestamp") and not is_skipped(application)


def _name(application: Object) -> Name:
    return application["metadata"]["namespace"], application["metadata"]["name"]
