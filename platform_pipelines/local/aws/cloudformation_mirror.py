"""What a service tells of a resource, in the spelling of the template that made it: for drift.

A template says less than the service: what it leaves out is the service's default, and is no drift.
Names differ in their case only, and values may be written as text.
"""

from typing import Any


def mirrored(wanted: Any, found: Any) -> Any:
    """`found` as the template would have said it."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        there = {key.lower(): value for key, value in found.items()}
        return {
            key: mirrored(value, there[key.lower()])
            for key, value in wanted.items()
            if key.lower() in there
        }
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [mirrored(*pair) for pair in zip(wanted, found, strict=True)]
    return wanted if _said(wanted) == _said(found) else found


def mirrored_map(wanted: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The same of a map, whose keys are the user's: one that the template lacks is drift."""
    return {key: mirrored(wanted.get(key), value) for key, value in found.items()}


def told(value: Any) -> Any:
    """A value where a service takes only texts: CloudFormation writes true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(value: Any) -> Any:
    return value if isinstance(value, dict | list) else told(value)
