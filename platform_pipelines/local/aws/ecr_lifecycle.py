"""ECR: lifecycle policies, their previews, and what a look at a repository removes or archives.

An image is touched by at most one rule: the first one whose tags it matches. Images of an index stay
as long as the index. ECR looks within a day; here every `ecr_lifecycle` seconds. Nothing runs in the
local Regions, so an image counts as never pulled: then AWS takes the time of its push.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
"""

from typing import Any

from platform_pipelines.local.aws import ecr_views as views
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.ecr_images import Images, archive
from platform_pipelines.local.aws.ecr_policy import Verdict, check, judge
from platform_pipelines.local.aws.ecr_records import Repository
from platform_pipelines.local.aws.ecr_requests import NO_REPOSITORY, paged
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

_LOOK, _PREVIEWED = "ecr_lifecycle", "ecr_previewed"
_NO_POLICY = "LifecyclePolicyNotFoundException"
_NO_PREVIEW = "LifecyclePolicyPreviewNotFoundException"
_RUNNING = "LifecyclePolicyPreviewInProgressException"


class Lifecycle(Images):
    """The operations of lifecycle policies."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_LOOK, self._look)
        self.world.timers.on(_PREVIEWED, self._previewed)
        self.world.timers.every(self.world.durations.ecr_lifecycle, _LOOK)

    @operation(raises=NO_REPOSITORY)
    def PutLifecyclePolicy(self, call: Call) -> Result:  # noqa: N802
        text = call.params["lifecyclePolicyText"]
        check(text)
        repository = self.open(call)
        repository.lifecycle = text
        return _named(repository) | {"lifecyclePolicyText": text}

    @operation(raises=(*NO_REPOSITORY, _NO_POLICY))
    def GetLifecyclePolicy(self, call: Call) -> Result:  # noqa: N802
        return _policy(self.look(call))

    @operation(raises=(*NO_REPOSITORY, _NO_POLICY))
    def DeleteLifecyclePolicy(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        found = _policy(repository)
        repository.lifecycle = repository.evaluated = None
        return found

    @operation(raises=(*NO_REPOSITORY, _NO_POLICY, _RUNNING), states="IN_PROGRESS → COMPLETE")
    def StartLifecyclePolicyPreview(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        text = call.params.get("lifecyclePolicyText") or _policy(repository)["lifecyclePolicyText"]
        check(text)
        if repository.preview and repository.preview["status"] == "IN_PROGRESS":
            raise Fault(_RUNNING, "A preview of this repository is in progress")
        repository.preview = {"status": "IN_PROGRESS", "text": text, "results": []}
        self.world.transition(
            "ecr_lifecycle_preview",
            _PREVIEWED,
            region=repository.region,
            resource=repository.name,
            place=[repository.account, repository.region, repository.name],
        )
        return _named(repository) | {"lifecyclePolicyText": text, "status": "IN_PROGRESS"}

    @operation(raises=(*NO_REPOSITORY, _NO_PREVIEW))
    def GetLifecyclePolicyPreview(self, call: Call) -> Result:  # noqa: N802
        repository, params = self.look(call), call.params
        preview = repository.preview
        if preview is None:
            message = f"There is no lifecycle policy preview of '{repository.name}'"
            raise Fault(_NO_PREVIEW, message)
        chosen = views.filtered(repository, {**params.get("filter", {}), "imageStatus": "ANY"})
        digests = {image.digest for image in chosen}
        for wanted in params.get("imageIds", []):
            digests &= {views.choose(repository, wanted).digest}
        shown = [one for one in preview["results"] if one["imageDigest"] in digests]
        part = paged("previewResults", shown, params)
        results = [_timed(one) for one in part["previewResults"]]
        about = {"lifecyclePolicyText": preview["text"], "status": preview["status"]}
        summary = _summary(preview["results"])
        return _named(repository) | about | part | {"previewResults": results, "summary": summary}

    def _look(self) -> None:
        for account, region, name in self.repositories.policed():
            if not stores.dark(self.world, region):
                self._apply(self.repositories.open(account, region, name))
        self.world.timers.after(self.world.durations.ecr_lifecycle, _LOOK)

    def _apply(self, repository: Repository) -> None:
        now = self.world.now()
        for verdict in judge(repository, repository.lifecycle or "", now):
            if verdict.archives:
                archive(verdict.image, now)
            else:
                repository.images.remove(verdict.image)
        repository.evaluated = now

    def _previewed(self, place: list[str], failed: bool = False) -> None:
        found = self.repositories.find(*place)
        if found is None or found.preview is None:
            return
        preview = self.repositories.open(*place).preview
        assert preview is not None
        preview["status"] = "FAILED" if failed else "COMPLETE"
        if not failed:
            verdicts = judge(found, preview["text"], self.world.now())
            preview["results"] = [_told(one) for one in verdicts]


def _named(repository: Repository) -> Result:
    return {"registryId": repository.account, "repositoryName": repository.name}


def _policy(repository: Repository) -> Result:
    if repository.lifecycle is None:
        message = (
            "Lifecycle policy does not exist for the repository with name "
            f"'{repository.name}' in the registry with id '{repository.account}'"
        )
        raise Fault(_NO_POLICY, message)
    seen = {"lastEvaluatedAt": moment(repository.evaluated)} if repository.evaluated else {}
    return _named(repository) | seen | {"lifecyclePolicyText": repository.lifecycle}


def _told(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a preview has it, as JSON values."""
    action = {"type": "EXPIRE"}
    if verdict.archives:
        action = {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    image = verdict.image
    return {
        "imageDigest": image.digest,
        "imageTags": list(image.tags),
        "imagePushedAt": image.pushed,
        "action": action,
        "appliedRulePriority": verdict.priority,
        "storageClass": "STANDARD" if image.status == "ACTIVE" else "ARCHIVE",
    }


def _timed(result: dict[str, Any]) -> Result:
    return result | {"imagePushedAt": moment(result["imagePushedAt"])}


def _summary(results: list[dict[str, Any]]) -> Result:
    kinds = [one["action"]["type"] for one in results]
    moved = kinds.count("TRANSITION")
    archived = [{"targetStorageClass": "ARCHIVE", "imageTotalCount": moved}] if moved else []
    expiring = {"expiringImageTotalCount": kinds.count("EXPIRE")}
    return expiring | {"transitioningImageTotalCounts": archived}
