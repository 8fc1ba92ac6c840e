"""Where a strict world writes down answers that AWS would not have given: `<state>/violations.jsonl`.

A test session fails on any line of it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platform_pipelines.local import validate
from platform_pipelines.local.aws.protocol import Routed
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.http import Response

FILE = "violations.jsonl"


def note(state: Path, routed: Routed | None, response: Response) -> None:
    """Check an answer against botocore's model, and write down what is wrong with it."""
    if routed is None:
        return
    found = validate.violations(routed.operation, routed.protocol, response)
    if not found:
        return
    body = response.body[:2000].decode(errors="replace")
    about = {"service": routed.operation.service_model.service_name, "operation": routed.name}
    _write(state, {**about, "found": found, "status": response.status, "body": body})


@contextmanager
def watched(state: Path, log: CallLog, asked: Asked) -> Iterator[None]:
    """An operation that breaks is a mistake of ours: it is told in the call log as in the answer, and
    written down, whether the world is strict or not."""
    try:
        yield
    except Exception as error:
        log.answered(asked, 500, "InternalFailure")
        about = {"service": asked.service, "operation": asked.operation}
        _write(state, {**about, "found": [f"{type(error).__name__}: {error}"], "status": 500})
        raise


def _write(state: Path, line: dict[str, Any]) -> None:
    with (state / FILE).open("a") as file:
        file.write(json.dumps(line) + "\n")
