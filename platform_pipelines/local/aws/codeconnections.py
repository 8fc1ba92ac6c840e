"""CodeConnections: connections to where the source code is.

A connection is PENDING until a person has shaken hands with the provider in AWS's console, which is
not here: so it stays PENDING. There are no hosts.
https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-update.html
"""

import uuid

from platform_pipelines.local.aws.answers import Record, shown, tag_list, tag_map
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

PAGE = 100
MOST_TAGS = 200
_MISSING, _LIMIT = "ResourceNotFoundException", "LimitExceededException"
_INPUT = "InvalidInputException"
_PENDING = "PENDING"


class CodeConnections(Keeping):
    """The connections of a Region."""

    name = "codeconnections"

    @operation(raises=(_INPUT, _MISSING), states="PENDING, until a person's handshake")
    def CreateConnection(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        if ("HostArn" in params) == ("ProviderType" in params):
            raise Fault(_INPUT, "Specify either a ProviderType or a HostArn.")
        if "HostArn" in params:
            raise Fault(_MISSING, f"Host {params['HostArn']} not found")
        arn = f"arn:aws:codeconnections:{call.region}:{call.account}:connection/{uuid.uuid4()}"
        tags = tag_map(params.get("Tags", []))
        self.records(call)[arn] = {
            "ConnectionArn": arn,
            "ConnectionName": params["ConnectionName"],
            "ConnectionStatus": _PENDING,
            "OwnerAccountId": call.account,
            "ProviderType": params["ProviderType"],
            "_tags": tags,
        }
        return {"ConnectionArn": arn, "Tags": tag_list(tags)}

    @operation(raises=(_MISSING,))
    def GetConnection(self, call: Call) -> Result:  # noqa: N802
        return {"Connection": shown(self._connection(call, call.params["ConnectionArn"]))}

    @operation(raises=(_INPUT,))
    def ListConnections(self, call: Call) -> Result:  # noqa: N802
        kind, host = call.params.get("ProviderTypeFilter"), call.params.get("HostArnFilter")
        rows = [
            shown(one)
            for one in self.records(call).values()
            if kind in (None, one["ProviderType"]) and host is None
        ]
        wrong = Fault(_INPUT, "The NextToken is not valid.")
        return paged("Connections", rows, call.params, wrong=wrong, limit=PAGE)

    @operation(raises=(_MISSING,))
    def DeleteConnection(self, call: Call) -> Result:  # noqa: N802
        found = self._connection(call, call.params["ConnectionArn"])
        del self.records(call)[found["ConnectionArn"]]
        return {}

    @operation(raises=(_MISSING, _LIMIT))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        found = self._connection(call, call.params["ResourceArn"])
        tags = found["_tags"] | tag_map(call.params["Tags"])
        if len(tags) > MOST_TAGS:
            raise Fault(_LIMIT, f"A resource can have at most {MOST_TAGS} tags.")
        found["_tags"] = tags
        return {}

    @operation(raises=(_MISSING,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        found, gone = self._connection(call, call.params["ResourceArn"]), call.params["TagKeys"]
        found["_tags"] = {key: value for key, value in found["_tags"].items() if key not in gone}
        return {}

    @operation(raises=(_MISSING,))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"Tags": tag_list(self._connection(call, call.params["ResourceArn"])["_tags"])}

    def _connection(self, call: Call, arn: str) -> Record:
        found = self.records(call).get(arn)
        if found is None:
            raise Fault(_MISSING, f"Connection {arn} not found")
        return found
