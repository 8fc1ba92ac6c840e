"""The versions of Aurora's engines: which there are, and what each can be upgraded to.

The list is ministack's, which took it from AWS.
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_views, stores
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Result,
    Service,
    not_implemented,
    operation,
)

PORTS = {"aurora-mysql": 3306, "aurora-postgresql": 5432}
_ASKED = ("Engine", "EngineVersion", "DefaultOnly")


class Versions(Service):
    """The operation that lists versions."""

    @operation(raises=("InvalidParameterValue", "NotImplemented"))
    def DescribeDBEngineVersions(self, call: Call) -> Result:  # noqa: N802
        """Of Aurora's engines; with every later version as an upgrade's target."""
        engine = call.params.get("Engine")
        if engine not in PORTS:
            raise not_implemented(f"rds DescribeDBEngineVersions of {engine or 'every engine'}")
        params = {name: call.params[name] for name in _ASKED if name in call.params}
        found = stores.ask(call, params)["DBEngineVersions"]
        family = call.params.get("DBParameterGroupFamily")
        found = [one for one in found if family in (None, one["DBParameterGroupFamily"])]
        found = rds_views.select(found, call.params, {"engine": lambda one: {one["Engine"]}})
        views = [one | {"ValidUpgradeTarget": _targets(engine, one)} for one in found]
        return rds_views.paged("DBEngineVersions", views, call.params)


def known_version(engine: str, version: str | None) -> str:
    """A version of an engine that RDS offers; its default for None. Raises: Fault."""
    module = ministack.service("rds")
    if version is None:
        return str(module._default_engine_version(engine))
    names = _offered(engine)
    found = version if version in names else _newest(names, version)
    if found is None:
        raise Fault("InvalidParameterCombination", f"Cannot find version {version} for {engine}")
    return found


def _newest(names: list[str], prefix: str) -> str | None:
    """RDS takes `8.0` for the newest version that begins so."""
    return next((name for name in reversed(names) if name.startswith(f"{prefix}.")), None)


def major(version: str) -> str:
    """The part of an Aurora version that only a major upgrade changes."""
    return version.partition(".mysql_aurora.")[2].partition(".")[0] or version.partition(".")[0]


def check_path(engine: str, old: str, wanted: str, *, major_allowed: bool) -> str:
    """The version that an upgrade leads to. Raises: Fault, where RDS offers none."""
    new = known_version(engine, wanted)
    if order(new) < order(old):
        text = f"Cannot find upgrade target from {old} with requested version {wanted}."
        raise Fault("InvalidParameterCombination", text)
    if major(new) != major(old) and not major_allowed:
        text = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major"
        raise Fault("InvalidParameterCombination", f"{text} version.")
    return new


def order(version: str) -> list[int]:
    """A version as numbers, so that a later one is greater."""
    return [int(part) for part in version.replace("mysql_aurora.", "").split(".")]


def _offered(engine: str) -> list[str]:
    module = ministack.service("rds")
    return [
        name for name, _ in module.__dict__[f"{engine.replace('-', '_').upper()}_ENGINE_VERSIONS"]
    ]


def _targets(engine: str, one: Result) -> list[Result]:
    version = one["EngineVersion"]
    return [
        {
            "Engine": engine,
            "EngineVersion": later,
            "AutoUpgrade": False,
            "IsMajorVersionUpgrade": major(later) != major(version),
        }
        for later in _offered(engine)
        if order(later) > order(version)
    ]
