"""What a user clicks in the Dagster UI, over its GraphQL: is the location loaded, launch, follow.

The queries are the UI's own; Dagster itself is not imported here.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_pipelines.errors import Failed

LOCATION = "platform_pipelines"
REPOSITORY = "__repository__"
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")
STEP_EVENTS = ("ExecutionStepStartEvent", "ExecutionStepSuccessEvent", "ExecutionStepFailureEvent")

LOADED = """query { workspaceOrError { ... on Workspace { locationEntries { name loadStatus
  locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on PythonError { message } } }"""
RUN = """query($id: ID!) { runOrError(runId: $id) { ... on Run { runId status tags { key value } } } }"""
RUNS = """query($job: String!) { runsOrError(filter: {pipelineName: $job}, limit: 20) {
  ... on Runs { results { runId status tags { key value } } } } }"""
UNDER_WAY = """query($before: Float!) { runsOrError(
  filter: {statuses: [STARTING, STARTED, CANCELING], createdBefore: $before}) {
  ... on Runs { results { runId status tags { key value } } } } }"""
ABANDON = """mutation($id: String!) { terminateRun(runId: $id,
  terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename } }"""
EVENTS = """query($id: ID!, $after: String) { logsForRun(runId: $id, afterCursor: $after) {
  ... on EventConnection { cursor events { __typename
    ... on MessageEvent { message stepKey timestamp }
    ... on ExecutionStepFailureEvent { error { message } }
    ... on RunFailureEvent { error { message } } } } } }"""


@dataclass
class DagsterFailed(Failed):
    """Dagster refused, or a run did not succeed."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the UI lists it."""

    id: str
    status: str
    tags: dict[str, str]

    @property
    def finished(self) -> bool:
        return self.status in FINISHED


class DagsterClient:
    """The webserver's GraphQL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def loaded(self) -> bool:
        """Whether the code location is there. Raises: DagsterFailed with its load error."""
        try:
            entries = self._ask(LOADED, {})["workspaceOrError"]["locationEntries"]
        except OSError:
            return False
        for entry in entries:
            found = entry["locationOrLoadError"] or {}
            if entry["name"] == LOCATION and entry["loadStatus"] == "LOADED":
                if found.get("__typename") == "RepositoryLocation":
                    return True
                raise DagsterFailed("The code location does not load", found.get("message", ""))
        return False

    def launch(self, job: str, config: dict[str, Any] | None = None) -> str:
        """Launch a job; returns the run's id. Raises: DagsterFailed."""
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": REPOSITORY,
            "jobName": job,
        }
        params = {"selector": selector, "mode": "default", "runConfigData": config or {}}
        answer = self._ask(LAUNCH, {"params": params})["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise DagsterFailed(f"{job} was not launched", json.dumps(answer))
        return str(answer["run"]["runId"])

    def run(self, run_id: str) -> Run:
        """One run."""
        return _run(self._ask(RUN, {"id": run_id})["runOrError"])

    def runs(self, job: str) -> list[Run]:
        """The newest runs of a job, newest first."""
        return [_run(one) for one in self._ask(RUNS, {"job": job})["runsOrError"]["results"]]

    def abandon_runs(self, before: float) -> list[Run]:
        """Mark runs as canceled that were made before this time (Unix seconds) and say that they are
        under way. Their workers must be dead: such a run holds its place in a pool for ever."""
        rows = self._ask(UNDER_WAY, {"before": before})["runsOrError"]["results"]
        found = [_run(one) for one in rows]
        for run in found:
            self._ask(ABANDON, {"id": run.id})
        return found

    def follow(self, run_id: str, every: float = 0.3) -> Iterator[str]:
        """What a run's steps do, line by line, until it ends; an empty line at every look, so that
        the caller may give up. Raises: DagsterFailed unless it succeeds. `every`: real seconds."""
        cursor: str | None = None
        errors: list[str] = []
        while True:
            run = self.run(run_id)
            connection = self._ask(EVENTS, {"id": run_id, "after": cursor})["logsForRun"]
            cursor = connection.get("cursor") or cursor
            for event in connection.get("events", []):
                error = (event.get("error") or {}).get("message")
                errors += [error] if error else []
                if event["__typename"] in STEP_EVENTS:
                    yield event["message"]
            if run.finished:
                break
            yield ""
            time.sleep(every)
        if run.status != "SUCCESS":
            raise DagsterFailed(f"Run {run_id} ended {run.status}", "\n".join(errors[-2:]))

    def _ask(self, query: str, variables: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # http on loopback
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=30) as answer:
            parsed = json.load(answer)
        if parsed.get("errors"):
            raise DagsterFailed("GraphQL", json.dumps(parsed["errors"])[:500])
        return parsed["data"]


def _run(found: dict[str, Any]) -> Run:
    return Run(
        id=found["runId"],
        status=found["status"],
        tags={tag["key"]: tag["value"] for tag in found["tags"]},
    )
