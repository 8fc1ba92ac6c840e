"""CloudWatch Logs: log groups, how long they keep events, their keys and tags.

Nothing in the local Regions writes logs, so a group has no streams and no events; the operations on
those are not here. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
"""

from typing import Any

from platform_pipelines.local.aws import logs_keys
from platform_pipelines.local.aws.answers import Record, shown
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Result,
    not_implemented,
    operation,
)

_MISSING, _INVALID = "ResourceNotFoundException", "InvalidParameterException"
_MOST = 50  # groups in an answer
_MOST_TAGS = 50
_RETENTIONS = frozenset(
    {
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827),
        *(2192, 2557, 2922, 3288, 3653),
    }
)


class Logs(Keeping):
    """Log groups."""

    name = "logs"

    @operation(raises=(_INVALID, "ResourceAlreadyExistsException"))
    def CreateLogGroup(self, call: Call) -> Result:  # noqa: N802
        params, name = call.params, call.params["logGroupName"]
        if name in self.records(call):
            message = "The specified log group already exists"
            raise Fault("ResourceAlreadyExistsException", message)
        arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{name}"
        if key := params.get("kmsKeyId"):
            logs_keys.check(call, key, arn)
        self.records(call)[name] = {
            "logGroupName": name,
            "creationTime": int(self.world.now() * 1000),
            "retentionInDays": None,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": 0,
            "kmsKeyId": key,
            "logGroupClass": params.get("logGroupClass", "STANDARD"),
            "deletionProtectionEnabled": params.get("deletionProtectionEnabled", False),
            "_tags": dict(params.get("tags", {})),
        }
        return {}

    @operation(raises=(_INVALID,))
    def DescribeLogGroups(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        _refuse(call, "accountIdentifiers", "includeLinkedAccounts")
        if "logGroupNamePrefix" in params and "logGroupNamePattern" in params:
            message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive."
            raise Fault(_INVALID, message)
        found = sorted(self.records(call).values(), key=lambda one: str(one["logGroupName"]))
        found = [shown(one) for one in found if _asked(one, params)]
        names, wrong = (
            ("nextToken", "limit"),
            Fault(_INVALID, "The specified nextToken is invalid."),
        )
        return paged("logGroups", found, params, wrong=wrong, limit=_MOST, names=names)

    @operation(raises=(_MISSING, "ValidationException"))
    def DeleteLogGroup(self, call: Call) -> Result:  # noqa: N802
        group = self._find(call, call.params["logGroupName"])
        if group["deletionProtectionEnabled"]:
            message = "The specified log group has deletion protection enabled."
            raise Fault("ValidationException", message)
        del self.records(call)[group["logGroupName"]]
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def PutRetentionPolicy(self, call: Call) -> Result:  # noqa: N802
        group = self._find(call, call.params["logGroupName"])
        days = call.params["retentionInDays"]
        if days not in _RETENTIONS:
            allowed = ", ".join(map(str, sorted(_RETENTIONS)))
            message = f"The retention {days} is not valid. Valid values are: [{allowed}]"
            raise Fault(_INVALID, message)
        group["retentionInDays"] = days
        return {}

    @operation(raises=(_MISSING,))
    def DeleteRetentionPolicy(self, call: Call) -> Result:  # noqa: N802
        self._find(call, call.params["logGroupName"])["retentionInDays"] = None
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def AssociateKmsKey(self, call: Call) -> Result:  # noqa: N802
        group = self._identified(call)
        logs_keys.check(call, call.params["kmsKeyId"], group["logGroupArn"])
        group["kmsKeyId"] = call.params["kmsKeyId"]
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def DisassociateKmsKey(self, call: Call) -> Result:  # noqa: N802
        self._identified(call)["kmsKeyId"] = None
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def PutLogGroupDeletionProtection(self, call: Call) -> Result:  # noqa: N802
        name = call.params["logGroupIdentifier"].partition(":log-group:")
        group = self._find(call, name[2] or name[0])
        group["deletionProtectionEnabled"] = call.params["deletionProtectionEnabled"]
        return {}

    @operation(raises=(_MISSING, _INVALID, "TooManyTagsException"))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        group = self._tagged(call)
        tags = group["_tags"] | call.params["tags"]
        if len(tags) > _MOST_TAGS:
            raise Fault("TooManyTagsException", "A resource can have no more than 50 tags.")
        group["_tags"] = tags
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        group, gone = self._tagged(call), call.params["tagKeys"]
        group["_tags"] = {key: value for key, value in group["_tags"].items() if key not in gone}
        return {}

    @operation(raises=(_MISSING, _INVALID))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"tags": dict(self._tagged(call)["_tags"])}

    def _find(self, call: Call, name: str) -> Record:
        group = self.records(call).get(name)
        if group is None:
            raise Fault(_MISSING, "The specified log group does not exist.")
        return group

    def _tagged(self, call: Call) -> Record:
        """The log group of an ARN; it has none of the `:*` of a permission's."""
        arn = call.params["resourceArn"]
        head, _, name = arn.partition(":log-group:")
        if head != f"arn:aws:logs:{call.region}:{call.account}" or name.endswith(":*"):
            raise Fault(_INVALID, "Invalid resourceArn")
        return self._find(call, name)

    def _identified(self, call: Call) -> Record:
        """By its name, or by a resource identifier, which is its ARN."""
        if "logGroupName" in call.params:
            return self._find(call, call.params["logGroupName"])
        identifier = call.params.get("resourceIdentifier", "")
        _, _, name = identifier.partition(":log-group:")
        if not name:
            raise Fault(
                _INVALID, "logGroupName or the resourceIdentifier of a log group is needed."
            )
        return self._find(call, name.removesuffix(":*"))


def _asked(group: Record, params: dict[str, Any]) -> bool:
    name = str(group["logGroupName"])
    identifiers = params.get("logGroupIdentifiers")
    return (
        name.startswith(params.get("logGroupNamePrefix", ""))
        and params.get("logGroupNamePattern", "").lower() in name.lower()
        and params.get("logGroupClass") in (None, group["logGroupClass"])
        and (not identifiers or not {name, group["logGroupArn"]}.isdisjoint(identifiers))
    )


def _refuse(call: Call, *names: str) -> None:
    if given := [name for name in names if call.params.get(name)]:
        raise not_implemented(f"logs {call.operation} with {', '.join(given)}")
