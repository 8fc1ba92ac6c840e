"""An XML answer against its shape; see `validate`."""

from collections.abc import Iterable
from functools import cache
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, Shape, StructureShape

from platform_pipelines.local.validate_shapes import Findings, Path, check_enum, check_text

Element = ElementTree.Element


def document(body: bytes, found: Findings) -> Element | None:
    """The root of a body; None, with a finding, if it is no XML."""
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        found.add((), f"is no XML: {error}")
        return None


def name_of(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def check_xml(shape: Shape, content: Iterable[Element], path: Path, found: Findings) -> None:
    """What an element holds: of a structure its members, of a list its items."""
    if isinstance(shape, StructureShape):
        _check_structure(shape, content, path, found)
    elif isinstance(shape, ListShape):
        _check_list(shape, content, path, found)
    elif isinstance(shape, MapShape):
        _check_map(shape, content, path, found)


def _check(shape: Shape, element: Element, path: Path, found: Findings) -> None:
    if isinstance(shape, StructureShape | ListShape | MapShape):
        if element.text and element.text.strip():
            found.add(path, f"has the text {element.text.strip()!r:.60}, not a {shape.type_name}")
        check_xml(shape, element, path, found)
    elif len(element):
        found.add(path, f"has elements in it, but is a {shape.type_name}")
    else:
        check_text(shape, element.text or "", path, found)


@cache
def _members(shape: StructureShape) -> dict[str, tuple[str, Shape]]:
    """Those in the body, by their names on the wire."""
    return {
        _wire_name(name, member): (name, member)
        for name, member in shape.members.items()
        if "location" not in member.serialization and not member.serialization.get("xmlAttribute")
    }


def _wire_name(name: str, member: Shape) -> str:
    """The items of a flattened list have no element around them, so theirs is the name."""
    if isinstance(member, ListShape) and _is_flat(member):
        inner = member.member.serialization.get("name")
        if inner is not None:
            return str(inner)
    return str(member.serialization.get("name", name))


@cache
def _required(shape: StructureShape) -> frozenset[str]:
    """The members that are always there; an empty flattened list leaves no trace."""
    return frozenset(
        wire
        for wire, (name, member) in _members(shape).items()
        if name in shape.required_members and not _is_flat(member)
    )


def _is_flat(shape: Shape) -> bool:
    return bool(shape.serialization.get("flattened"))


def _check_structure(
    shape: StructureShape, content: Iterable[Element], path: Path, found: Findings
) -> None:
    members = _members(shape)
    seen: dict[str, int] = {}
    for element in content:
        wire = name_of(element)
        if wire not in members:
            found.add((*path, wire), "is not in the model")
            continue
        name, member = members[wire]
        seen[wire] = seen.get(wire, 0) + 1
        _check_member(member, element, seen[wire] - 1, (*path, name), found)
    for wire in _required(shape) - seen.keys():
        found.add((*path, members[wire][0]), "is required but missing")


def _check_member(
    member: Shape, element: Element, before: int, path: Path, found: Findings
) -> None:
    """A member's element; `before` is how many there were already."""
    if _is_flat(member) and isinstance(member, ListShape):
        _check(member.member, element, (*path, before), found)
    elif _is_flat(member) and isinstance(member, MapShape):
        _check_entry(member, element, path, found)
    elif before:
        found.add(path, "is there more than once")
    else:
        _check(member, element, path, found)


def _check_list(shape: ListShape, content: Iterable[Element], path: Path, found: Findings) -> None:
    expected = str(shape.member.serialization.get("name", "member"))
    for index, element in enumerate(content):
        if name_of(element) != expected:
            found.add((*path, index), f"is <{name_of(element)}>, not <{expected}>")
        _check(shape.member, element, (*path, index), found)


def _check_map(shape: MapShape, content: Iterable[Element], path: Path, found: Findings) -> None:
    for element in content:
        if name_of(element) != "entry":
            found.add(path, f"has <{name_of(element)}>, not <entry>")
        else:
            _check_entry(shape, element, path, found)


def _check_entry(shape: MapShape, entry: Element, path: Path, found: Findings) -> None:
    parts = {name_of(part): part for part in entry}
    key = parts.get(str(shape.key.serialization.get("name", "key")))
    value = parts.get(str(shape.value.serialization.get("name", "value")))
    if key is None or value is None:
        found.add(path, f"has an entry of {', '.join(parts) or 'nothing'}, not of key and value")
        return
    check_enum(shape.key, key.text or "", (*path, key.text or ""), found)
    _check(shape.value, value, (*path, key.text or ""), found)
