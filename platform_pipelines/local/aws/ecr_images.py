"""ECR: images by digest and tag, pushed, described, deleted, archived and restored.

An archived image cannot be pulled; restoring it takes minutes (ACTIVATING), pushing it again is
immediate. Unless a filter says otherwise only ACTIVE images are listed.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
"""

import hashlib
import json

from platform_pipelines.local.aws import ecr_tags
from platform_pipelines.local.aws import ecr_views as views
from platform_pipelines.local.aws.ecr_records import Image, Repository, Status
from platform_pipelines.local.aws.ecr_replication import Replication
from platform_pipelines.local.aws.ecr_requests import NO_REPOSITORY, invalid, paged, unpaged
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

_ACTIVATED = "ecr_activated"
_NO_IMAGE = (*NO_REPOSITORY, "ImageNotFoundException")
_PUT = (
    *NO_REPOSITORY,
    *("ImageAlreadyExistsException", "ImageTagAlreadyExistsException"),
    *("ImageDigestDoesNotMatchException", "LayersNotFoundException"),
    "ReferencedImagesNotFoundException",
)


class Images(Replication):
    """The operations of images."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_ACTIVATED, self._activated)

    @operation(raises=_PUT)
    def PutImage(self, call: Call) -> Result:  # noqa: N802
        repository, params = self.open(call), call.params
        tag, digest = params.get("imageTag"), _digest(params)
        image = repository.image(digest)
        ecr_tags.check(repository, image, tag, digest)
        if image is None:
            image = _received(params, digest, self.world.now())
            _check_parts(repository, image)
            repository.images.append(image)
        image.status = Status.ACTIVE
        ecr_tags.give(repository, image, tag)
        self.pushed(repository, image, tag)
        return {"image": views.pulled(repository, image, params)}

    @operation(raises=NO_REPOSITORY)
    def BatchGetImage(self, call: Call) -> Result:  # noqa: N802
        repository = self.look(call)
        found, failures = [], []
        for wanted in views.ids(call.params):
            image = views.find(repository, wanted)
            if failure := views.failure(repository, wanted):
                failures.append(failure)
            elif image is None or image.status is not Status.ACTIVE:
                failures.append(views.failed(wanted, "ImageNotFound", "The image is archived"))
            else:
                found.append(views.pulled(repository, image, wanted))
        return {"images": found, "failures": failures}

    @operation(raises=NO_REPOSITORY)
    def BatchDeleteImage(self, call: Call) -> Result:  # noqa: N802
        """A tag is taken off; the image goes with its last tag, or when named by its digest."""
        repository = self.open(call)
        deleted: list[Result] = []
        failures = []
        for wanted in views.ids(call.params):
            failure = views.failure(repository, wanted) or views.kept(repository, wanted)
            if failure:
                failures.append(failure)
            else:
                deleted.extend(views.delete(repository, wanted))
        return {"imageIds": deleted, "failures": failures}

    @operation(raises=NO_REPOSITORY)
    def ListImages(self, call: Call) -> Result:  # noqa: N802
        chosen = views.filtered(self.look(call), call.params.get("filter", {}))
        return paged(
            "imageIds", [one for image in chosen for one in views.named(image)], call.params
        )

    @operation(raises=_NO_IMAGE)
    def DescribeImages(self, call: Call) -> Result:  # noqa: N802
        repository, wanted = self.look(call), call.params.get("imageIds")
        if wanted:
            unpaged(call.params, "imageIds")
            images = [views.choose(repository, one) for one in wanted]
            return {"imageDetails": [views.detail(repository, image) for image in images]}
        chosen = views.filtered(repository, call.params.get("filter", {}))
        part = paged("imageDetails", chosen, call.params)
        return part | {
            "imageDetails": [views.detail(repository, one) for one in part["imageDetails"]]
        }

    @operation(raises=_NO_IMAGE)
    def DescribeImageReplicationStatus(self, call: Call) -> Result:  # noqa: N802
        """Asked where it was pushed; a copy itself is copied nowhere."""
        repository, wanted = self.look(call), call.params["imageId"]
        image = views.choose(repository, wanted)
        return {
            "repositoryName": repository.name,
            "imageId": {"imageDigest": image.digest} | wanted,
            "replicationStatuses": [
                dict(zip(("region", "registryId"), where.split("/"), strict=True)) | copy
                for where, copy in sorted(image.copies.items())
            ],
        }

    @operation(
        raises=(*_NO_IMAGE, "ImageStorageClassUpdateNotSupportedException"),
        states="ARCHIVED → ACTIVATING → ACTIVE",
    )
    def UpdateImageStorageClass(self, call: Call) -> Result:  # noqa: N802
        repository, wanted = self.open(call), call.params["imageId"]
        image = views.choose(repository, wanted)
        if call.params["targetStorageClass"] == "ARCHIVE":
            _archive(repository, image, self.world.now())
        elif image.status is not Status.ARCHIVED:
            _unsupported(f"The image '{image.digest}' is {image.status}")
        else:
            self._activate(repository, image)
        return {
            "registryId": repository.account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": image.digest} | wanted,
            "imageStatus": image.status.value,
        }

    def _activate(self, repository: Repository, image: Image) -> None:
        image.status = Status.ACTIVATING
        self.world.transition(
            "ecr_image_activating",
            _ACTIVATED,
            region=repository.region,
            resource=repository.name,
            place=[repository.account, repository.region, repository.name],
            digest=image.digest,
        )

    def _activated(self, place: list[str], digest: str, failed: bool = False) -> None:
        repository = self.repositories.find(*place)
        image = repository.image(digest) if repository else None
        if image is None or image.status is not Status.ACTIVATING:
            return
        self.repositories.open(*place)
        image.status = Status.ARCHIVED if failed else Status.ACTIVE
        image.activated = image.activated if failed else self.world.now()


def _archive(repository: Repository, image: Image, now: float) -> None:
    if image.status is not Status.ACTIVE:
        _unsupported(f"The image '{image.digest}' is {image.status}")
    if image.digest in views.referenced(repository):
        _unsupported(f"The image '{image.digest}' is part of an image index")
    archive(image, now)


def archive(image: Image, now: float) -> None:
    """Move an image to the archive."""
    image.status, image.archived = Status.ARCHIVED, now


def _unsupported(message: str) -> None:
    raise Fault("ImageStorageClassUpdateNotSupportedException", message)


def _digest(params: Params) -> str:
    digest = f"sha256:{hashlib.sha256(params['imageManifest'].encode()).hexdigest()}"
    if params.get("imageDigest") not in (None, digest):
        message = f"The manifest's digest is {digest}, not {params['imageDigest']}."
        raise Fault("ImageDigestDoesNotMatchException", message)
    tag = params.get("imageTag")
    if tag is not None and not views.TAG.fullmatch(tag):
        invalid(f"Invalid parameter at 'imageTag': {tag!r}")
    return digest


def _received(params: Params, digest: str, now: float) -> Image:
    """An image as it was pushed. Raises: Fault, if the manifest is none."""
    try:
        document = json.loads(params["imageManifest"])
    except ValueError:
        document = None
    if not isinstance(document, dict):
        invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'JSON object'")
    media_type = params.get("imageManifestMediaType", document.get("mediaType"))
    if media_type is None:
        invalid("imageManifestMediaType is needed: the manifest has no mediaType")
    return Image(digest=digest, media_type=media_type, manifest=params["imageManifest"], pushed=now)


def _check_parts(repository: Repository, image: Image) -> None:
    """Whether everything that a manifest names was pushed before it. Raises: Fault."""
    where = f"the repository with name '{repository.name}' in registry '{repository.account}'"
    absent = [one for one in image.children if repository.image(one) is None]
    if absent:
        message = f"Images with digests '{absent}' required for pushing image into {where}"
        raise Fault("ReferencedImagesNotFoundException", f"{message} do not exist")
    absent = [one for one in image.blobs if repository.has_blob(one) is None]
    if absent:
        message = f"Layers with digests '{absent}' required for pushing image into {where}"
        raise Fault("LayersNotFoundException", f"{message} do not exist")
