"""Templates that are too large for a request, read from S3 where TemplateURL points.

ministack reads them by a path of its own; the sizes that CloudFormation takes are its rules too.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault, not_implemented
from platform_pipelines.local.world import World

_INVALID = "ValidationError"
_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]+)\.)?s3(?:[.-](?P<region>[a-z]{2}-[a-z-]+-\d))?\.amazonaws\.com"
)
_MORE = (
    "\nFor more information check "
    "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
)


def located(call: Call, world: World) -> Call:
    """The call with its TemplateURL as ministack reads it. Raises: Fault, if nothing is there."""
    url = call.params.get("TemplateURL")
    if not url or call.params.get("TemplateBody"):
        return call
    bucket, key, region = _parts(url)
    _expect(call, world, bucket, key, region)
    return replace(call, params=call.params | {"TemplateURL": f"https://s3/{bucket}/{key}"})


def _parts(url: str) -> tuple[str, str, str | None]:
    """Bucket, key and Region of a URL. Raises: Fault."""
    found = urlsplit(url)
    host = _HOST.fullmatch(found.netloc)
    if found.scheme != "https" or host is None:
        raise Fault(_INVALID, "TemplateURL must be a supported URL.")
    if "versionId" in parse_qs(found.query):
        raise not_implemented("TemplateURL with a versionId")
    path = unquote(found.path).lstrip("/")
    bucket, key = host["bucket"], path
    if bucket is None:
        bucket, _, key = path.partition("/")
    if not bucket or not key:
        raise Fault(_INVALID, "TemplateURL must reference a valid S3 object.")
    return bucket, key, host["region"]


def _expect(call: Call, world: World, bucket: str, key: str, region: str | None) -> None:
    """Whether S3 would give the object. Raises: Fault."""
    found: dict[str, Any] | None = ministack.service("s3")._buckets.get(bucket)
    if found is None:
        raise _refused("The specified bucket does not exist")
    place = str(found.get("region") or call.region)
    if stores.dark(world, place):
        raise Fault("InternalFailure", f"S3 of {place} does not answer", 500)
    if region is not None and region != place:
        words = (
            f"The bucket is in this region: {place}. Please use this region to retry the request"
        )
        raise _refused(words)
    if key not in found["objects"]:
        raise _refused("The specified key does not exist.")


def _refused(words: str) -> Fault:
    return Fault(_INVALID, f"S3 error: {words}{_MORE}")
