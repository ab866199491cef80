"""What a POST brings, read within bounds: nobody may fill the memory, or keep a request open for ever."""

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response


async def read_body(request: Request, *, largest: int, patience: float) -> bytes | Response:
    """The body as it came, or the answer to one of more than `largest` bytes, or of more than `patience` seconds."""
    parts: list[bytes] = []
    length = 0
    try:
        with anyio.fail_after(patience):
            async for part in request.stream():
                length += len(part)
                if length > largest:
                    return PlainTextResponse("This is too large.\n", status_code=413)
                parts.append(part)
    except TimeoutError:
        return PlainTextResponse("This took too long.\n", status_code=408)
    except ClientDisconnect:
        return PlainTextResponse("", status_code=400)
    return b"".join(parts)
