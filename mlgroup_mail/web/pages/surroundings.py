"""What stands between the world and the pages: the path under which they lie, and headers that every answer has."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class Surroundings:
    """Takes the public address's path off a request, where the proxy has not, and adds headers that are missing.

    Who asks, by which scheme and through which host is never looked at: so no proxy has to be believed.
    """

    def __init__(self, app: ASGIApp, *, path: str = "") -> None:
        """`path`: that of the public address, such as "/mail"; "" for none."""
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        root = scope.get("root_path", "")
        if self._path and scope["path"].removeprefix(root).startswith(f"{self._path}/"):
            scope = {**scope, "root_path": f"{root}{self._path}"}
        await self._app(scope, receive, send_with_headers)
