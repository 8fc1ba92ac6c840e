"""How the properties of a bucket are said to S3, and read back from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local.aws.cloudformation_types import Properties, parameters
from platform_pipelines.local.aws.service import Fault, Params

_RULE = {  # of a lifecycle rule: a template's name, and where S3 has it
    "ExpirationInDays": ("Expiration", "Days"),
    "NoncurrentVersionExpirationInDays": ("NoncurrentVersionExpiration", "NoncurrentDays"),
}
_SAME = ("Status", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One property, and the operations for it."""

    put: str
    get: str
    sent: Callable[[Any], Params]  # the parameters of `put` for a property's value
    shown: Callable[[Params, Any], Any]  # the value, of `get`'s answer; and as the template has it
    delete: str = ""  # the operation that takes it away; else it is put as `without`
    without: Params = field(default_factory=dict)


def _plain(operation: str, member: str) -> Callable[[Any], Params]:
    return lambda value: parameters("s3", operation, {member: value})


def _member(name: str) -> Callable[[Params, Any], Any]:
    return lambda found, _: found[name]


def _encryption(value: Properties) -> Params:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            **(
                {"BucketKeyEnabled": rule["BucketKeyEnabled"]} if "BucketKeyEnabled" in rule else {}
            ),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    wanted = {"ServerSideEncryptionConfiguration": {"Rules": rules}}
    return parameters("s3", "PutBucketEncryption", wanted)


def _encryption_shown(found: Params, template: Any) -> Properties:
    """A bucket's key that the template does not mention is off."""
    wanted = (template or {}).get("ServerSideEncryptionConfiguration", [])
    told = any("BucketKeyEnabled" in rule for rule in wanted)
    rules = []
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        shown = {"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
        if told or rule.get("BucketKeyEnabled"):
            shown["BucketKeyEnabled"] = rule.get("BucketKeyEnabled", False)
        rules.append(shown)
    return {"ServerSideEncryptionConfiguration": rules}


def _lifecycle(value: Properties) -> Params:
    rules = {"Rules": [_rule(rule) for rule in value["Rules"]]}
    wanted = {"LifecycleConfiguration": rules}
    return parameters("s3", "PutBucketLifecycleConfiguration", wanted)


def _rule(rule: Properties) -> Params:
    known = {"Id", "Prefix", *_RULE, *_SAME}
    if unknown := rule.keys() - known:
        text = f"a lifecycle rule with {sorted(unknown)} is not supported by the local Regions"
        raise Fault("ValidationException", text)
    sent: Params = {name: rule[name] for name in _SAME if name in rule}
    sent["Filter"] = {"Prefix": rule.get("Prefix", "")}
    if "Id" in rule:
        sent["ID"] = rule["Id"]
    for name, (part, member) in _RULE.items():
        if name in rule:
            sent[part] = {member: rule[name]}
    return sent


def _lifecycle_shown(found: Params, template: Any) -> Properties:
    """Each rule as the template's rule of the same id says it."""
    wanted = {rule.get("Id"): rule for rule in (template or {}).get("Rules", [])}
    return {"Rules": [_rule_shown(rule, wanted.get(rule.get("ID"), {})) for rule in found["Rules"]]}


def _rule_shown(rule: Params, template: Properties) -> Properties:
    shown: Properties = {name: rule[name] for name in _SAME if name in rule}
    if "ID" in rule:
        shown["Id"] = rule["ID"]
    prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    if prefix or "Prefix" in template:
        shown["Prefix"] = prefix
    for name, (part, member) in _RULE.items():
        if part in rule and (part not in _SAME or name in template):
            shown[name] = rule[part][member]
            shown.pop(part, None)
    return shown


SETTINGS: Mapping[str, Setting] = {
    "BucketEncryption": Setting(
        put="PutBucketEncryption",
        get="GetBucketEncryption",
        delete="DeleteBucketEncryption",
        sent=_encryption,
        shown=_encryption_shown,
    ),
    "LifecycleConfiguration": Setting(
        put="PutBucketLifecycleConfiguration",
        get="GetBucketLifecycleConfiguration",
        delete="DeleteBucketLifecycle",
        sent=_lifecycle,
        shown=_lifecycle_shown,
    ),
    "OwnershipControls": Setting(
        put="PutBucketOwnershipControls",
        get="GetBucketOwnershipControls",
        delete="DeleteBucketOwnershipControls",
        sent=_plain("PutBucketOwnershipControls", "OwnershipControls"),
        shown=_member("OwnershipControls"),
    ),
    "PublicAccessBlockConfiguration": Setting(
        put="PutPublicAccessBlock",
        get="GetPublicAccessBlock",
        delete="DeletePublicAccessBlock",
        sent=_plain("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
        shown=_member("PublicAccessBlockConfiguration"),
    ),
    "Tags": Setting(
        put="PutBucketTagging",
        get="GetBucketTagging",
        delete="DeleteBucketTagging",
        sent=lambda value: {"Tagging": {"TagSet": value}},
        shown=_member("TagSet"),
    ),
    "VersioningConfiguration": Setting(
        put="PutBucketVersioning",
        get="GetBucketVersioning",
        without={"VersioningConfiguration": {"Status": "Suspended"}},
        sent=_plain("PutBucketVersioning", "VersioningConfiguration"),
        shown=lambda found, _: {"Status": found["Status"]},
    ),
}
