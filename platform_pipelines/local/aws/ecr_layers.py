"""ECR: uploads of layers, as a build pushes them before the manifest that names them.

Only the size of a layer is kept: nothing runs in the local Regions, so nobody downloads one
(GetDownloadUrlForLayer is not implemented). Parts are kept until their upload is complete.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html
"""

import hashlib
import re
import uuid
from base64 import b64decode, b64encode

from platform_pipelines.local.aws.ecr_records import Repository
from platform_pipelines.local.aws.ecr_requests import NO_REPOSITORY, Registry
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

PART = 20 * 2**20  # bytes that a client is asked to send at once
LEAST = 5 * 2**20  # bytes of every part but the last
_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")


class Layers(Registry):
    """The operations of layers."""

    @operation(raises=NO_REPOSITORY)
    def BatchCheckLayerAvailability(self, call: Call) -> Result:  # noqa: N802
        repository = self.look(call)
        asked = call.params["layerDigests"]
        failures = [
            {
                "layerDigest": digest,
                "failureCode": "InvalidLayerDigest",
                "failureReason": "Invalid layer digest",
            }
            for digest in asked
            if not _DIGEST.fullmatch(digest)
        ]
        layers = [_availability(repository, one) for one in asked if _DIGEST.fullmatch(one)]
        return {"layers": layers, "failures": failures}

    @operation(raises=NO_REPOSITORY)
    def InitiateLayerUpload(self, call: Call) -> Result:  # noqa: N802
        identifier = str(uuid.uuid4())
        self.open(call).uploads[identifier] = []
        return {"uploadId": identifier, "partSize": PART}

    @operation(raises=(*NO_REPOSITORY, "UploadNotFoundException", "InvalidLayerPartException"))
    def UploadLayerPart(self, call: Call) -> Result:  # noqa: N802
        repository, params = self.open(call), call.params
        parts = _upload(repository, params["uploadId"])
        content: bytes = params["layerPartBlob"]
        received = sum(len(b64decode(part)) for part in parts)
        first, last = params["partFirstByte"], params["partLastByte"]
        if first != received or last - first + 1 != len(content):
            message = f"The part of bytes {first} to {last} does not follow {received} bytes"
            raise Fault("InvalidLayerPartException", message)
        parts.append(b64encode(content).decode())
        return {
            "registryId": repository.account,
            "repositoryName": repository.name,
            "uploadId": params["uploadId"],
            "lastByteReceived": last,
        }

    @operation(
        raises=(
            *NO_REPOSITORY,
            *("UploadNotFoundException", "EmptyUploadException", "LayerPartTooSmallException"),
            *("InvalidLayerException", "LayerAlreadyExistsException"),
        )
    )
    def CompleteLayerUpload(self, call: Call) -> Result:  # noqa: N802
        repository, identifier = self.open(call), call.params["uploadId"]
        parts = [b64decode(part) for part in _upload(repository, identifier)]
        digest = _checked(parts, call.params["layerDigests"])
        if repository.has_blob(digest) is not None:
            message = f"The layer with digest '{digest}' already exists in '{repository.name}'"
            raise Fault("LayerAlreadyExistsException", message)
        repository.layers[digest] = sum(map(len, parts))
        del repository.uploads[identifier]
        return {
            "registryId": repository.account,
            "repositoryName": repository.name,
            "uploadId": identifier,
            "layerDigest": digest,
        }


def _availability(repository: Repository, digest: str) -> Result:
    size = repository.has_blob(digest)
    if size is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size}


def _upload(repository: Repository, identifier: str) -> list[str]:
    if identifier not in repository.uploads:
        message = f"The upload '{identifier}' does not exist in '{repository.name}'"
        raise Fault("UploadNotFoundException", message)
    return repository.uploads[identifier]


def _checked(parts: list[bytes], digests: list[str]) -> str:
    """The digest of an upload, which must be what the client says it is. Raises: Fault."""
    if not any(parts):
        raise Fault("EmptyUploadException", "The upload does not contain any layer parts")
    if any(len(part) < LEAST for part in parts[:-1]):
        raise Fault("LayerPartTooSmallException", f"A part has less than {LEAST} bytes")
    digest = f"sha256:{hashlib.sha256(b''.join(parts)).hexdigest()}"
    if digests != [digest]:
        message = f"The upload has the digest '{digest}', not {', '.join(digests)}"
        raise Fault("InvalidLayerException", message)
    return digest
