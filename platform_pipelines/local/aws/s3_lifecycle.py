"""What a bucket's lifecycle rules do: expire objects, their older versions, and unfinished uploads.

Days are counted from when an object was written, or a version was replaced. Other than in S3, where
the next midnight decides, the look of the day does.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Params, Result

DAY = 86400.0
_KNOWN = frozenset(
    {
        *("AbortIncompleteMultipartUpload", "Expiration", "Filter", "ID"),
        *("NoncurrentVersionExpiration", "Prefix", "Status"),
    }
)
_KNOWN_WITHIN = {
    "Expiration": frozenset({"Days"}),
    "Filter": frozenset({"Prefix"}),
    "NoncurrentVersionExpiration": frozenset({"NoncurrentDays"}),
}


def lacking(rule: dict[str, Any]) -> set[str]:
    """What of a rule cannot be carried out here."""
    outside = rule.keys() - _KNOWN
    inside = {
        f"{part}.{word}"
        for part, known in _KNOWN_WITHIN.items()
        for word in rule.get(part, {}).keys() - known
    }
    return set(outside) | inside


def apply(account: str, region: str, bucket: str, now: float) -> None:
    """Carry out the rules of one bucket."""

    def ask(operation: str, **params: Any) -> Result:
        call = Call(
            service="s3",
            operation=operation,
            params={"Bucket": bucket} | params,
            region=region,
            account=account,
            request_id="lifecycle",
        )
        with ministack.scope(account, region):
            return stores.ask(call)

    for rule in ask("GetBucketLifecycleConfiguration")["Rules"]:
        if rule["Status"] == "Enabled":
            for operation, params in _due(ask, rule, now):
                ask(operation, **params)


def _due(ask: Any, rule: dict[str, Any], now: float) -> list[tuple[str, Params]]:
    """The calls that a rule asks for."""
    prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    found = ask("ListObjectVersions", Prefix=prefix)
    return [
        *_expired(rule.get("Expiration", {}).get("Days"), found, now),
        *_replaced(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"), found, now),
        *_unfinished(ask, rule.get("AbortIncompleteMultipartUpload"), prefix, now),
    ]


def _expired(days: int | None, found: Result, now: float) -> Iterator[tuple[str, Params]]:
    """Objects; where there are versions, the deletion is a marker on them."""
    for one in found.get("Versions", []):
        if days and one["IsLatest"] and _age(one["LastModified"], now) >= days:
            yield "DeleteObject", {"Key": one["Key"]}


def _replaced(days: int | None, found: Result, now: float) -> Iterator[tuple[str, Params]]:
    """Versions that others replaced long ago."""
    if not days:
        return
    every = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    every.sort(key=lambda one: (one["Key"], not one["IsLatest"], -one["LastModified"].timestamp()))
    for key, versions in groupby(every, key=lambda one: str(one["Key"])):
        newer = None
        for one in versions:
            if newer is not None and _age(newer["LastModified"], now) >= days:
                yield "DeleteObject", {"Key": key, "VersionId": one["VersionId"]}
            newer = one


def _unfinished(
    ask: Any, rule: dict[str, int] | None, prefix: str, now: float
) -> Iterator[tuple[str, Params]]:
    if rule is None:
        return
    for one in ask("ListMultipartUploads", Prefix=prefix).get("Uploads", []):
        if _age(one["Initiated"], now) >= rule["DaysAfterInitiation"]:
            yield "AbortMultipartUpload", {"Key": one["Key"], "UploadId": one["UploadId"]}


def _age(since: Any, now: float) -> float:
    """In days."""
    return float((now - since.timestamp()) / DAY)
