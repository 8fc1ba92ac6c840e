"""A template on its way to CloudFormation: inside the call, or through S3 when it is too large.

In S3 it is named by its digest, so it is stored once, and what a change set was made from can be
read later. Called by provisioning only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

import hashlib
from dataclasses import dataclass

from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsRegion, error_code
from platform_pipelines.errors import Refused

INLINE = 51_200  # bytes that a call takes
LARGEST = 1_000_000  # bytes that CloudFormation takes from S3
FOLDER = "templates"


@dataclass
class NoBucketForTemplate(Refused):
    """A template is too large for a call, and the bucket that would hold it is not there."""

    where: str
    size: int
    bucket: str

    def __str__(self) -> str:
        return (
            f"The template of {self.where} has {self.size} bytes, so it must go through the bucket "
            f"{self.bucket}, which does not exist yet. Apply stack control of that Region first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as CreateChangeSet takes it: its text, or where it is."""

    body: str = ""
    url: str = ""

    @property
    def argument(self) -> dict[str, str]:
        """The call's argument."""
        return {"TemplateURL": self.url} if self.url else {"TemplateBody": self.body}


def digest(text: str) -> str:
    """What names a template: the SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def size(text: str) -> int:
    """Bytes of a template, as CloudFormation counts them."""
    return len(text.encode())


def sent(region: AwsRegion, bucket: str, where: str, text: str) -> Template:
    """A template ready for a call; a large one is in the bucket then.
    Raises: NoBucketForTemplate."""
    if size(text) <= INLINE:
        return Template(body=text)
    key = f"{FOLDER}/{digest(text)}.json"
    try:
        _store(region, bucket, key, text)
    except ClientError as error:
        if error_code(error) == "NoSuchBucket":
            raise NoBucketForTemplate(where, size(text), bucket) from error
        raise
    return Template(url=f"https://{bucket}.s3.{region.name}.amazonaws.com/{key}")


def _store(region: AwsRegion, bucket: str, key: str, text: str) -> None:
    """Put the object, unless it is there: its name says what it holds."""
    found = region.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    if not found:
        region.s3.put_object(
            Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json"
        )
