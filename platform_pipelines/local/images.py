"""The services' images in the local Regions: deterministic manifests, pushed to home's registry.

Nothing runs in the local Regions, so an image is only what readiness compares: an OCI index, one
manifest per platform, their configurations and layers. Their bytes depend on the repository and the
version alone, so `manifests/apps` pins the digests in git before anybody has pushed. The demo pushes
with `push`, through the ECR API as a build would; replication copies from there.

Layout: https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_pipelines.model import Platform

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

VERSION = "1.0.0"
ARCHITECTURES = ("amd64", "arm64")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
# Not compressed: gzip's output differs between versions of zlib, and so would the digests.
LAYER = "application/vnd.oci.image.layer.v1.tar"
CREATED = "2026-11-22T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes in a registry, named by their digest."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    def descriptor(self) -> dict[str, Any]:
        """How another document refers to this one."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image of every architecture."""

    repository: str
    tag: str
    index: Blob
    manifests: tuple[Blob, ...]  # one per architecture, in the index's order
    blobs: tuple[Blob, ...]  # layers and configurations

    @property
    def digest(self) -> str:
        return self.index.digest


def build(repository: str, version: str = VERSION) -> Image:
    """The image of a repository: the same bytes wherever and whenever it is built."""
    parts = [_architecture(repository, version, name) for name in ARCHITECTURES]
    manifests = tuple(manifest for manifest, _ in parts)
    platforms = [{"architecture": name, "os": "linux"} for name in ARCHITECTURES]
    entries = [
        manifest.descriptor() | {"platform": platform}
        for manifest, platform in zip(manifests, platforms, strict=True)
    ]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    blobs = {blob.digest: blob for _, owned in parts for blob in owned}
    return Image(
        repository=repository,
        tag=version,
        index=_json(INDEX, document),
        manifests=manifests,
        blobs=tuple(blobs.values()),
    )


def stamp(repository: str, tag: str) -> Blob:
    """The manifest of a small image of one architecture, as bulk-loaded registries hold by the
    thousand: its layer's bytes are never made, only named."""
    words = f"{repository}:{tag}".encode()
    config, layer = (hashlib.sha256(kind + words).hexdigest() for kind in (b"config ", b"layer "))
    text = (
        f'{{"schemaVersion":2,"mediaType":"{MANIFEST}",'
        f'"config":{{"mediaType":"{CONFIG}","digest":"sha256:{config}","size":512}},'
        f'"layers":[{{"mediaType":"{LAYER}","digest":"sha256:{layer}","size":1048576}}]}}'
    )
    return Blob(media_type=MANIFEST, content=text.encode())


def build_all(platform: Platform) -> Iterator[Image]:
    """The image of every service of a platform."""
    for repository in sorted({service.repository for service in platform.services}):
        yield build(repository)


def push(ecr: "ECRClient", image: Image) -> str:
    """Push what the registry does not have yet, children before the index, and return the index's
    digest. The repository must exist."""
    if not _missing_manifests(ecr, image, (image.index,)):
        return image.digest
    _push_blobs(ecr, image)
    for manifest in _missing_manifests(ecr, image, image.manifests):
        _put(ecr, image, manifest)
    _put(ecr, image, image.index, imageTag=image.tag)
    return image.digest


def push_all(ecr: "ECRClient", platform: Platform) -> dict[str, str]:
    """Push every service's image, and return the digests by repository."""
    return {image.repository: push(ecr, image) for image in build_all(platform)}


def _architecture(repository: str, version: str, name: str) -> tuple[Blob, tuple[Blob, Blob]]:
    layer = _layer(f"{repository} {version} {name}\n")
    config = _json(
        CONFIG,
        {
            "architecture": name,
            "os": "linux",
            "created": CREATED,
            "config": {"User": "10001:10001", "Entrypoint": [f"/srv/{repository}"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        },
    )
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    }
    return _json(MANIFEST, document), (layer, config)


def _layer(text: str) -> Blob:
    """A tar of one file, with nothing in it that depends on the machine."""
    out = io.BytesIO()
    entry = tarfile.TarInfo("srv/version")
    entry.size = len(text)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(text.encode()))
    return Blob(media_type=LAYER, content=out.getvalue())


def _json(media_type: str, document: dict[str, Any]) -> Blob:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return Blob(media_type=media_type, content=text.encode())


def _missing_manifests(
    ecr: "ECRClient", image: Image, wanted: tuple[Blob, ...]
) -> tuple[Blob, ...]:
    answer = ecr.batch_get_image(
        repositoryName=image.repository,
        imageIds=[{"imageDigest": blob.digest} for blob in wanted],
    )
    found = {present["imageId"]["imageDigest"] for present in answer["images"]}
    return tuple(blob for blob in wanted if blob.digest not in found)


def _push_blobs(ecr: "ECRClient", image: Image) -> None:
    digests = [blob.digest for blob in image.blobs]
    answer = ecr.batch_check_layer_availability(
        repositoryName=image.repository, layerDigests=digests
    )
    present = {
        layer["layerDigest"]
        for layer in answer["layers"]
        if layer["layerAvailability"] == "AVAILABLE"
    }
    for blob in image.blobs:
        if blob.digest not in present:
            _upload(ecr, image.repository, blob)


def _upload(ecr: "ECRClient", repository: str, blob: Blob) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository,
        uploadId=upload,
        partFirstByte=0,
        partLastByte=len(blob.content) - 1,
        layerPartBlob=blob.content,
    )
    ecr.complete_layer_upload(
        repositoryName=repository, uploadId=upload, layerDigests=[blob.digest]
    )


def _put(ecr: "ECRClient", image: Image, blob: Blob, **tag: str) -> None:
    ecr.put_image(
        repositoryName=image.repository,
        imageManifest=blob.content.decode(),
        imageManifestMediaType=blob.media_type,
        imageDigest=blob.digest,
        **tag,
    )
