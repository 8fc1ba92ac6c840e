"""A request as moto's routers and parsers see it.

They ask little of it, and making werkzeug's own request costs more than half of what a call costs.
"""

from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from platform_pipelines.local.http import Request

_FORM = "application/x-www-form-urlencoded"


class Headers(dict[str, str]):
    """Headers by small names, whatever the case of the name that is asked for."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        return super().get(name.lower(), default)


class MotoRequest:
    """What moto looks at: the same names as in werkzeug's request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.method = request.method
        self.path = request.path
        self.raw_path = request.raw_path
        self.headers = Headers(request.headers)
        self.host = self.headers.get("host", "localhost")
        self.content_type = self.headers.get("content-type")

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The query's parameters."""
        return MultiDict(parse_qsl(self._request.query, keep_blank_values=True))

    @cached_property
    def values(self) -> MultiDict[str, str]:
        """The query's parameters, and those of a form."""
        if not (self.content_type or "").startswith(_FORM):
            return self.args
        form = parse_qsl(self._request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return MultiDict([*self.args.items(multi=True), *form])
