"""CodeBuild: projects. Nothing is built here: what starts, stops or lists a build is "not
implemented".

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
"""

from copy import deepcopy

from platform_pipelines.local.aws import codebuild_rules as rules
from platform_pipelines.local.aws.answers import Record, moment
from platform_pipelines.local.aws.codebuild_rules import INVALID
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

PAGE = 100
_EXISTS, _MISSING = "ResourceAlreadyExistsException", "ResourceNotFoundException"
_ORDERS = {"NAME": "name", "CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}
_BY_DEFAULT: Record = {
    "cache": {"type": "NO_CACHE"},
    "logsConfig": {
        "cloudWatchLogs": {"status": "ENABLED"},
        "s3Logs": {"status": "DISABLED", "encryptionDisabled": False},
    },
    "projectVisibility": "PRIVATE",
    "queuedTimeoutInMinutes": 480,
    "secondaryArtifacts": [],
    "secondarySources": [],
    "tags": [],
    "timeoutInMinutes": 60,
}
_OF_AN_ENVIRONMENT: Record = {
    "environmentVariables": [],
    "imagePullCredentialsType": "CODEBUILD",
    "privilegedMode": False,
}


class CodeBuild(Keeping):
    """The projects of a Region."""

    name = "codebuild"

    @operation(raises=(INVALID, _EXISTS))
    def CreateProject(self, call: Call) -> Result:  # noqa: N802
        name = call.params["name"]
        if name in self.records(call):
            raise Fault(_EXISTS, f"Project already exists: {_arn(call, name)}")
        rules.check(call.params, call.region)
        key = f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3"
        now = self.world.now()
        found = {"encryptionKey": key, "arn": _arn(call, name), "created": now}
        self.records(call)[name] = found | self._declared(call.params, deepcopy(_BY_DEFAULT))
        return {"project": _shown(self.records(call)[name])}

    @operation(raises=(INVALID, _MISSING))
    def UpdateProject(self, call: Call) -> Result:  # noqa: N802
        name = _name(call.params["name"])
        found = self.records(call).get(name)
        if found is None:
            raise Fault(_MISSING, f"Project cannot be found: {_arn(call, name)}")
        changed = self._declared(call.params | {"name": name}, found)
        rules.check(changed, call.region)
        self.records(call)[name] = changed
        return {"project": _shown(changed)}

    @operation(raises=(INVALID,))
    def BatchGetProjects(self, call: Call) -> Result:  # noqa: N802
        asked, records = call.params["names"], self.records(call)
        there = [name for name in asked if _name(name) in records]
        found = [_shown(records[_name(name)]) for name in there]
        missing = [name for name in asked if name not in there]
        return {"projects": found, "projectsNotFound": missing}

    @operation(raises=(INVALID,))
    def ListProjects(self, call: Call) -> Result:  # noqa: N802
        key = _ORDERS[call.params.get("sortBy", "NAME")]
        backwards = call.params.get("sortOrder") == "DESCENDING"
        ordered = sorted(self.records(call).values(), key=lambda one: one[key], reverse=backwards)
        rows = [one["name"] for one in ordered]
        names, wrong = ("nextToken", "maxResults"), Fault(INVALID, "The nextToken is not valid.")
        return paged("projects", rows, call.params, wrong=wrong, limit=PAGE, names=names)

    @operation(raises=(INVALID,))
    def DeleteProject(self, call: Call) -> Result:  # noqa: N802
        self.records(call).pop(_name(call.params["name"]), None)
        return {}

    def _declared(self, asked: Record, before: Record) -> Record:
        """A project after a request; what the request does not say stays."""
        made = before | deepcopy(asked) | {"lastModified": self.world.now()}
        made["environment"] = _OF_AN_ENVIRONMENT | made["environment"]
        return made


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"


def _name(text: str) -> str:
    """A project's name, from that or from its ARN."""
    return text.rpartition("/")[2]


def _shown(found: Record) -> Record:
    times = {key: moment(found[key]) for key in ("created", "lastModified")}
    badge = {"badgeEnabled": found.get("badgeEnabled", False)}
    rest = {key: deepcopy(value) for key, value in found.items() if key != "badgeEnabled"}
    return rest | times | {"badge": badge}
