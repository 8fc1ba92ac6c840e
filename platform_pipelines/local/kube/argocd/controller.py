"""One cluster's Argo CD: which Applications to look at, when, and what to do about each.

A *refresh* renders git anew: at every poll, when an Application comes or changes, and when somebody
sets the refresh annotation. A *look* follows a change of something that an Application owns; it
compares with the last render, so that health is told soon and self-heal acts. Only a refresh moves
`reconciledAt`.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local.kube.argocd import projects, status
from platform_pipelines.local.kube.argocd.cascade import cascade
from platform_pipelines.local.kube.argocd.checkout import Checkout, NotRendered, Rendered
from platform_pipelines.local.kube.argocd.compare import TRACKING, Resource, compared
from platform_pipelines.local.kube.argocd.health import UNKNOWN, Health, of_application
from platform_pipelines.local.kube.argocd.policy import Wait, due_sync
from platform_pipelines.local.kube.argocd.sync import sync
from platform_pipelines.local.kube.kinds import APP_PROJECT, APPLICATION, POD, REPLICA_SET, Kind
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region

Object = dict[str, Any]
Name = tuple[str, str]  # namespace and name of an Application

REFRESH = "argocd.argoproj.io/refresh"
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
    _wanted: set[Name] = field(default_factory=set)
    _rendered: dict[Name, Rendered] = field(default_factory=dict)
    _seen: dict[Name, Object] = field(default_factory=dict)  # the specs that were refreshed
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow the store, and poll from now on."""
        self.store.subscribe(self._changed)
        self.poll()

    # Reasons to act

    def poll(self) -> None:
        """Refresh every Application, and again in `argocd_poll` seconds."""
        seconds = self.world.durations.argocd_poll
        self.world.timers.after(seconds, "argocd.poll", alias=self.region.alias)
        for application in self.store.peek_all(APPLICATION):
            self._refresh_soon(_name(application))
        self.cascade()

    def work(self) -> None:
        """Begin what is wanted; while the Region is dark everything waits for the next poll."""
        if self.dark or not self._wanted or (self._task and not self._task.done()):
            return
        self._task = asyncio.get_running_loop().create_task(self._work())

    def look(self) -> None:
        """Compare every Application with its last render."""
        if self.dark:
            return
        for application in self.store.peek_all(APPLICATION):
            rendered = self._rendered.get(_name(application))
            if rendered is not None:
                self._compare(_name(application), rendered, reconciled=False)

    def cascade(self) -> None:
        """Delete what deleted Applications own, and let them go."""
        for application in [] if self.dark else self.store.list(APPLICATION):
            if application["metadata"].get("deletionTimestamp"):
                cascade(self.store, application)

    async def idle(self) -> None:
        """Wait until nothing is being refreshed."""
        while self._task is not None and not self._task.done():
            await self._task

    @property
    def dark(self) -> bool:
        """Whether the Region stands still."""
        return self.world.outage(self.region) is not None

    def _changed(self, event: str, kind: Kind, obj: Object) -> None:
        if kind is APPLICATION and event != "DELETED":
            if obj["metadata"].get("deletionTimestamp"):
                self._later("argocd.cascade", CASCADE_AFTER)
            elif REFRESH in (obj["metadata"].get("annotations") or {}) or "operation" in obj:
                self._refresh_soon(_name(obj))
            elif self._seen.get(_name(obj)) != obj["spec"]:
                self._refresh_soon(_name(obj), NOTICED_AFTER)
        elif kind is APP_PROJECT:
            for application in self.store.peek_all(APPLICATION):
                self._refresh_soon(_name(application))
        elif kind in (POD, REPLICA_SET) or TRACKING in (obj["metadata"].get("annotations") or {}):
            self._later("argocd.look", LOOK_AFTER)

    def _refresh_soon(self, name: Name, seconds: float = 0) -> None:
        self._wanted.add(name)
        self._later("argocd.work", seconds)

    def _later(self, kind: str, seconds: float) -> None:
        alias = self.region.alias
        if not seconds or not self.world.timers.pending(kind, alias=alias):
            self.world.timers.after(seconds, kind, alias=alias)

    # Refreshing

    async def _work(self) -> None:
        while self._wanted and not self.dark:
            await self._refresh(self._wanted.pop())

    async def _refresh(self, name: Name) -> None:
        application = self.store.get(APPLICATION, *name)
        if application is None:
            self._rendered.pop(name, None)
            self._seen.pop(name, None)
            return
        if application["metadata"].get("deletionTimestamp"):
            return
        self._seen[name] = application["spec"]
        source = application["spec"].get("source") or {}
        try:
            if not source.get("path"):
                raise NotRendered("only sources with a path are followed by the local Regions")
            rendered = await self.checkout.render(source["path"])
        except NotRendered as failure:
            self._fail(name, "ComparisonError", str(failure))
            return
        self._rendered[name] = rendered
        if not self.dark:
            self._compare(name, rendered, reconciled=True)

    def _fail(self, name: Name, condition: str, message: str) -> None:
        application = self.store.get(APPLICATION, *name)
        if application is None or self.dark:
            return
        now, before = self.store.now(), application.get("status") or {}
        told = status.conditions_part(before.get("conditions") or [], {condition: message}, now)
        failed = {
            "conditions": told,
            "sync": {"status": status.UNKNOWN, "comparedTo": status.compared_to(application)},
            "reconciledAt": now,
        }
        if condition == "InvalidSpecError":
            health = Health(status=UNKNOWN)
            failed["health"] = status.health_part(before.get("health") or {}, health, now)
        if "operation" in application:
            operation = application.pop("operation")
            failed["operationState"] = status.operation_error(operation, message, now)
        self._write(application, before | failed, reconciled=True)

    # Comparing and syncing

    def _compare(self, name: Name, rendered: Rendered, *, reconciled: bool) -> None:
        application = self.store.get(APPLICATION, *name)
        if application is None:
            return
        project = projects.of(self.store, application)
        refusal = projects.refusal(application, project)
        if refusal is not None or project is None:
            if reconciled:
                self._fail(name, "InvalidSpecError", str(refusal))
            return
        found = compared(self.store, application, rendered.objects)
        due = due_sync(
            application, found, rendered.revision, self.world.now(), refreshed=reconciled
        )
        if isinstance(due, Wait):
            self._later("argocd.look", due.seconds)
        elif due is not None:
            self._sync(application, project, found, rendered.revision, due)
            found = compared(self.store, application, rendered.objects)
        self._tell(application, found, rendered.revision, reconciled=reconciled)

    def _sync(
        self,
        application: Object,
        project: Object,
        found: list[Resource],
        revision: str,
        operation: Object,
    ) -> None:
        started = self.store.now()
        prune = bool((operation.get("sync") or {}).get("prune"))
        outcome = sync(self.store, application, project, found, prune=prune)
        application.pop("operation", None)
        told = application.setdefault("status", {})
        told["operationState"] = state = status.operation_part(
            application, operation, outcome, revision, started, self.store.now()
        )
        if not outcome.failed:
            told["history"] = status.history_part(application, state)

    def _tell(
        self, application: Object, found: list[Resource], revision: str, *, reconciled: bool
    ) -> None:
        now, before = self.store.now(), application.get("status") or {}
        health = of_application(status.healths(found))
        state = before.get("operationState") or {}
        failed = state.get("phase") == "Failed"
        problems = {"SyncError": state["message"]} if failed else {}
        told = before | {
            "controllerNamespace": application["metadata"]["namespace"],
            "sourceType": "Kustomize",
            "resourceHealthSource": "appTree",
            "sync": status.sync_part(application, found, revision),
            "health": status.health_part(before.get("health") or {}, health, now),
            "resources": status.resource_part(found),
            "summary": status.summary_part(self.store, found),
        }
        told.pop("conditions", None)
        if problems:
            known = before.get("conditions") or []
            told["conditions"] = status.conditions_part(known, problems, now)
        if reconciled:
            told["reconciledAt"] = now
        self._write(application, told, reconciled=reconciled)

    def _write(self, application: Object, told: Object, *, reconciled: bool) -> None:
        """Write the status; a refresh that was asked for is done, so its annotation goes."""
        changed = clone(application) | {"status": told}
        if reconciled:
            (changed["metadata"].get("annotations") or {}).pop(REFRESH, None)
        self.store.update(APPLICATION, changed)


def _name(application: Object) -> Name:
    return application["metadata"]["namespace"], application["metadata"]["name"]
