"""How each service refuses a request that its model does not allow: its code, and its words.

Most say it as AWS's common front end does ("1 validation error detected: …"), with a code that goes
with the protocol; ECR, EKS, EC2, RDS and SNS have words of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws.constraints import Path, Problem, Rule
from platform_pipelines.local.aws.service import Fault

Words = Callable[[Sequence[Problem]], str]

_COMMON = {
    Rule.REQUIRED: "Member must not be null",
    Rule.ENUM: "Member must satisfy enum value set: {bound}",
    Rule.PATTERN: "Member must satisfy regular expression pattern: {bound}",
    Rule.SHORTEST: "Member must have length greater than or equal to {bound}",
    Rule.LONGEST: "Member must have length less than or equal to {bound}",
    Rule.LEAST: "Member must have value greater than or equal to {bound}",
    Rule.MOST: "Member must have value less than or equal to {bound}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """A service's way to refuse."""

    missing: str  # the code when something required is missing
    wrong: str  # the code of any other problem
    words: Words
    unreadable: str  # the code of what cannot be read at all


def invalid(service: str, protocol: str, found: Sequence[Problem]) -> Fault:
    """The fault of a request that breaks rules of the model."""
    manner = _manner(service, protocol)
    missing = [one for one in found if one.rule is Rule.REQUIRED]
    code = manner.missing if missing else manner.wrong
    return Fault(code, manner.words(missing or found), 400)


def unreadable(service: str, protocol: str, why: str) -> Fault:
    """The fault of a request that is not of the operation's shape."""
    return Fault(_manner(service, protocol).unreadable, why, 400)


def codes(service: str, protocol: str) -> frozenset[str]:
    """Every code with which a service refuses what its model does not allow."""
    manner = _manner(service, protocol)
    return frozenset({manner.missing, manner.wrong, manner.unreadable})


def _manner(service: str, protocol: str) -> Manner:
    return _MANNERS.get(service) or _BY_PROTOCOL.get(protocol, _JSON)


def _common(found: Sequence[Problem]) -> str:
    """As AWS's common front end says it."""
    told = "; ".join(f"{_quoted(one)} failed to satisfy constraint: {_rule(one)}" for one in found)
    count = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
    return f"{count} detected: {told}"


def _quoted(one: Problem) -> str:
    value = "null" if one.rule is Rule.REQUIRED else f"'{one.value}'"
    return f"Value {value} at '{_place(one.path)}'"


def _rule(one: Problem) -> str:
    bound = f"[{', '.join(one.bound)}]" if one.rule is Rule.ENUM else one.bound
    return _COMMON[one.rule].format(bound=bound)


def _place(path: Path) -> str:
    """tags.1.member.key: names begin small, lists count from one."""
    parts = [f"{part + 1}.member" if isinstance(part, int) else _small(part) for part in path]
    return ".".join(parts)


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _dotted(path: Path) -> str:
    """Filters.1.Name: as a query has it."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _ecr(found: Sequence[Problem]) -> str:
    one = found[0]
    quoted = f"regular expression '{one.bound}'"
    rule = (
        _rule(one)
        .replace("Member ", "")
        .replace(f"regular expression pattern: {one.bound}", quoted)
    )
    return f"Invalid parameter at '{_place(one.path)}' failed to satisfy constraint: '{rule}'"


def _eks(found: Sequence[Problem]) -> str:
    one = found[0]
    if one.rule is Rule.REQUIRED:
        return f"The parameter {_place(one.path)} is required."
    if one.rule is Rule.PATTERN:
        return (
            f"The parameter {_place(one.path)} contains invalid characters. "
            f'It should conform to the regular expression "{one.bound}"'
        )
    return f"The parameter {_place(one.path)} is not valid: {_rule(one)}"


def _query(found: Sequence[Problem]) -> str:
    one = found[0]
    if one.rule is Rule.REQUIRED:
        return f"The request must contain the parameter {_dotted(one.path)}"
    return f"Invalid value '{one.value}' for {_dotted(one.path)}. {_rule(one)}"


def _ec2(found: Sequence[Problem]) -> str:
    one = found[0]
    if one.rule is Rule.REQUIRED:
        return f"The request must contain the parameter {_dotted(one.path)}"
    name = _small(_dotted(one.path))
    return f"Value ({one.value}) for parameter {name} is invalid. {_rule(one)}"


def _sns(found: Sequence[Problem]) -> str:
    one = found[0]
    why = "no value for required parameter" if one.rule is Rule.REQUIRED else _rule(one)
    return f"Invalid parameter: {_dotted(one.path)} Reason: {why}"


def _like(code: str, words: Words = _common, **codes: Any) -> Manner:
    """One code for all but what cannot be read."""
    return Manner(
        **{"missing": code, "wrong": code, "unreadable": _SERIAL, "words": words, **codes}
    )


_SERIAL = "SerializationException"
_MALFORMED = "MalformedInput"
_JSON = _like("ValidationException")
_BY_PROTOCOL = {
    "json": _JSON,
    "rest-json": _JSON,
    "query": _like("ValidationError", unreadable=_MALFORMED),
    "ec2": _like(
        "InvalidParameterValue",
        _ec2,
        missing="MissingParameter",
        unreadable="InvalidParameterValue",
    ),
    "rest-xml": _like("InvalidInput", unreadable="InvalidInput"),
}
_MANNERS = {
    "cloudwatch": _like("ValidationError", missing="MissingParameter", unreadable=_MALFORMED),
    "ecr": _like("InvalidParameterException", _ecr),
    "eks": _like("InvalidParameterException", _eks),
    "logs": _like("InvalidParameterException"),
    "rds": _like(
        "InvalidParameterValue", _query, missing="MissingParameter", unreadable=_MALFORMED
    ),
    "s3": _like("InvalidArgument", _query, missing="InvalidRequest", unreadable="MalformedXML"),
    "service-quotas": _like("IllegalArgumentException"),
    "sns": _like("InvalidParameter", _sns, unreadable=_MALFORMED),
    "sqs": _like("InvalidParameterValue", _query, missing="MissingParameter"),
}
