"""Small words that several templates share: logical ids, tags, and the policies of what holds data."""

from typing import Any

from troposphere import RetainExceptOnCreate, Tags

from platform_pipelines.model import Database, Platform, Region

# A stack's deletion or a replacement never deletes data. A first create that fails leaves nothing.
KEPT: dict[str, Any] = {"DeletionPolicy": RetainExceptOnCreate, "UpdateReplacePolicy": "Retain"}
LOG_DAYS = 90  # how long logs are kept that nobody has asked to keep for longer


def logical(*words: str) -> str:
    """`logical("MountTarget", "web-files", "1")` is `MountTargetWebFiles1`."""
    parts = (part for word in words for part in word.replace("_", "-").split("-"))
    return "".join(part[:1].upper() + part[1:] for part in parts)


def named(name: str) -> Tags:
    """The tag by which the console, and we, find a thing."""
    return Tags(Name=name)


def key_alias(platform: Platform) -> str:
    """Each Region's own key, by the same name in both."""
    return f"alias/{platform.platform}"


# A secret's name must not end with a hyphen and six characters: the end of an ARN looks like that.
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html


def database_secret(platform: Platform, database: Database) -> str:
    """The secret that holds a global database's administrator."""
    return f"{platform.global_cluster_id(database)}-admin"


def control_id(platform: Platform, region: Region) -> str:
    """The PostgreSQL of a Region's Dagster."""
    return f"{platform.platform}-control-{region.alias}"


def control_secret(platform: Platform, region: Region) -> str:
    """The secret that holds the administrator of a Region's PostgreSQL."""
    return f"{control_id(platform, region)}-admin"
