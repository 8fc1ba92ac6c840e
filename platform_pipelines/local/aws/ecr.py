"""ECR: images with paging, filters and replication, over ministack's repositories.

Pushes through the API and through the registry's own protocol (`/v2/`) are both replicated.
"""

import hashlib
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ecr_images, stores
from platform_pipelines.local.aws.ecr_replication import Replication
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

_PAGES = ("nextToken", "maxResults")


class Ecr(Service):
    """Images and the registry's replication; ministack's for repositories and layers."""

    name = "ecr"
    passes = frozenset(
        {
            *("CreateRepository", "DeleteRepository", "GetAuthorizationToken"),
            *("GetRepositoryPolicy", "SetRepositoryPolicy", "DeleteRepositoryPolicy"),
            *("PutLifecyclePolicy", "GetLifecyclePolicy", "DeleteLifecyclePolicy"),
            *("ListTagsForResource", "TagResource", "UntagResource"),
            *("PutImageTagMutability", "PutImageScanningConfiguration"),
            *("GetDownloadUrlForLayer", "BatchCheckLayerAvailability"),
            *("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"),
        }
    )

    def start(self) -> None:
        self._replication = Replication(self.world)
        module = ministack.service("ecr")
        put = getattr(module._v2_put_manifest, "original", module._v2_put_manifest)

        def put_and_replicate(name: str, ref: str, headers: dict[str, str], body: bytes) -> Any:
            answer = put(name, ref, headers, body)
            if answer[0] == 201:
                digest = answer[1]["Docker-Content-Digest"]
                image = ecr_images.choose(name, {"imageDigest": digest})
                image["imagePushedAt"] = self.world.now()
                account, region = module.get_account_id(), module.get_region()
                self._replication.pushed(account, region, image, None if ":" in ref else ref)
            return answer

        put_and_replicate.__dict__["original"] = put
        module.__dict__["_v2_put_manifest"] = put_and_replicate

    @operation
    def DescribeRepositories(self, call: Call) -> Result:  # noqa: N802
        params = {key: value for key, value in call.params.items() if key not in _PAGES}
        found = stores.ask(call, params)["repositories"]
        if "repositoryNames" in call.params:
            return {"repositories": found}
        return _paged("repositories", found, call.params)

    @operation
    def PutImage(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        self._check_push(params)
        count = len(ecr_images.images(params["repositoryName"]))
        stores.ask(call)
        digest = _digest(params)
        image = ecr_images.choose(params["repositoryName"], {"imageDigest": digest})
        if len(ecr_images.images(params["repositoryName"])) > count:
            image["imagePushedAt"] = self.world.now()
        self._replication.pushed(call.account, call.region, image, params.get("imageTag"))
        return {"image": ecr_images.with_manifest(image, params)}

    @operation
    def BatchGetImage(self, call: Call) -> Result:  # noqa: N802
        name, found, failures = call.params["repositoryName"], [], []
        ecr_images.repository(name)
        for wanted in call.params["imageIds"]:
            if failure := _failure(name, wanted):
                failures.append(failure)
            else:
                found.append(ecr_images.with_manifest(ecr_images.choose(name, wanted), wanted))
        return {"images": found, "failures": failures}

    @operation
    def BatchDeleteImage(self, call: Call) -> Result:  # noqa: N802
        """A tag is taken off; the image goes with its last tag, or when named by its digest."""
        name, deleted, failures = call.params["repositoryName"], [], []
        stored = ecr_images.images(name)
        for wanted in call.params["imageIds"]:
            if failure := _failure(name, wanted):
                failures.append(failure)
                continue
            image = ecr_images.choose(name, wanted)
            gone = [one for one in ecr_images.ids(image) if wanted.items() <= one.items()]
            tags = {one.get("imageTag") for one in gone}
            image["imageTags"] = [tag for tag in image["imageTags"] if tag not in tags]
            if not image["imageTags"]:
                stored.remove(image)
            deleted.extend(gone)
        return {"imageIds": deleted, "failures": failures}

    @operation
    def ListImages(self, call: Call) -> Result:  # noqa: N802
        found = ecr_images.chosen(call.params["repositoryName"], call.params.get("filter", {}))
        ids = [one for image in found for one in ecr_images.ids(image)]
        return _paged("imageIds", ids, call.params)

    @operation
    def DescribeImages(self, call: Call) -> Result:  # noqa: N802
        name = call.params["repositoryName"]
        if wanted := call.params.get("imageIds"):
            chosen = [ecr_images.choose(name, one) for one in wanted]
            return {"imageDetails": [ecr_images.detail(image) for image in chosen]}
        found = ecr_images.chosen(name, call.params.get("filter", {}))
        return _paged("imageDetails", [ecr_images.detail(image) for image in found], call.params)

    @operation
    def DescribeImageReplicationStatus(self, call: Call) -> Result:  # noqa: N802
        name, wanted = call.params["repositoryName"], call.params["imageId"]
        image = ecr_images.choose(name, wanted)
        statuses = self._replication.statuses(image)
        return {
            "repositoryName": name,
            "imageId": {"imageDigest": image["imageDigest"]} | wanted,
            "replicationStatuses": statuses,
        }

    @operation
    def PutReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        configuration = call.params["replicationConfiguration"]
        self._replication.configure(call.account, call.region, configuration)
        return {"replicationConfiguration": configuration}

    @operation
    def DescribeRegistry(self, call: Call) -> Result:  # noqa: N802
        configuration = self._replication.configuration(call.account, call.region)
        return {"registryId": call.account, "replicationConfiguration": configuration}

    def _check_push(self, params: Params) -> None:
        name, digest, tag = params["repositoryName"], _digest(params), params.get("imageTag")
        if params.get("imageDigest") not in (None, digest):
            message = f"The manifest's digest is {digest}, not {params['imageDigest']}."
            raise Fault("ImageDigestDoesNotMatchException", message)
        for image in ecr_images.images(name):
            if image["imageDigest"] == digest and tag in (None, *image["imageTags"]):
                message = f"Image with digest '{digest}' and tag '{tag}' already exists."
                raise Fault("ImageAlreadyExistsException", message)


def _digest(params: Params) -> str:
    return f"sha256:{hashlib.sha256(params['imageManifest'].encode()).hexdigest()}"


def _failure(name: str, wanted: Params) -> Result | None:
    if not {"imageDigest", "imageTag"} & wanted.keys():
        code, reason = "MissingDigestAndTag", "Invalid request parameters: no digest and no tag"
        return {"imageId": wanted, "failureCode": code, "failureReason": reason}
    try:
        ecr_images.choose(name, wanted)
    except Fault:
        reason = "Requested image not found"
        return {"imageId": wanted, "failureCode": "ImageNotFound", "failureReason": reason}
    return None


def _paged(key: str, items: list[Result], params: Params) -> Result:
    try:
        shown, token = page(items, params.get("nextToken"), params.get("maxResults", 100))
    except BadToken:
        raise Fault("InvalidParameterException", "The nextToken is not valid.") from None
    return {key: shown} | ({"nextToken": token} if token else {})
