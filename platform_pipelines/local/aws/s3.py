"""S3: ministack's, with lifecycle rules that really expire what they name, once a day.

What ministack answers as AWS would is passed. Its rules only lie there, so the ones that this cannot
carry out, as transitions to other storage classes, are refused.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import s3_lifecycle, stores
from platform_pipelines.local.aws.passed import S3_OPERATIONS
from platform_pipelines.local.aws.service import Call, Result, Service, not_implemented, operation

EXPIRE = "s3.expire"
_BUCKET = "NoSuchBucket"
_WRONG = ("InvalidArgument", "InvalidRequest", "MalformedXML")


class S3(Service):
    """Buckets and objects."""

    name = "s3"
    passes = S3_OPERATIONS

    def start(self) -> None:
        self.world.timers.on(EXPIRE, self._expire)

    @operation(raises=(_BUCKET, "NotImplemented", *_WRONG))
    def PutBucketLifecycleConfiguration(self, call: Call) -> Result:  # noqa: N802
        rules = call.params.get("LifecycleConfiguration", {}).get("Rules", [])
        if lacking := sorted({word for rule in rules for word in s3_lifecycle.lacking(rule)}):
            raise not_implemented(f"a lifecycle rule with {', '.join(lacking)}")
        answer = stores.ask(call)
        self.world.timers.every(self.world.durations.s3_lifecycle, EXPIRE)
        return answer

    @operation(raises=(_BUCKET, "NoSuchLifecycleConfiguration"))
    def GetBucketLifecycleConfiguration(self, call: Call) -> Result:  # noqa: N802
        return stores.ask(call)

    @operation(raises=(_BUCKET,))
    def DeleteBucketLifecycle(self, call: Call) -> Result:  # noqa: N802
        return stores.ask(call)

    def _expire(self) -> None:
        """Carry out every bucket's rules, and again tomorrow as long as there are any."""
        known = dict(ministack.service("s3")._bucket_lifecycle._data)
        for account, bucket in known:
            region = self._region(account, bucket)
            if region is not None and not stores.dark(self.world, region):
                s3_lifecycle.apply(account, region, bucket, self.world.now())
        if known:
            self.world.timers.every(self.world.durations.s3_lifecycle, EXPIRE)

    @staticmethod
    def _region(account: str, bucket: str) -> str | None:
        found: dict[str, Any] = ministack.service("s3")._buckets._data.get((account, bucket), {})
        return found.get("region")
