"""Opt-outs that a person of the team enters: by an address, or by what stands in the subject of a mail.

Each mail offers a way out by mail whose subject is `opt out TOKEN`. Where such a mail arrives in a mailbox that people
read, the token says who it is and what about, whatever address it comes from.
"""

import re
from datetime import datetime
from urllib.parse import unquote

from mlgroup_mail import addresses
from mlgroup_mail.consent.readers_own import NOBODY, find_reader
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.store import Store
from mlgroup_mail.store.contact_lookup import read_address
from mlgroup_mail.store.readers import mailing_names

_WHOLE = 60
"""Letters and digits of a token."""
_LIKE_A_TOKEN = re.compile(r"[A-Za-z0-9]{20,}")
"""A token, also one that was cut off."""


def opt_out_by_hand(
    store: Store,
    tokens: OptOutTokens | None,
    who: str,
    *,
    topic: str | None,
    reason: str,
    by: str,
    at: datetime,
) -> tuple[Signal, str]:
    """The signal, and whom it is about, for people. `who` is an address, or a token, its link or a subject with it.

    Without a `topic` an address opts out of all, a token of what it was made for. Raises UsageError where nobody is
    named.
    """
    evidence = f"by {by} at the command line"
    said = _said(tokens, who)
    if said is None:
        address = read_address(who)
        return _signal(topic or ALL_TOPICS, reason=reason, by=by, at=at, evidence=evidence, address=address), who
    with store.reading() as connection:
        reader = find_reader(connection, said.contact_id)
        mailing = mailing_names(connection, [said.mailing_id]).get(said.mailing_id, f"mailing {said.mailing_id}")
    if reader is NOBODY:
        raise UsageError("whoever this link belongs to is not on the list, or was erased: they get no mail")
    evidence = f"{evidence}, by the link in {mailing}"
    signal = _signal(topic or said.topic, reason=reason, by=by, at=at, evidence=evidence, contact_id=reader.contact_id)
    return signal, addresses.mask(reader.address)


def _signal(
    topic: str, *, reason: str, by: str, at: datetime, evidence: str, address: str = "", contact_id: int | None = None
) -> Signal:
    return Signal(
        kind=SignalKind.OPT_OUT,
        topic=topic,
        road=Road.HAND,
        at=at,
        address=address,
        contact_id=contact_id,
        reason=reason,
        evidence=evidence,
        actor=by,
    )


def _said(tokens: OptOutTokens | None, who: str) -> TokenContent | None:
    """What a token in the text says, wherever it stands; None where an address is meant."""
    words = _LIKE_A_TOKEN.findall(unquote(who))
    for word in words:
        if tokens and (said := tokens.read(word)):
            return said
    if not words or "@" in who:
        return None
    whole = len(words[-1]) == _WHOLE
    cut = "" if whole else f" It has {len(words[-1])} letters and digits, and a whole one {_WHOLE}."
    raise UsageError(
        f"this is neither a mail address nor a link of ours.{cut}",
        mend="Give the address of whoever wrote. A link of a lost key is not understood either: see doctor.",
    )
