"""The keys that links in mails are signed with: each one that has signed must stay in the settings.

The page answers a link of a lost key as any other that is not ours: "taken in", and nothing happens. Nobody would see
that, so the ledger knows each key that has signed by its fingerprint, and no live mail goes while one is missing.
"""

from collections.abc import Collection
from datetime import datetime

from mlgroup_mail.errors import ConfigurationError, UsageError
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.signing_keys import SigningKey, keys_that_signed, note_key, retire

MEND = (
    "Put it back into MLGROUP_SECRET_KEYS, behind the key that signs now: a backup of .env or whoever set the project "
    "up may have it. If it is lost for good: mlgroup-mail db retire-key {key} --reason WHY"
)


def note_signing_key(connection: Connection, fingerprint: str, *, now: datetime) -> None:
    """Remember, with the attempt that is being written, that mails have links signed with this key."""
    if all(key.fingerprint != fingerprint for key in keys_that_signed(connection)):
        note_key(connection, fingerprint, now=now)


def missing_keys(connection: Connection, kept: Collection[str]) -> list[SigningKey]:
    """The keys that have signed, are not given up, and are none of those whose fingerprints are `kept`."""
    return [key for key in keys_that_signed(connection) if not key.retired_at and key.fingerprint not in kept]


def told(missing: Collection[SigningKey]) -> str:
    """What is wrong where these are missing, in a sentence."""
    keys = ", ".join(f"{key.fingerprint} (first used on {key.signed_at:%Y-%m-%d})" for key in missing)
    what = "a key is" if len(missing) == 1 else f"{len(missing)} keys are"
    return f"{what} missing that links in mails were signed with: {keys}. Whoever uses such a link is not opted out"


def mend(missing: Collection[SigningKey]) -> str:
    """What to do about it."""
    return MEND.format(key=next(iter(missing)).fingerprint)


def require_no_missing_key(connection: Connection, kept: Collection[str]) -> None:
    """Raise ConfigurationError where the links of mails that went out opt nobody out any more."""
    if missing := missing_keys(connection, kept):
        raise ConfigurationError(f"nothing is sent: {told(missing)}", where="MLGROUP_SECRET_KEYS", mend=mend(missing))


def retire_key(
    store: Store, fingerprint: str, kept: Collection[str], *, reason: str, by: str, now: datetime
) -> SigningKey:
    """Give a key up for lost, by a person's order. Raises UsageError where it is none, or is not lost."""
    with store.writing() as connection:
        known = {key.fingerprint: key for key in keys_that_signed(connection)}
        key = known.get(fingerprint)
        if key is None:
            raise UsageError(
                f"no key {fingerprint} has signed anything",
                mend=f"Those that have: {', '.join(known) or 'none'}. `mlgroup-mail doctor` names a missing one.",
            )
        if fingerprint in kept:
            raise UsageError("this key is in MLGROUP_SECRET_KEYS: its links work, and there is nothing to give up")
        retire(connection, fingerprint, now=now)
        write_journal(connection, None, "retire_key", reason=f"{reason} (key {fingerprint})", actor=by, now=now)
    return key
