"""Small words that several templates share: logical ids, tags, and the policies of what holds data."""

from typing import Any

from troposphere import RetainExceptOnCreate, Tags

from platform_pipelines.model import Database, Platform

# A stack's deletion or a replacement never deletes data. A first create that fails leaves nothing.
KEPT: dict[str, Any] = {"DeletionPolicy": RetainExceptOnCreate, "UpdateReplacePolicy": "Retain"}


def logical(*words: str) -> str:
    """`logical("MountTarget", "web-files", "1")` is `MountTargetWebFiles1`."""
    parts = (part for word in words for part in word.replace("_", "-").split("-"))
    return "".join(part[:1].upper() + part[1:] for part in parts)


def named(name: str) -> Tags:
    """The tag by which the console, and we, find a thing."""
    return Tags(Name=name)


def database_secret(platform: Platform, database: Database) -> str:
    """The secret that holds a global database's administrator."""
    return f"{platform.global_cluster_id(database)}-admin"
