"""What a value of an object may be: its type, its fields, and how lists and maps are merged.

`models` has the schemas of the built-in kinds, `custom` those of the custom ones. Used by
admission, patches, server-side apply and the OpenAPI documents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType


class Type(StrEnum):
    """What a value is."""

    OBJECT = "object"  # of known fields
    MAP = "map"  # of any keys
    LIST = "array"
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    BYTES = "bytes"  # base64
    QUANTITY = "quantity"  # a number, or text as 500m or 2Gi
    INT_OR_STRING = "int-or-string"
    ANY = "any"  # anything below it is kept


Fields = Mapping[str, "Schema"]


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What one value may be. Fields are made when first asked for: schemas may contain themselves."""

    type: Type
    name: str = ""  # of the model, where there is one
    fields_of: Callable[[], Fields] = MappingProxyType({}).copy
    items: "Schema | None" = None  # of a list or a map
    required: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()  # a list with keys is merged item by item
    unique: bool = False  # a list that is a set
    atomic: bool = False  # an object or map that is owned and replaced as a whole

    @cached_property
    def fields(self) -> Fields:
        """The schema of each known field."""
        return self.fields_of()

    def field(self, name: str) -> "Schema | None":
        """The schema of a key; None if the object has no such field."""
        return self.items if self.type is Type.MAP else self.fields.get(name)


ANY = Schema(type=Type.ANY)
STRING = Schema(type=Type.STRING)
INTEGER = Schema(type=Type.INTEGER)
NUMBER = Schema(type=Type.NUMBER)
BOOLEAN = Schema(type=Type.BOOLEAN)
TIME = Schema(type=Type.TIME)
BYTES = Schema(type=Type.BYTES)
QUANTITY = Schema(type=Type.QUANTITY)
INT_OR_STRING = Schema(type=Type.INT_OR_STRING)
STRING_MAP = Schema(type=Type.MAP, items=STRING)
STRINGS = Schema(type=Type.LIST, items=STRING)


def record(*required: str, **fields: Schema) -> Schema:
    """An object of these fields."""
    return Schema(type=Type.OBJECT, fields_of=lambda: fields, required=frozenset(required))


def listed(items: Schema) -> Schema:
    """A list of these, replaced as a whole."""
    return Schema(type=Type.LIST, items=items)
