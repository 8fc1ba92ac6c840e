"""What AWS asks of a policy for a call, and whether a policy allows it: as IAM's documentation says.

`needed` is a second opinion beside `cfn.operations`: it knows the calls' arguments, and makes of them
the ARNs and condition keys that AWS would. `Recorder` notes the calls of this process's own clients.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore
from botocore.model import OperationModel
from botocore.session import Session

Statement = Mapping[str, Any]
Params = Mapping[str, Any]
REQUEST_IDS = ("x-amzn-RequestId", "x-amz-request-id")  # headers, by protocol
PRODUCT = "platform-pipelines "  # how the User-Agent of every client of the product begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One call, as a client was asked to make it."""

    service: str  # as boto3 names it
    operation: str
    region: str
    params: Params
    agent: str  # what the client adds to its User-Agent
    doing: str  # what `Recorder.doing` was

    @property
    def of_product(self) -> bool:
        return self.agent.startswith(PRODUCT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A permission that AWS checks for a call."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]]


@dataclass(kw_only=True)
class Recorder:
    """The calls of all clients that are made while it listens."""

    doing: str = ""
    calls: list[Recorded] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)  # request ids
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def listening(self) -> Iterator["Recorder"]:
        """Note every call of every session that is made from here on; boto3's own is a new one."""
        botocore.register_initializer(self._listen)
        boto3.setup_default_session()
        try:
            yield self
        finally:
            botocore.unregister_initializer(self._listen)
            boto3.setup_default_session()

    @contextmanager
    def during(self, doing: str) -> Iterator[None]:
        """What is done until the end of the context."""
        before, self.doing = self.doing, doing
        try:
            yield
        finally:
            self.doing = before

    def _listen(self, session: Session) -> None:
        session.register("provide-client-params.*.*", self._note)
        session.register("response-received.*.*", self._answered)

    def _note(self, **found: Any) -> None:
        model: OperationModel = found["model"]
        context, params = found["context"], found["params"]
        made = Recorded(
            service=model.service_model.service_name,
            operation=model.name,
            region=context["client_region"],
            params=dict(params),
            agent=context["client_config"].user_agent_extra or "",
            doing=self.doing,
        )
        with self._lock:
            self.calls.append(made)

    def _answered(self, response_dict: Mapping[str, Any] | None = None, **_: object) -> None:
        """An attempt's answer, a refused one's too; None when nothing answered."""
        headers = (response_dict or {}).get("headers", {})
        found = {headers[name] for name in REQUEST_IDS if name in headers}
        with self._lock:
            self.answered |= found


def allowed(statements: Sequence[Statement], needed: Needed) -> bool:
    """Whether a policy allows this: something allows it, and nothing denies it."""
    applying = [one for one in statements if _applies(one, needed)]
    return any(one["Effect"] == "Allow" for one in applying) and not any(
        one["Effect"] == "Deny" for one in applying
    )


def _applies(statement: Statement, needed: Needed) -> bool:
    return (
        any(like(one, needed.action, ignore_case=True) for one in _list(statement["Action"]))
        and any(like(one, needed.resource) for one in _list(statement["Resource"]))
        and all(
            _holds(operator, _list(values), needed.context.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, values: Sequence[str], found: Sequence[str] | None) -> bool:
    match operator:
        case "StringEquals":
            return found is not None and all(one in values for one in found)
        case "StringEqualsIfExists":
            return found is None or all(one in values for one in found)
        case "ForAllValues:StringEquals":
            return all(one in values for one in found or ())
        case "ForAllValues:StringLike":
            return all(any(like(value, one) for value in values) for one in found or ())
    raise AssertionError(f"an operator that this evaluation does not know: {operator}")


def like(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """IAM's patterns: `*` is any text, `?` any character."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return bool(re.fullmatch("".join(parts), text, re.IGNORECASE if ignore_case else 0))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# A function of the call's arguments: what it is done on, after `arn:aws:<service>:<region>:<account>:`
# or as a whole ARN.
Resources = Callable[[Params], list[str]]
ANY = "*"
GLOBAL = {"s3", "iam", "sts"}
PREFIXES = {"efs": "elasticfilesystem"}
ACTIONS = {("s3", "ListObjectsV2"): "s3:ListBucket"}


def _stack(params: Params) -> list[str]:
    """By name or by id; a change set alone stands for its stack, and has an ARN of its own."""
    found = []
    name = params.get("StackName", "")
    if name:
        found.append(f"stack/{name}/*" if ":" not in name else name)
    if (change_set := params.get("ChangeSetName", "")).startswith("arn:"):
        found.append(change_set)
    return found


def _bucket(params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}"]


def _object(params: Params) -> list[str]:
    return [f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"]


def _group(params: Params) -> list[str]:
    return [f"nodegroup/{params['clusterName']}/{params['nodegroupName']}/aec1"]


def _targets(params: Params) -> list[str]:
    return [
        f"arn:aws:rds::{{account}}:global-cluster:{params['GlobalClusterIdentifier']}",
        params["TargetDbClusterIdentifier"],
    ]


RESOURCES: Mapping[str, Mapping[str, Resources]] = {
    "cloudformation": {
        "*": _stack,
        "DescribeStackDriftDetectionStatus": lambda _: [ANY],
    },
    "cloudwatch": {"*": lambda _: [ANY]},
    "codepipeline": {
        "GetPipelineState": lambda params: [params["name"]],
        "*": lambda params: [f"{params['pipelineName']}/{params['stageName']}"],
    },
    "dynamodb": {"*": lambda params: [f"table/{params['TableName']}"]},
    "ecr": {"*": lambda params: [f"repository/{params['repositoryName']}"]},
    "efs": {
        "DescribeFileSystems": lambda _: ["file-system/*"],
        "DescribeReplicationConfigurations": lambda _: ["file-system/*"],
        "CreateReplicationConfiguration": lambda params: [
            f"file-system/{params['SourceFileSystemId']}"
        ],
        "DeleteReplicationConfiguration": lambda params: [
            f"file-system/{params['SourceFileSystemId']}"
        ],
        "UpdateFileSystemProtection": lambda params: [f"file-system/{params['FileSystemId']}"],
    },
    "eks": {
        "DescribeCluster": lambda params: [f"cluster/{params['name']}"],
        "ListNodegroups": lambda params: [f"cluster/{params['clusterName']}"],
        "DescribeNodegroup": _group,
        "UpdateNodegroupConfig": _group,
        "DescribeUpdate": lambda params: [
            f"cluster/{params['name']}",
            *_group({"clusterName": params["name"], **params}),
        ],
    },
    "rds": {
        "DescribeGlobalClusters": lambda params: [
            f"arn:aws:rds::{{account}}:global-cluster:{params['GlobalClusterIdentifier']}"
        ],
        "DescribeDBClusters": lambda params: [f"cluster:{params['DBClusterIdentifier']}"],
        "DescribeDBInstances": lambda _: ["db:*"],
        "FailoverGlobalCluster": _targets,
    },
    "s3": {
        "ListObjectsV2": _bucket,
        "PutObject": _object,
        "DeleteObject": _object,
    },
}


def needed(call: Recorded, account: str, tags: Mapping[str, Mapping[str, str]]) -> list[Needed]:
    """What AWS checks for a call; `tags` are those of resources, by their ids.
    Raises: KeyError, for an operation that nobody has looked up yet."""
    known = RESOURCES[call.service]
    found = (known.get(call.operation) or known["*"])(call.params)
    prefix = PREFIXES.get(call.service, call.service)
    action = ACTIONS.get((call.service, call.operation), f"{prefix}:{call.operation}")
    made = []
    for one in found:
        arn = one.format(account=account)
        if arn != ANY and not arn.startswith("arn:"):
            arn = f"arn:aws:{prefix}:{call.region}:{account}:{arn}"
        context = _context(call) | _tags(arn, tags)
        made.append(Needed(action=action, resource=arn, context=context))
    return made + _beside(call)


def _beside(call: Recorded) -> list[Needed]:
    """What a change set asks for beside its own permission."""
    if call.operation != "CreateChangeSet":
        return []
    made = []
    context: dict[str, list[str]] = {"iam:PassedToService": ["cloudformation.amazonaws.com"]}
    if role := call.params.get("RoleARN"):
        made.append(Needed(action="iam:PassRole", resource=role, context=context))
    if url := call.params.get("TemplateURL"):
        bucket, _, key = url.removeprefix("https://").partition("/")
        arn = f"arn:aws:s3:::{bucket.partition('.')[0]}/{key}"
        made.append(Needed(action="s3:GetObject", resource=arn, context={}))
    return made


def _context(call: Recorded) -> dict[str, Sequence[str]]:
    context: dict[str, Sequence[str]] = {"aws:RequestedRegion": [call.region]}
    if call.service == "dynamodb":
        context["dynamodb:LeadingKeys"] = [_leading(call.params)]
        context["dynamodb:Attributes"] = sorted(_attributes(call.params))
        if value := call.params.get("ReturnValues"):
            context["dynamodb:ReturnValues"] = [value]
    return context


def _leading(params: Params) -> str:
    item = params.get("Item") or params.get("Key")
    found: str = (item["pk"] if item else params["ExpressionAttributeValues"][":pk"])["S"]
    return found


def _attributes(params: Params) -> set[str]:
    """The attributes that a call names: in its item, its key, and its expressions."""
    named = set(params.get("Item", {})) | set(params.get("Key", {}))
    named |= set(params.get("ExpressionAttributeNames", {}).values())
    text = " ".join(str(params.get(f"{kind}Expression", "")) for kind in ("Condition", "Update"))
    return named | {word for word in ("pk", "sk") if re.search(rf"\b{word}\b", text)}


def _tags(arn: str, tags: Mapping[str, Mapping[str, str]]) -> dict[str, Sequence[str]]:
    found = tags.get(arn.rpartition("/")[2], {})
    return {f"aws:ResourceTag/{key}": [value] for key, value in found.items()}
