"""Fault Injection Service: experiment templates. What starts, stops or shows an experiment is "not
implemented": the local Regions break by their own controls.

https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplate.html
"""

import secrets
import string
from copy import deepcopy

from platform_pipelines.local.aws import fis_rules as rules
from platform_pipelines.local.aws.answers import Record, moment, taken
from platform_pipelines.local.aws.fis_rules import INVALID
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

PAGE = 100
_MISSING = "ResourceNotFoundException"
_LETTERS = string.ascii_letters + string.digits
_OF_A_TEMPLATE = (
    *("description", "stopConditions", "targets", "actions", "roleArn", "logConfiguration"),
    "experimentReportConfiguration",
)
_OPTIONS = {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"}
_SUMMARY = ("id", "arn", "description", "tags")


class Fis(Keeping):
    """The experiment templates of a Region."""

    name = "fis"

    @operation(raises=(INVALID,))
    def CreateExperimentTemplate(self, call: Call) -> Result:  # noqa: N802
        token = call.params["clientToken"]
        for one in self.records(call).values():
            if one["_token"] == token:
                return {"experimentTemplate": _shown(one)}
        declared: Record = {"targets": {}} | deepcopy(taken(call.params, *_OF_A_TEMPLATE))
        rules.check(declared, call.region)
        id_, now = f"EXT{''.join(secrets.choice(_LETTERS) for _ in range(15))}", self.world.now()
        self.records(call)[id_] = declared | {
            "id": id_,
            "arn": f"arn:aws:fis:{call.region}:{call.account}:experiment-template/{id_}",
            "experimentOptions": _OPTIONS | call.params.get("experimentOptions", {}),
            "creationTime": now,
            "lastUpdateTime": now,
            "tags": call.params.get("tags", {}),
            "targetAccountConfigurationsCount": 0,
            "_token": token,
        }
        return {"experimentTemplate": _shown(self.records(call)[id_])}

    @operation(raises=(_MISSING,))
    def GetExperimentTemplate(self, call: Call) -> Result:  # noqa: N802
        return {"experimentTemplate": _shown(self._template(call))}

    @operation(raises=(INVALID, _MISSING))
    def UpdateExperimentTemplate(self, call: Call) -> Result:  # noqa: N802
        found = self._template(call)
        declared = found | deepcopy(taken(call.params, *_OF_A_TEMPLATE))
        rules.check(declared, call.region)
        options = found["experimentOptions"] | call.params.get("experimentOptions", {})
        found |= declared | {"experimentOptions": options, "lastUpdateTime": self.world.now()}
        return {"experimentTemplate": _shown(found)}

    @operation(raises=(_MISSING,))
    def DeleteExperimentTemplate(self, call: Call) -> Result:  # noqa: N802
        found = self._template(call)
        del self.records(call)[found["id"]]
        return {"experimentTemplate": _shown(found)}

    @operation(raises=(INVALID,))
    def ListExperimentTemplates(self, call: Call) -> Result:  # noqa: N802
        rows = [taken(_shown(one), *_SUMMARY, *_TIMES) for one in self.records(call).values()]
        names, wrong = ("nextToken", "maxResults"), Fault(INVALID, "The nextToken is not valid.")
        return paged("experimentTemplates", rows, call.params, wrong=wrong, limit=PAGE, names=names)

    @operation(raises=(_MISSING,))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        found = self._tagged(call)
        found["tags"] = found["tags"] | call.params["tags"]
        return {}

    @operation(raises=(_MISSING,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        found, gone = self._tagged(call), call.params.get("tagKeys")
        kept = {key: value for key, value in found["tags"].items() if gone and key not in gone}
        found["tags"] = kept  # without keys: none is left
        return {}

    @operation(raises=(_MISSING,))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"tags": self._tagged(call)["tags"]}

    def _template(self, call: Call) -> Record:
        found = self.records(call).get(call.params["id"])
        if found is None:
            raise Fault(_MISSING, f"Experiment template {call.params['id']} does not exist.")
        return found

    def _tagged(self, call: Call) -> Record:
        arn = call.params["resourceArn"]
        for one in self.records(call).values():
            if one["arn"] == arn:
                return one
        raise Fault(_MISSING, f"The resource {arn} does not exist.")


_TIMES = ("creationTime", "lastUpdateTime")


def _shown(found: Record) -> Record:
    rest = {key: deepcopy(value) for key, value in found.items() if not key.startswith("_")}
    return rest | {key: moment(found[key]) for key in _TIMES}
