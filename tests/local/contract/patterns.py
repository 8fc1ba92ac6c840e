"""Texts that match a regular expression: the simplest one of a given length."""

import re
import re._constants as sre  # type: ignore[import-not-found]  # Python's own parser of patterns
import re._parser as sre_parser  # type: ignore[import-not-found]
import string
from collections.abc import Callable
from functools import cache
from typing import Any

_MOST = 300  # repetitions
_CANDIDATES = f"a0A-_/.: {string.printable}"
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_WORD: lambda one: one.isalnum() or one == "_",
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_DIGIT: lambda one: not one.isdigit(),
    sre.CATEGORY_NOT_WORD: lambda one: not (one.isalnum() or one == "_"),
    sre.CATEGORY_NOT_SPACE: lambda one: not one.isspace(),
}


@cache
def matching(pattern: str, length: int) -> str | None:
    """A text of at least this length; None if there is none, or Python cannot read the pattern."""
    try:
        tree = sre_parser.parse(pattern)
    except re.error:
        return None
    texts = (_text(tree, extra) for extra in range(length + 2))
    fitting = (text for text in texts if len(text) >= length and re.fullmatch(pattern, text))
    return next(fitting, None)


def _text(tree: Any, extra: int) -> str:
    """With `extra` repetitions of whatever may be repeated."""
    return "".join(_piece(kind, argument, extra) for kind, argument in tree)


def _piece(kind: Any, argument: Any, extra: int) -> str:
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, inner = argument
        return _text(inner, 0) * min(max(int(low), extra), int(high), _MOST)
    if kind is sre.SUBPATTERN:
        return _text(argument[-1], extra)
    if kind is sre.BRANCH:
        texts = [_text(branch, extra) for branch in argument[1]]
        return max(texts, key=len) if extra else texts[0]
    if kind is sre.LITERAL:
        return chr(argument)
    if kind is sre.IN:
        return _character(argument)
    return "a" if kind is sre.ANY else ""


def _character(choices: Any) -> str:
    """One of a set: a common one, if it has any."""
    negated = choices[0][0] is sre.NEGATE
    for one in _CANDIDATES:
        if any(_has(kind, argument, one) for kind, argument in choices) != negated:
            return one
    kind, argument = choices[0]
    return chr(argument[0]) if kind is sre.RANGE else ""


def _has(kind: Any, argument: Any, one: str) -> bool:
    if kind is sre.LITERAL:
        return ord(one) == int(argument)
    if kind is sre.RANGE:
        return int(argument[0]) <= ord(one) <= int(argument[1])
    return kind is sre.CATEGORY and argument in _CATEGORIES and _CATEGORIES[argument](one)
