"""CronJobs make a Job at each moment of their schedule, and forget the oldest ones.

As the second version of the real controller: of several moments that were missed, only the last one
is made up for.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platform_pipelines.local.kube.controllers import cron
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    deleting,
    is_true,
    name,
    namespace,
    owner_reference,
    text_of,
    uid,
)
from platform_pipelines.local.kube.kinds import CRON_JOB, JOB, Kind
from platform_pipelines.local.kube.objects import clone, parse_timestamp

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobs(Controller):
    """The CronJobs of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({CRON_JOB, JOB})

    def reconcile(self) -> None:
        for cron_job in self.store.peek_all(CRON_JOB):
            if not deleting(cron_job):
                self._one(cron_job)

    def _one(self, cron_job: Object) -> None:
        self._forget(cron_job)
        due = None if cron_job["spec"].get("suspend") else self._due(cron_job)
        if due is not None and self._may_begin(cron_job):
            self._begin(cron_job, due)
        self._tell(cron_job, due)

    def _due(self, cron_job: Object) -> datetime | None:
        """The moment for which a Job is to be made now; asks to be woken for the next one."""
        schedule = schedule_of(cron_job)
        if schedule is None:
            return None
        now = datetime.fromtimestamp(self.cluster.now(), UTC)
        coming = schedule.after(now)
        if coming is not None:
            self.cluster.wake(self, (coming - now).total_seconds())
        deadline = cron_job["spec"].get("startingDeadlineSeconds")
        since = _last(cron_job)
        if deadline is not None:
            since = max(since, now - timedelta(seconds=int(deadline)))
        return schedule.latest(since, now)

    def _may_begin(self, cron_job: Object) -> bool:
        """Whether another Job may run beside those that run; they are deleted if it replaces them."""
        running = [job for job in self._jobs(cron_job) if not _ended(job)]
        policy = cron_job["spec"].get("concurrencyPolicy")
        if policy == "Replace":
            for job in running:
                self.cluster.delete(JOB, job)
        return not running or policy != "Forbid"

    def _begin(self, cron_job: Object, due: datetime) -> None:
        template = cron_job["spec"]["jobTemplate"]
        metadata = clone(template.get("metadata") or {})
        own = f"{name(cron_job)}-{int(due.timestamp()) // 60}"
        told = metadata.get("annotations") or {}
        job = {
            "metadata": {
                "name": own,
                "namespace": namespace(cron_job),
                "labels": metadata.get("labels") or {},
                "annotations": told | {SCHEDULED: due.isoformat().replace("+00:00", "Z")},
                "ownerReferences": [owner_reference(cron_job)],
            },
            "spec": clone(template["spec"]),
        }
        if self.store.peek(JOB, namespace(cron_job), own) is None:
            self.store.create(JOB, job)

    def _tell(self, cron_job: Object, due: datetime | None) -> None:
        """Which Jobs run, and when one was made and succeeded last. One that had to be left out
        (`Forbid`) is tried again when the running one has ended, until it is too late for it."""
        jobs = self._jobs(cron_job)
        status = dict(cron_job.get("status") or {})
        status.pop("active", None)
        running = [_reference(job) for job in jobs if not _ended(job)]
        if running:
            status["active"] = running
        made = {job["metadata"].get("annotations", {}).get(SCHEDULED) for job in jobs}
        if due is not None and due.isoformat().replace("+00:00", "Z") in made:
            status["lastScheduleTime"] = text_of(due.timestamp())
        ended = [job["status"]["completionTime"] for job in jobs if is_true(job, "Complete")]
        if ended:
            status["lastSuccessfulTime"] = max(*ended, status.get("lastSuccessfulTime", ""))
        self.cluster.set_status(CRON_JOB, cron_job, status)

    def _forget(self, cron_job: Object) -> None:
        """Keep as many ended Jobs as it says, the newest."""
        spec = cron_job["spec"]
        limits = (
            ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
            ("Failed", spec.get("failedJobsHistoryLimit", 1)),
        )
        for state, limit in limits:
            ended = [job for job in self._jobs(cron_job) if is_true(job, state)]
            ended.sort(key=lambda job: (job["status"].get("startTime", ""), name(job)))
            for job in ended[: max(0, len(ended) - int(limit))]:
                self.cluster.delete(JOB, job)

    def _jobs(self, cron_job: Object) -> list[Object]:
        found = self.store.peek_owned(JOB, uid(cron_job))
        return [job for job in found if not deleting(job)]


def schedule_of(cron_job: Object) -> cron.Schedule | None:
    """When it is due; None if its schedule or its time zone cannot be read."""
    try:
        return cron.parse(cron_job["spec"]["schedule"], _zone(cron_job))
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _zone(cron_job: Object) -> tzinfo:
    named = cron_job["spec"].get("timeZone")
    return ZoneInfo(named) if named else UTC


def _last(cron_job: Object) -> datetime:
    """From when on moments count."""
    told = (cron_job.get("status") or {}).get("lastScheduleTime")
    return parse_timestamp(told or cron_job["metadata"]["creationTimestamp"])


def _ended(job: Object) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def _reference(job: Object) -> Object:
    return {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "namespace": namespace(job),
        "name": name(job),
        "uid": uid(job),
        "resourceVersion": job["metadata"]["resourceVersion"],
    }
