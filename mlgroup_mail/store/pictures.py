"""The bytes of pictures that approved mailings show. They are kept for good: a hosted one is looked at years later."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail.store import schema

_TABLE = schema.picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture; `digest` is the SHA-256 of its content."""

    digest: str
    media_type: str
    content: bytes


def add_pictures(connection: Connection, pictures: Iterable[Picture]) -> None:
    """Keep these pictures; one that is there already stays as it is."""
    values = [
        {"digest": picture.digest, "media_type": picture.media_type, "content": picture.content} for picture in pictures
    ]
    if values:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(_TABLE).on_conflict_do_nothing(), values)


def picture_contents(connection: Connection, digests: Collection[str]) -> dict[str, bytes]:
    """The bytes of these pictures by digest, as far as they are there."""
    statement = select(_TABLE.c.digest, _TABLE.c.content).where(_TABLE.c.digest.in_(digests))
    return {row.digest: row.content for row in connection.execute(statement)}


def find_picture(connection: Connection, digest: str) -> Picture | None:
    """One picture; None where no approved mailing has shown it."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.digest == digest)).mappings().first()
    return Picture(**row) if row else None


def changed_pictures(connection: Connection) -> Iterator[str]:
    """The digests of pictures whose bytes are not those that were approved; one picture at a time is in memory."""
    for digest in connection.execute(select(_TABLE.c.digest).order_by(_TABLE.c.digest)).scalars().all():
        content = connection.execute(select(_TABLE.c.content).where(_TABLE.c.digest == digest)).scalar_one()
        if hashlib.sha256(content).hexdigest() != digest:
            yield digest
