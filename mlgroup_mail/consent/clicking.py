"""What a click on a link of ours means: an opt-out of a topic or of all, and taking it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mlgroup_mail import addresses
from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.readers_own import NOBODY, end_own, find_reader, is_own, opt_out_by_page, rules_against
from mlgroup_mail.model import Signal
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.readers import asked_by_page, find_readers, mailing_names


class Way(StrEnum):
    """What was clicked."""

    ONE_CLICK = "one click in the mail program"
    """The button that a mail program shows beside the sender (RFC 8058)."""
    BUTTON = "the button on the page"
    """A button of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Click:
    """Somebody wants no more mail on a topic, or `ALL_TOPICS`. The numbers are those of a valid token."""

    contact_id: int
    mailing_id: int
    topic: str
    at: datetime
    way: Way


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How it stands between a reader and our mail; empty for a link that is nobody's.

    `address` is masked. `out_of` are the topics on which we do not write to them, `ALL_TOPICS` among them where that
    is so; `own` are those of them that they have asked for themselves and may take back.
    """

    address: str = ""
    language: str = ""
    out_of: frozenset[str] = field(default_factory=frozenset)
    own: frozenset[str] = field(default_factory=frozenset)


def apply_clicks(store: Store, clicks: Sequence[Click], *, now: Callable[[], datetime]) -> list[bool]:
    """Make clicks standing rules, all of them in one durable transaction; tells of each whether it was new.

    Whoever has asked for the same before, and has not taken it back, asks for nothing new; a click that is nobody's,
    or an erased person's, changes nothing. Where none is new nothing is written.
    """
    with store.reading() as connection:
        if not any(_signals(connection, clicks)):
            return [False] * len(clicks)
    with store.deciding() as connection:
        signals = _signals(connection, clicks)
        apply_within(connection, [signal for signal in signals if signal], now=now())
    return [signal is not None for signal in signals]


def take_back(store: Store, contact_id: int, topic: str, *, now: datetime) -> bool:
    """End the opt-out from this very topic that the reader has asked for themselves; False where none stands.

    Nothing else is ended: what a complaint, the provider, a file or the team has said stays.
    """
    with store.reading() as connection:
        if topic not in standing(connection, contact_id).own:
            return False
    with store.deciding() as connection:
        reader = find_reader(connection, contact_id)
        rules = rules_against(connection, reader)
        return end_own(connection, reader, rules, topic, reason="taken back on the page", now=now)


def standing(connection: Connection, contact_id: int) -> Standing:
    """How it stands for the reader whose link has this number."""
    reader = find_reader(connection, contact_id)
    rules = rules_against(connection, reader)
    if reader is NOBODY:
        return Standing()
    return Standing(
        address=addresses.mask(reader.address),
        language=reader.language,
        out_of=frozenset(rule.topic for rule in rules),
        own=frozenset(rule.topic for rule in rules if is_own(rule, reader)),
    )


def _signals(connection: Connection, clicks: Sequence[Click]) -> list[Signal | None]:
    """What each click leads to; None where that is nothing."""
    readers = find_readers(connection, {click.contact_id for click in clicks})
    asked = asked_by_page(connection, {reader.contact_id for reader in readers.values()})
    names = mailing_names(connection, {click.mailing_id for click in clicks})
    found: list[Signal | None] = []
    for click in clicks:
        reader = readers.get(click.contact_id)
        times, stands = asked.get((reader.contact_id, click.topic), (0, False)) if reader else (0, True)
        if reader is None or stands:
            found.append(None)
            continue
        asked[reader.contact_id, click.topic] = (times + 1, True)
        mailing = names.get(click.mailing_id, f"mailing {click.mailing_id}")
        found.append(
            opt_out_by_page(
                reader,
                click.topic,
                reason=f"by {click.way}",
                evidence=f"{mailing}: {click.way}",
                before=times,
                at=click.at,
            )
        )
    return found
