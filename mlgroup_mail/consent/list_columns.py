"""What columns of a contact list say in a file of opt-outs; `contacts.stating`, which knows their words, reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """What a row's cells say of whether its person wants mail; `doubt` is told where a word of it is not known.

    `unclear` says why nobody can tell: a person must mend the row.
    """

    wants_mail: bool = False
    doubt: str = ""
    unclear: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListColumns:
    """The columns of one file. `describing`: the headers of those that only a list of people has, as written.

    `stated` reads the cells of a row, in the order of the header.
    """

    describing: tuple[str, ...] = ()
    stated: Callable[[Sequence[str]], Stated] = lambda _: Stated()


ReadColumns = Callable[[Sequence[str]], ListColumns]
"""From a header, as written, to what its columns are."""


def no_list(header: Sequence[str]) -> ListColumns:  # noqa: ARG001 (a `ReadColumns`)
    """No column says anything but the address: everybody in the file is out."""
    return ListColumns()
