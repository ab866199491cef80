"""Files that are no files of opt-outs: the group's own list, named by mistake, would opt out everybody in it."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlgroup_mail import addresses
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contacts import count_contacts, find_holders
from mlgroup_mail.store.transactions import chunked

_SHARE = 0.5
"""A file with names and the like that holds more of the list than this is the list, or a part of it."""
_AT_ONCE = 5000


def require_no_source(path: Path, sources: Mapping[str, Path]) -> None:
    """Raise ContactSourceError where the file is a list that contacts are pulled from: name -> its file."""
    for name, source in sources.items():
        if path.resolve() == source.resolve():
            raise ContactSourceError(
                f"this is the list of contacts itself (source “{name}”): everybody in it would be opted out",
                where=str(path),
                mend=f"Nobody was opted out. {_everybody(path)}",
            )


def require_no_list(connection: Connection, out: Iterable[str], *, describing: Sequence[str], path: Path) -> None:
    """Raise ContactSourceError where a file with columns that describe people opts out more than half of the list.

    `out` are the addresses that it would opt out, `describing` the headers of those columns.
    """
    if not describing:
        return
    keys = {addresses.key(address) for address in out}
    known = {contact for chunk in chunked(keys, _AT_ONCE) for contact in find_holders(connection, chunk).values()}
    listed = count_contacts(connection)
    if len(known) > _SHARE * listed:
        columns = ", ".join(f"“{header}”" for header in describing)
        raise ContactSourceError(
            f"this looks like a list of contacts, with the columns {columns}: it would opt out {len(known)} of the "
            f"{listed} people on the list",
            where=str(path),
            mend="Nobody was opted out. Leave in it whoever wants no mail, or add a column “Unsubscribed” that says "
            f"yes or no. {_everybody(path)}",
        )


def _everybody(path: Path) -> str:
    return f"If really all of them want no more mail: mlgroup-mail opt-out import --everybody {shlex.quote(str(path))}"
