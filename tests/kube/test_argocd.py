from datetime import UTC, datetime

from platform_pipelines.kube.argocd import APPLICATIONS, Source, applications, parse
from platform_pipelines.kube.cluster import Cluster
from tests.fakes.kube import FakeKube


def test_an_application_that_argo_cd_has_not_seen_yet_is_empty_not_invented(
    cluster: Cluster, api: FakeKube
) -> None:
    """Without a status there is no revision, no health and no time."""
    source = {"repoURL": "https://git.example/a.git", "path": "apps/web", "targetRevision": "main"}
    spec = {"source": source, "destination": {"namespace": "web"}}
    api.collections[APPLICATIONS] = [
        {"metadata": {"name": "web", "namespace": "argocd"}, "spec": spec}
    ]
    (found,) = applications(cluster)
    assert found.sources == (
        Source(
            repository="https://git.example/a.git", path="apps/web", chart="", target="main", ref=""
        ),
    )
    assert (found.sync, found.revisions, found.health, found.reconciled) == ("", (), "", None)


def test_revisions_and_history_are_read_for_one_source_and_for_several() -> None:
    """`revision` and `revisions` mean the same, position by position."""
    status = {
        "sync": {"status": "Synced", "revisions": ["3.5.0", "c91d"]},
        "history": [{"revision": "7e42", "deployedAt": "2026-11-22T13:09:05Z"}],
    }
    found = parse({"metadata": {}, "spec": {}, "status": status})
    assert found.revisions == ("3.5.0", "c91d")
    assert found.history[0].revisions == ("7e42",)
    assert found.history[0].at == datetime(2026, 11, 22, 13, 9, 5, tzinfo=UTC)


def test_what_somebody_switched_off_on_purpose_is_noted() -> None:
    """No automated sync, and reconciliation skipped, are told by name."""
    metadata = {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}
    found = parse({"metadata": metadata, "spec": {}, "status": {}})
    assert found.notes == ("auto-sync is off", "reconciliation is skipped by annotation")


def test_only_error_conditions_are_errors() -> None:
    """A warning about shared resources is no reason against parity."""
    conditions = [
        {"type": "SharedResourceWarning", "message": "shared"},
        {"type": "ComparisonError", "message": "no repo server"},
    ]
    found = parse({"metadata": {}, "spec": {}, "status": {"conditions": conditions}})
    assert found.errors == ("ComparisonError: no repo server",)
