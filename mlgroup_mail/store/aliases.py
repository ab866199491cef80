"""What the provider calls our deliveries.

Some events (a bounce that came back by mail) cite nothing of ours but the provider's own name of the message. An alias
is a hash of that name and of the recipient: names alone are shared by a request, and nobody reads an address out of it.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.transactions import insert_new

_ALIAS = schema.provider_alias


def remember_aliases(connection: Connection, aliases: Mapping[str, int]) -> None:
    """Keep that these aliases mean these deliveries; what is known already stays."""
    # In one order: two processes that write the same ones would wait for each other.
    insert_new(connection, _ALIAS, sorted(aliases.items()))


def find_by_alias(connection: Connection, aliases: Collection[str]) -> dict[str, int]:
    """The deliveries that these aliases mean, as far as that is known: alias -> delivery."""
    if not aliases:
        return {}
    return {row.alias: row.delivery_id for row in connection.execute(_KNOWN, {"aliases": as_list(aliases)})}


_KNOWN = select(_ALIAS.c.alias, _ALIAS.c.delivery_id).where(among(_ALIAS.c.alias, "aliases"))
