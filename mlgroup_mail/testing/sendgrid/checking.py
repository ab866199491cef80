"""Everything that is wrong with a request to `/v3/mail/send`."""

from collections.abc import Set
from itertools import islice
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import Flaw
from mlgroup_mail.testing.sendgrid.message_limits import message_flaws
from mlgroup_mail.testing.sendgrid.recipient_limits import recipient_flaws
from mlgroup_mail.testing.sendgrid.schema import MOST_FLAWS, schema_flaws


def flaws(document: Any, refused: Set[str] = frozenset()) -> list[Flaw]:
    """What the service would refuse a request for, the first twenty; none where it would accept it.

    `refused`: addresses, in lower case, that count as invalid. What departs from the schema is looked at no further.
    """
    found = list(schema_flaws(document))
    if not found:
        found += islice(recipient_flaws(document, refused), MOST_FLAWS)
        found += islice(message_flaws(document), MOST_FLAWS)
    return found[:MOST_FLAWS]
