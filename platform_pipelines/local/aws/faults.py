"""Errors in each of AWS's protocols, so that any SDK reads the code and the message.

Used for the faults of our operations, for what is not implemented here, and for a Region that
answers 5xx, where the request's service may be one that we know nothing of.
"""

import json
from typing import Any
from xml.sax.saxutils import escape

from platform_pipelines.local.aws import protocol
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.http import Request, Response

_QUERY = (
    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>{id}</RequestId></ErrorResponse>"
)
_EC2 = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>{id}</RequestID></Response>"
)
_S3 = "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>"
_CODE = "ErrorCode"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def respond(service: str, request: Request, fault: Fault, id_: str) -> Response:
    """A fault as clients of this service read it."""
    status = protocol.status_of(service, fault)
    kind = "Sender" if status < 500 else "Receiver"
    headers = {"x-amzn-requestid": id_, "x-amz-request-id": id_}
    template = _template(service, request)
    if template is None:
        headers |= _json_headers(service, request, fault, kind)
        body = json.dumps({"__type": fault.code} | _members(service, fault))
    else:
        headers |= {"content-type": "text/xml"}
        code, message = escape(fault.code), escape(fault.message)
        body = _XML + template.format(kind=kind, code=code, message=message, id=id_)
    return Response(status=status, headers=headers, body=body.encode())


def _json_headers(service: str, request: Request, fault: Fault, kind: str) -> dict[str, str]:
    sent = request.headers.get("content-type", "")
    headers = {
        "content-type": sent if "json" in sent else "application/json",
        "x-amzn-errortype": fault.code,
    }
    model = protocol.model(service)
    if model is not None and model.is_query_compatible:
        headers["x-amzn-query-error"] = f"{fault.code};{kind}"
    return headers


def _members(service: str, fault: Fault) -> dict[str, Any]:
    """What a JSON error says, under the model's names; a code that the model lacks has what all of
    the service's errors have."""
    names = protocol.error_members(service, fault.code)
    said = {"Message" if "Message" in names else "message": fault.message}
    if _CODE in names:  # of EFS
        said[_CODE] = fault.code
    return said | fault.members


def _template(service: str, request: Request) -> str | None:
    """The XML form of an error; None where errors are JSON."""
    model = protocol.model(service)
    wire = str(model.protocol) if model else ""
    sent = request.headers.get("content-type", "")
    if "json" in sent or "x-amz-target" in request.headers or wire in ("json", "rest-json"):
        return None
    return {"s3": _S3, "ec2": _EC2}.get(service, _QUERY)
