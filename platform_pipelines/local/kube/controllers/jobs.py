"""Jobs run pods until enough of them have succeeded.

Containers of the local clusters always do their work, so a pod fails only by its deadline.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers import pods
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    counters,
    deleting,
    is_true,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.kinds import JOB, POD, Kind

COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"


class Jobs(Controller):
    """The Jobs of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({JOB, POD})

    def reconcile(self) -> None:
        for job in self.store.peek_all(JOB):
            if deleting(job):
                continue
            if is_true(job, COMPLETE) or is_true(job, FAILED):
                self._expire(job)
            else:
                self._one(job)

    def _one(self, job: Object) -> None:
        status = job.get("status") or {}
        if job["spec"].get("suspend"):
            self._stop(job)
        elif "startTime" not in status:
            self._tell(job, {"startTime": self.cluster.timestamp()}, {SUSPENDED: "False"})
        elif self._late(job):
            self._stop(job)
            why = {
                "reason": "DeadlineExceeded",
                "message": "Job was active longer than specified deadline",
            }
            self._tell(job, {}, {"FailureTarget": "True", FAILED: "True"}, why)
            return
        else:
            self._run(job)
        self._count(job)

    def _run(self, job: Object) -> None:
        found = pods.owned(self.store, job)
        running = pods.active(found)
        succeeded = sum(pods.phase(pod) == "Succeeded" for pod in found)
        completions = job["spec"].get("completions")
        left = 1 if completions is None and not succeeded else int(completions or 0) - succeeded
        parallel = min(int(job["spec"].get("parallelism", 1)), max(0, left))
        for _ in range(parallel - len(running)):
            self.store.create(POD, pods.from_template(job, job["spec"]["template"]))
        for pod in running[parallel:] if completions is not None else []:
            self.cluster.delete(POD, pod)

    def _count(self, job: Object) -> None:
        current = self.store.get(JOB, job["metadata"]["namespace"], job["metadata"]["name"])
        if current is None:
            return
        found = pods.owned(self.store, current)
        running = pods.active(found)
        succeeded = sum(pods.phase(pod) == "Succeeded" for pod in found)
        ready = sum(pods.ready_for(pod, self.cluster.now()) >= 0 for pod in running)
        counts = counters(active=len(running), succeeded=succeeded)
        counts |= {"ready": ready, "terminating": sum(map(deleting, found))}
        kept = {
            key: value
            for key, value in (current.get("status") or {}).items()
            if key not in _COUNTED
        }
        done = succeeded >= int(current["spec"].get("completions") or 1) and not running
        more = {"completionTime": self.cluster.timestamp()} if done else {}
        said = {"SuccessCriteriaMet": "True", COMPLETE: "True"} if done else {}
        why = {
            "reason": "CompletionsReached",
            "message": "Reached expected number of succeeded pods",
        }
        self._tell(current | {"status": kept}, counts | more, said, why if done else None)

    def _stop(self, job: Object) -> None:
        for pod in pods.active(pods.owned(self.store, job)):
            self.cluster.delete(POD, pod)
        if job["spec"].get("suspend"):
            why = {"reason": "JobSuspended", "message": "Job suspended"}
            self._tell(job, {}, {SUSPENDED: "True"}, why)

    def _late(self, job: Object) -> bool:
        deadline = job["spec"].get("activeDeadlineSeconds")
        if deadline is None:
            return False
        left = unix_of(job["status"]["startTime"]) + int(deadline) - self.cluster.now()
        if left > 0:
            self.cluster.wake(self, left)
        return left <= 0

    def _expire(self, job: Object) -> None:
        """A Job that has ended goes after its time to live."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None:
            return
        ended = job["status"].get("completionTime") or self.cluster.timestamp()
        left = unix_of(ended) + int(seconds) - self.cluster.now()
        if left > 0:
            self.cluster.wake(self, left)
        else:
            self.cluster.delete(JOB, job)

    def _tell(
        self, job: Object, more: Object, said: dict[str, str], why: Object | None = None
    ) -> None:
        status, now = job.get("status") or {}, self.cluster.timestamp()
        told = list(status.get("conditions") or [])
        known = {one["type"] for one in told}
        for kind, value in said.items():
            if value == "True" or kind in known:
                told = with_condition(told, {"type": kind, "status": value, **(why or {})}, now)
        conditions = {"conditions": told} if told else {}
        self.cluster.set_status(JOB, job, status | more | conditions)


_COUNTED = ("active", "succeeded", "ready", "terminating")
