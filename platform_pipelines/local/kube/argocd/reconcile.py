"""Reconciling one Application: what is live against what was rendered, a sync if one is due, and the
status that tells of both. Used by `controller`, which says when."""

from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube.argocd import projects, status
from platform_pipelines.local.kube.argocd.checkout import Rendered
from platform_pipelines.local.kube.argocd.compare import Resource, compared
from platform_pipelines.local.kube.argocd.health import UNKNOWN, Health, of_application
from platform_pipelines.local.kube.argocd.memory import Name
from platform_pipelines.local.kube.argocd.policy import Wait, due_sync
from platform_pipelines.local.kube.argocd.sync import sync
from platform_pipelines.local.kube.kinds import APPLICATION
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

REFRESH = "argocd.argoproj.io/refresh"


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Compares, syncs and tells, in one cluster."""

    store: Store

    def compare(self, name: Name, rendered: Rendered, *, reconciled: bool) -> Wait | None:
        """Compare an Application with a render, and sync it if that is due; how long to wait for a
        sync that is due later. `reconciled`: the render is of this moment."""
        application = self.store.get(APPLICATION, *name)
        if application is None:
            return None
        project = projects.of(self.store, application)
        refusal = projects.refusal(application, project)
        if refusal is not None or project is None:
            if reconciled:
                self.fail(name, "InvalidSpecError", str(refusal))
            return None
        found = compared(self.store, application, rendered.objects)
        now = self.store.time().timestamp()
        due = due_sync(application, found, rendered.revision, now, refreshed=reconciled)
        if due is not None and not isinstance(due, Wait):
            self._sync(application, project, found, rendered.revision, due)
            found = compared(self.store, application, rendered.objects)
        self._tell(application, found, rendered.revision, reconciled=reconciled)
        return due if isinstance(due, Wait) else None

    def fail(self, name: Name, condition: str, message: str) -> None:
        """Tell that an Application cannot be compared, and why."""
        application = self.store.get(APPLICATION, *name)
        if application is None:
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
