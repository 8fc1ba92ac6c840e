"""The resource types of buckets and their policies, through S3's API.

A property that this does not set is refused: a bucket that is said to be encrypted, and is not, would
be worse than none.
"""

import json
from collections.abc import Callable
from typing import Any

from platform_pipelines.local.aws import cloudformation_s3_properties as properties
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    is_missing,
)
from platform_pipelines.local.aws.service import Fault

_NOTHING = (
    *("NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet"),
    *("OwnershipControlsNotFoundError", "ServerSideEncryptionConfigurationNotFoundError"),
)


class Bucket(ResourceType):
    """AWS::S3::Bucket: Ref is its name."""

    name = "AWS::S3::Bucket"
    create_only = ("BucketName", "BucketNamePrefix", "BucketNamespace")
    custom_name = "BucketName"
    reads = frozenset({"BucketName", *properties.SETTINGS})

    def create(self, props: Properties) -> Made:
        if unknown := props.keys() - {"BucketName", *properties.SETTINGS}:
            text = f"{self.name}: {sorted(unknown)} not supported by the local Regions"
            raise Fault("ValidationException", text)
        place = {"LocationConstraint": self.call.region}
        asked = {"Bucket": props["BucketName"], "CreateBucketConfiguration": place}
        self.call("s3", "CreateBucket", asked)
        return self._made(props["BucketName"])

    def settle(self, one: Existing) -> bool:
        self._set(one.id, {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        if unknown := changed(one.properties, new) - {*properties.SETTINGS}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        self._set(one.id, one.properties, new)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.call("s3", "DeleteBucket", {"Bucket": one.id})

    def look(self, one: Existing) -> Look:
        self.call("s3", "GetBucketLocation", {"Bucket": one.id})
        actual = {"BucketName": one.id}
        for name, setting in properties.SETTINGS.items():
            found = self._read(one.id, setting)
            if found is not None:
                actual[name] = setting.shown(found, one.properties.get(name))
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    def _set(self, bucket: str, old: Properties, new: Properties) -> None:
        for name in sorted(changed(old, new) & {*properties.SETTINGS}):
            setting = properties.SETTINGS[name]
            asked = {"Bucket": bucket}
            if name in new:
                self.call("s3", setting.put, asked | setting.sent(new[name]))
            elif setting.delete:
                self.call("s3", setting.delete, asked)
            else:
                self.call("s3", setting.put, asked | setting.without)

    def _read(self, bucket: str, setting: properties.Setting) -> dict[str, Any] | None:
        try:
            found = self.call("s3", setting.get, {"Bucket": bucket})
        except Fault as fault:
            if fault.code in _NOTHING:
                return None
            raise
        return found or None

    def _made(self, name: str) -> Made:
        region = self.call.region
        return Made(
            id=name,
            attributes={
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
                "WebsiteURL": f"http://{name}.s3-website.{region}.amazonaws.com",
            },
        )


class BucketPolicy(ResourceType):
    """AWS::S3::BucketPolicy: Ref is the bucket's name."""

    name = "AWS::S3::BucketPolicy"
    create_only = ("Bucket",)
    reads = frozenset({"Bucket", "PolicyDocument"})

    def create(self, props: Properties) -> Made:
        self._put(props)
        return Made(id=props["Bucket"])

    def update(self, one: Existing, new: Properties) -> Made:
        self._put(new)
        return Made(id=one.id)

    def delete(self, one: Existing) -> None:
        self._unless_gone(lambda: self.call("s3", "DeleteBucketPolicy", {"Bucket": one.id}))

    def look(self, one: Existing) -> Look:
        found = self._unless_gone(lambda: self.call("s3", "GetBucketPolicy", {"Bucket": one.id}))
        if found is None:
            return Look(condition=Condition.GONE)
        actual = {"Bucket": one.id, "PolicyDocument": json.loads(found["Policy"])}
        return Look(condition=Condition.READY, made=Made(id=one.id), actual=actual)

    def _put(self, props: Properties) -> None:
        policy = props["PolicyDocument"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        self.call("s3", "PutBucketPolicy", {"Bucket": props["Bucket"], "Policy": text})

    @staticmethod
    def _unless_gone(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return call()
        except Fault as fault:
            if is_missing(fault):
                return None
            raise
