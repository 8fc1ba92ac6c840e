"""Other forms of an answer that a client may ask for: a Table, as kubectl does, or metadata only.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from platform_pipelines.local.kube import columns
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, meta

_META = "meta.k8s.io/v1"
_AS = re.compile(r";\s*as=(\w+)")


class Form(StrEnum):
    """How objects are answered."""

    FULL = ""
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"
    METADATA_LIST = "PartialObjectMetadataList"


def form_of(accept: str) -> Form:
    """The first form of an Accept header that we have."""
    for part in accept.split(","):
        found = _AS.search(part)
        if found and found[1] in list(Form):
            return Form(found[1])
        if not found and ("json" in part or "*/*" in part):
            return Form.FULL
    return Form.FULL


def table(
    kind: Kind, objects: Sequence[Obj], metadata: Mapping[str, Any], now: datetime, include: str
) -> Obj:
    """A Table of these objects; `include` says how much of each goes with its row."""
    shown = columns.of_kind(kind)
    rows = []
    for obj in objects:
        row: Obj = {"cells": [column.value(obj, now) for column in shown]}
        if include != "None":
            row["object"] = obj if include == "Object" else partial(obj)
        rows.append(row)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.name,
            "priority": column.priority,
        }
        for column in shown
    ]
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": dict(metadata),
        "columnDefinitions": definitions,
        "rows": rows,
    }


def partial(obj: Obj) -> Obj:
    """An object's metadata only."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": meta(obj)}


def partial_list(objects: Sequence[Obj], metadata: Mapping[str, Any]) -> Obj:
    """A list of metadata only."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": _META,
        "metadata": dict(metadata),
        "items": [partial(obj) for obj in objects],
    }
