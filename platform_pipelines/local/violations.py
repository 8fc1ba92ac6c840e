"""Where a strict world writes down answers that AWS would not have given: `<state>/violations.jsonl`.

A test session fails on any line of it.
"""

import json
from pathlib import Path

from platform_pipelines.local import validate
from platform_pipelines.local.aws.protocol import Routed
from platform_pipelines.local.http import Response

FILE = "violations.jsonl"


def note(state: Path, routed: Routed | None, response: Response) -> None:
    """Check an answer against botocore's model, and write down what is wrong with it."""
    if routed is None:
        return
    found = validate.violations(routed.operation, routed.protocol, response)
    if not found:
        return
    service = routed.operation.service_model.service_name
    line = {
        "service": service,
        "operation": routed.name,
        "found": found,
        "status": response.status,
        "body": response.body[:2000].decode(errors="replace"),
    }
    with (state / FILE).open("a") as file:
        file.write(json.dumps(line) + "\n")
