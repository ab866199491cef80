"""What a POST brings, read within bounds: nobody may fill the memory, or keep a request open for ever."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

Take = Callable[[int], bool]
"""Takes so many bytes of a room; False, and takes none, where there are not so many."""


class Room:
    """How much the bodies of strangers may take together: bytes and not requests, which cost nobody anything."""

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def share(self) -> Iterator[Take]:
        """One request's share of it, which is given back at the end."""
        taken = 0

        def take(length: int) -> bool:
            nonlocal taken
            if length > self._left:
                return False
            self._left -= length
            taken += length
            return True

        try:
            yield take
        finally:
            self._left += taken


async def read_body(
    request: Request, *, largest: int, patience: float, take: Take = lambda _: True
) -> bytes | Response:
    """The body as it came, or the answer to one of more than `largest` bytes, or of more than `patience` seconds.

    `take` takes its bytes of the room that all have together: where that is full the answer asks to come again.
    """
    parts: list[bytes] = []
    length = 0
    try:
        with anyio.fail_after(patience):
            async for part in request.stream():
                length += len(part)
                if length > largest:
                    return PlainTextResponse("This is too large.\n", status_code=413)
                if not take(len(part)):
                    return _come_again()
                parts.append(part)
    except TimeoutError:
        return PlainTextResponse("This took too long.\n", status_code=408)
    except ClientDisconnect:
        return PlainTextResponse("", status_code=400)
    return b"".join(parts)


def _come_again() -> Response:
    return PlainTextResponse("There is no room for this now.\n", status_code=503, headers={"Retry-After": "30"})
