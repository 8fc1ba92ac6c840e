"""One piece of ministack's state as bytes, and back.

A row is a pickle, because the stores hold tuples, bytes, sets and dates, which JSON has not. What is
neither of these nor a private key is refused when it is written; when it is read too, so that a
world.db from elsewhere runs no code here. `ministack_shelves` says which rows there are.
"""

import collections
import datetime
import decimal
import io
import pickle
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_KEYS = (RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey)
_TYPES: tuple[type, ...] = (
    *(collections.OrderedDict, collections.defaultdict, collections.deque),
    *(datetime.date, datetime.datetime, datetime.timedelta, datetime.timezone),
    *(bytearray, decimal.Decimal, dict, frozenset, int, list, set, str),
)


def private_key(der: bytes) -> Any:
    """A private key as KMS signs with it."""
    return serialization.load_der_private_key(der, password=None)


_KNOWN: dict[tuple[str, str], Any] = {(one.__module__, one.__qualname__): one for one in _TYPES}
_KNOWN[__name__, private_key.__name__] = private_key


class _Writer(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _KEYS):
            der = value.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            return private_key, (der,)
        if type(value) in _TYPES or value is private_key or value in _TYPES:
            return NotImplemented
        raise TypeError(f"a {type(value).__qualname__} cannot be kept: {value!r}")


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _KNOWN.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a world")
        return found


def write(value: Any) -> bytes:
    """The row of a value. Raises: TypeError, for a value of a type that is no state."""
    buffer = io.BytesIO()
    _Writer(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def read(row: bytes) -> Any:
    """The value of a row. Raises: pickle.UnpicklingError."""
    return _Reader(io.BytesIO(row)).load()
