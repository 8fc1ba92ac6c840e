"""How a dark Region treats a call: it never answers, drops the connection, or answers 5xx.

Used by all three kinds of ports alike. A call that was accepted before the Region went dark gets no
answer either, and a stream that was open falls silent: nothing leaves a dark Region.
"""

from collections.abc import Callable

from platform_pipelines.local.http import Message, Receive, Scope, Send
from platform_pipelines.local.world import Outage

ABORT = "platform_pipelines.abort"  # scope extension: drops the connection without a goodbye


async def drop(outage: Outage, scope: Scope, receive: Receive) -> None:
    """Never answer: drop the connection now, or hold it until the client gives up."""
    if outage is Outage.REFUSE:
        scope["extensions"][ABORT]()
    while (await receive())["type"] != "http.disconnect":
        continue


class Lid:
    """A `send` that lets nothing through once the Region is dark."""

    def __init__(self, send: Send, dark: Callable[[], Outage | None]) -> None:
        self._send = send
        self._dark = dark
        self.begun = False  # whether anything got through
        self.outage: Outage | None = None  # how the Region was dark when something was held back

    async def __call__(self, message: Message) -> None:
        self.outage = self.outage or self._dark()
        if self.outage is None:
            self.begun = True
            await self._send(message)
