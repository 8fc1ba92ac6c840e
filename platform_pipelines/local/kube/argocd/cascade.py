"""Cascading deletion: a deleted Application with Argo CD's finalizer takes with it what it owns.

https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/
"""

from typing import Any

from platform_pipelines.local.kube.argocd.compare import tracked
from platform_pipelines.local.kube.kinds import APPLICATION
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

FINALIZER = "resources-finalizer.argocd.argoproj.io"


def cascade(store: Store, application: Object) -> None:
    """Delete what it owned, then take the finalizer off; without the finalizer nothing happens."""
    finalizers = application["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        return
    for resource in list(tracked(store, application)):
        kind, space, name = resource.kind, resource.namespace or None, resource.name
        if kind is not None and store.peek(kind, space, name) is not None:
            store.delete(kind, space, name)
    application["metadata"]["finalizers"] = [one for one in finalizers if one != FINALIZER]
    store.update(APPLICATION, application)
