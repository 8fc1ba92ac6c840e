"""The policy of a stack that holds data: CloudFormation itself refuses to replace or delete it.

It stands beside our own rules against loss, because it also holds for whoever updates a stack
without us. A loss that a run names is let through for that run only.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

import json
from collections.abc import Iterable

from platform_pipelines.provisioning.stateful import STATEFUL


def policy(but: Iterable[str] = ()) -> str:
    """The stack policy as JSON. `but`: logical ids whose loss somebody has allowed."""
    everything = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    guarded = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["Update:Replace", "Update:Delete"],
        "Condition": {"StringEquals": {"ResourceType": sorted(STATEFUL)}},
    }
    allowed = [f"LogicalResourceId/{name}" for name in sorted(but)]
    guarded |= {"NotResource": allowed} if allowed else {"Resource": "*"}
    return json.dumps({"Statement": [everything, guarded]}, separators=(",", ":"))
