"""Watches at their edges: selectors, bookmarks, tables, the past and the future."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from platform_pipelines.local.kube.history import Change, History
from platform_pipelines.local.kube.kinds import CONFIG_MAP
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.requests import Request, Target, Verb
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.kube.watch import Watch
from tests.local.kube.api_server import TIME_LIMIT, InProcess

PATH = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def store() -> Store:
    """A cluster with one ConfigMap."""
    made = Store()
    made.create(CONFIG_MAP, config("a", tier="front"))
    return made


def config(name: str, **labels: str) -> Obj:
    """A ConfigMap with labels."""
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}}


def watched(
    store: Store, query: dict[str, str], act: Callable[[], object], count: int
) -> list[Any]:
    """The first `count` events that a watcher sees while `act` runs."""
    target = Target(kind=CONFIG_MAP, namespace="default")
    watch = Watch(store, Request(verb=Verb.WATCH, target=target, query={"watch": "1", **query}))

    async def follow() -> list[Any]:
        asyncio.get_running_loop().call_soon(act)
        seen: list[Any] = []
        async with asyncio.timeout(TIME_LIMIT):
            async for batch in watch.events():
                seen += batch
                if len(seen) >= count:
                    break
        return seen

    return asyncio.run(follow())


def brief(events: list[Any]) -> list[tuple[str, str]]:
    """Type and name of each event."""
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def test_a_plain_watch_begins_with_what_is_there(store: Store) -> None:
    """As ADDED, then what happens."""
    events = watched(store, {}, lambda: store.create(CONFIG_MAP, config("b")), 2)
    assert brief(events) == [("ADDED", "a"), ("ADDED", "b")]


def test_leaving_and_entering_a_selection_is_going_and_coming(store: Store) -> None:
    """For this watcher."""

    def relabel() -> None:
        store.update(CONFIG_MAP, config("a", tier="back"))
        store.update(CONFIG_MAP, config("a", tier="front"))
        store.update(CONFIG_MAP, {**config("a", tier="front"), "data": {"x": "1"}})

    query = {"labelSelector": "tier=front", "resourceVersion": str(store.version)}
    types = [event["type"] for event in watched(store, query, relabel, 3)]
    assert types == ["DELETED", "ADDED", "MODIFIED"]


def test_the_past_is_replayed_from_a_version(store: Store) -> None:
    """Without a gap."""
    version = str(store.version)
    store.create(CONFIG_MAP, config("b"))
    store.delete(CONFIG_MAP, "default", "a")
    events = watched(store, {"resourceVersion": version}, lambda: None, 2)
    assert brief(events) == [("ADDED", "b"), ("DELETED", "a")]


def test_bookmarks_end_the_first_list_for_who_wants_them(store: Store) -> None:
    """A streaming list: all that is there, then a mark."""
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    added, mark = watched(store, query, lambda: None, 2)
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_what_was_forgotten_has_expired(store: Store) -> None:
    """Inside the stream, as the real server says it."""
    (error,) = watched(store, {"resourceVersion": "5"}, lambda: None, 1)
    assert (error["type"], error["object"]["code"]) == ("ERROR", 410)


def test_the_future_cannot_be_watched(store: Store) -> None:
    """The client came from another server."""
    reply = InProcess(store).call("GET", PATH, query="watch=1&resourceVersion=999999")
    assert reply.status == 504


def test_a_watch_may_be_of_tables(store: Store) -> None:
    """`kubectl get -w` shows their rows."""
    reply = InProcess(store).call(
        "GET",
        PATH,
        query="watch=1&timeoutSeconds=1",
        accept="application/json;as=Table;v=v1;g=meta.k8s.io",
    )
    (event,) = reply.body
    assert event["object"]["kind"] == "Table"
    assert event["object"]["rows"][0]["cells"][0] == "a"


def test_one_object_can_be_watched_by_name(store: Store) -> None:
    """The others are not told of."""
    events = watched(
        store,
        {"fieldSelector": "metadata.name=b"},
        lambda: [store.create(CONFIG_MAP, config(name)) for name in "cb"],
        1,
    )
    assert brief(events) == [("ADDED", "b")]


def test_a_short_history_keeps_the_newest() -> None:
    """And knows how far back it goes."""
    history = History(kept=2, start=0)
    for version in (1, 2, 3):
        change = Change(version=version, type="ADDED", kind=CONFIG_MAP, obj={}, previous=None)
        history.append(change)
    assert history.oldest == 1
    assert [change.version for change in history.after(1)] == [2, 3]
    assert history.after(3) == []
