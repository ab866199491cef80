"""What a bounce says about the mailbox, by its enhanced status code (RFC 3463, and RFC 7505 for 5.1.10).

Hard is that there is no such mailbox, domain or account, and nothing else: somebody who is suppressed by mistake never
hears of it. Full mailboxes (x.2.2), policy and content (5.7.x, 5.6.x) and everything temporary (4.x.x) are soft.
"""

import re

from mlgroup_mail.model import Bounce

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)

_HARD = frozenset(
    {
        (1, 0),  # something about the address
        (1, 1),  # no such mailbox
        (1, 2),  # no such system
        (1, 3),  # no valid address
        (1, 6),  # the mailbox has moved, nobody knows where to
        (1, 10),  # the domain takes no mail (RFC 7505)
        (2, 1),  # the account is disabled
        (4, 4),  # nowhere to route it to
    }
)
_SAYS_NOTHING = frozenset({(0, 0)})


def by_status(text: str) -> Bounce | None:
    """By the first enhanced code in `text`, as `5.1.1` or `550 5.1.1 no such user`; None where none says anything."""
    found = _STATUS.search(text)
    if found is None or found[1] == "2":
        return None
    code = (int(found[2]), int(found[3]))
    if found[1] == "4":
        return Bounce.SOFT
    if code in _SAYS_NOTHING:
        return None
    return Bounce.HARD if code in _HARD else Bounce.SOFT
