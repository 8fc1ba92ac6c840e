"""Who am I, and what may I do: the questions behind `kubectl auth whoami` and `kubectl auth can-i`.

Whoever has a token here may do everything, as the creator of an EKS cluster may: no access is
refused, so none is answered with no.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from typing import Any

from platform_pipelines.local.kube import admission, faults, kinds
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.requests import Request, Verb

_ADMINISTRATORS = "system:masters"
_EVERYTHING = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
_EVERY_PATH = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]


def reviewed(request: Request) -> Obj:
    """A question with its answer. Raises: KubeFault, when it is none."""
    kind = request.target.kind
    if request.verb is not Verb.CREATE:
        raise faults.method_not_allowed()
    asked = request.obj()
    question, _ = admission.decode(kind, asked, request.strictness)
    named = {"kind": kind.kind, "apiVersion": kind.api_version}
    return named | question | {"status": _answer(request, question)}


def _answer(request: Request, question: Obj) -> dict[str, Any]:
    match request.target.kind:
        case kinds.SELF_SUBJECT_REVIEW:
            groups = [_ADMINISTRATORS, "system:authenticated"]
            return {"userInfo": {"username": request.user, "groups": groups}}
        case kinds.SELF_SUBJECT_ACCESS_REVIEW:
            return {"allowed": True, "reason": _reason(question)}
    rules = {"resourceRules": _EVERYTHING, "nonResourceRules": _EVERY_PATH}
    return rules | {"incomplete": False}


def _reason(question: Obj) -> str:
    spec = question.get("spec") or {}
    if not spec.get("resourceAttributes") and not spec.get("nonResourceAttributes"):
        raise faults.bad_request(
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        )
    return f"the caller is in the group {_ADMINISTRATORS}"
