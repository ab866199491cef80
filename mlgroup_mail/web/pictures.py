"""GET /images/DIGEST/NAME: a picture of an approved mailing, for the mails that show it from here."""

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mlgroup_mail.store import Store
from mlgroup_mail.store.pictures import find_picture

_DIGEST = re.compile(r"[0-9a-f]{64}")

_HEADERS = {
    # The address names the content: it can never be another.
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    # Mail programs in a browser show it within a page of theirs.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def picture_route(store: Store) -> Route:
    """The route. It reads one row and changes nothing; a name serves people who save the picture."""

    def show(request: Request) -> Response:
        digest = request.path_params["digest"]
        picture = None
        if _DIGEST.fullmatch(digest):
            with store.reading() as connection:
                picture = find_picture(connection, digest)
        if picture is None:
            return PlainTextResponse("There is no such picture.\n", status_code=404)
        return Response(picture.content, media_type=picture.media_type, headers=_HEADERS)

    return Route("/images/{digest}/{name}", show, methods=["GET"])
