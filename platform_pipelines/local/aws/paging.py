"""Pages as AWS gives them: an opaque token that says where the next one begins."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from platform_pipelines.local.aws.service import Fault, Params, Result

T = TypeVar("T")


class BadToken(Exception):
    """A token that we did not give; each service has its own error for it."""


def page(items: Sequence[T], token: str | None, limit: int | None) -> tuple[list[T], str | None]:
    """The page that `token` points at, and the next page's token. Raises: BadToken."""
    start = _decode(token) if token else 0
    end = start + limit if limit else len(items)
    return list(items[start:end]), (_encode(end) if end < len(items) else None)


def paged(
    key: str,
    items: Sequence[Any],
    params: Params,
    *,
    wrong: Fault,
    limit: int | None = None,
    names: tuple[str, str] = ("NextToken", "MaxResults"),
    answered: str | None = None,
) -> Result:
    """A page of an answer, under `key`, with the token of the next one. `names` are the parameters
    of the token and of a page's length, `limit` is the length if nobody asks for one, and `answered`
    is the token's member where it is not the parameter's name. Raises: `wrong`, for a token that is
    not ours."""
    token, length = names
    try:
        part, after = page(items, params.get(token), params.get(length) or limit)
    except BadToken:
        raise wrong from None
    return {key: part} | ({answered or token: after} if after else {})


def _encode(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def _decode(token: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BadToken(token) from None
    if word != "from" or not number.isdigit():
        raise BadToken(token)
    return int(number)
