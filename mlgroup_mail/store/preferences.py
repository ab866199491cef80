"""What people have chosen for themselves on the page of topics: it stands beside what their list says."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, literal, select

from mlgroup_mail.store import schema

_TABLE = schema.preference


def chosen_between(connection: Connection, first: int, last: int) -> dict[int, tuple[str, ...]]:
    """The topics that contacts from id `first` to `last` have turned on: id -> topics, for those who have."""
    statement = (
        select(_TABLE.c.contact_id, _TABLE.c.topic)
        .where(_TABLE.c.contact_id.between(first, last))
        .order_by(_TABLE.c.contact_id, _TABLE.c.topic)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for contact_id, topic in connection.execute(statement):
        found[contact_id].append(topic)
    return {contact_id: tuple(topics) for contact_id, topics in found.items()}


def turn_on(connection: Connection, contact_id: int, topics: Collection[str], *, now: datetime) -> None:
    """Keep that somebody wants these; they have none of them yet. Inside `deciding`."""
    if topics:
        rows = [{"contact_id": contact_id, "topic": topic, "at": now} for topic in sorted(topics)]
        connection.execute(insert(_TABLE), rows)


def turn_off(connection: Connection, contact_id: int, topics: Collection[str]) -> None:
    """Forget that somebody has turned these on. Inside `deciding`."""
    if topics:
        connection.execute(delete(_TABLE).where(_TABLE.c.contact_id == contact_id, _TABLE.c.topic.in_(list(topics))))


def pass_choices_on(connection: Connection, closed_id: int, kept_id: int) -> None:
    """Two rows proved to be one person's: what either has turned on is the remaining one's."""
    had = select(_TABLE.c.topic).where(_TABLE.c.contact_id == kept_id)
    passed = select(literal(kept_id), _TABLE.c.topic, _TABLE.c.at).where(
        _TABLE.c.contact_id == closed_id, _TABLE.c.topic.not_in(had)
    )
    connection.execute(insert(_TABLE).from_select(["contact_id", "topic", "at"], passed))
    connection.execute(delete(_TABLE).where(_TABLE.c.contact_id == closed_id))
