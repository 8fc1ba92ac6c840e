"""What an AppProject lets its Applications do: from where, to where, and which kinds.

https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
"""

from fnmatch import fnmatchcase
from typing import Any

from platform_pipelines.local.kube.kinds import APP_PROJECT, Kind
from platform_pipelines.local.kube.store import Store

Object = dict[str, Any]

# The project `default` exists in every Argo CD and allows everything.
DEFAULT = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


def of(store: Store, application: Object) -> Object | None:
    """The project that an Application names; None if there is none of the name."""
    space, name = application["metadata"]["namespace"], application["spec"]["project"]
    found = store.peek(APP_PROJECT, space, name)
    return {"spec": DEFAULT} if found is None and name == "default" else found


def refusal(application: Object, project: Object | None) -> str | None:
    """Why the project does not take this Application's source or destination; None if it does."""
    spec = application["spec"]
    name = spec["project"]
    if project is None:
        return f"Application referencing project {name} which does not exist"
    rules = project.get("spec") or {}
    repository = _source(spec).get("repoURL", "")
    if not any(fnmatchcase(repository, one) for one in rules.get("sourceRepos") or []):
        return f"application repo {repository} is not permitted in project '{name}'"
    where = spec["destination"]
    if not any(_reaches(one, where) for one in rules.get("destinations") or []):
        server, space = where.get("server", ""), where.get("namespace", "")
        return (
            f"application destination server '{server}' and namespace '{space}' do not match any "
            f"of the allowed destinations in project '{name}'"
        )
    return None


def permits(project: Object, kind: Kind) -> bool:
    """Whether the project's Applications may deliver this kind."""
    rules = project.get("spec") or {}
    if not kind.namespaced:
        return _listed(rules.get("clusterResourceWhitelist") or [], kind)
    allowed = rules.get("namespaceResourceWhitelist")
    denied = rules.get("namespaceResourceBlacklist") or []
    return (not allowed or _listed(allowed, kind)) and not _listed(denied, kind)


def _source(spec: Object) -> Object:
    source: Object = spec.get("source") or next(iter(spec.get("sources") or []), {})
    return source


def _reaches(allowed: Object, wanted: Object) -> bool:
    return all(
        fnmatchcase(wanted.get(key, ""), allowed.get(key, "")) for key in ("server", "namespace")
    )


def _listed(rules: list[Object], kind: Kind) -> bool:
    return any(
        fnmatchcase(kind.group, rule["group"]) and fnmatchcase(kind.kind, rule["kind"])
        for rule in rules
    )
