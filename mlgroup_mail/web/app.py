"""The pages as one ASGI application."""

from starlette.applications import Starlette

from mlgroup_mail.store import Store
from mlgroup_mail.web.pictures import picture_route


def make_pages(store: Store) -> Starlette:
    """The application; it reads from `store` and keeps nothing of its own."""
    return Starlette(routes=[picture_route(store)])
