"""`verify`: replaying the ledger against what must never be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.ledger_file import named_ledger
from mlgroup_mail.delivery.ledger_witness import older_than_seen
from mlgroup_mail.store import Connection, Store, verification, verification_order
from mlgroup_mail.store.deliveries import ledger_id
from mlgroup_mail.store.mailings import all_mailings
from mlgroup_mail.store.pictures import changed_pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One row that should not be: which invariant, and what was found. Names nobody."""

    invariant: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What was checked, and what was found."""

    checked: tuple[str, ...]
    violations: tuple[Violation, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": not self.violations,
            "checked": list(self.checked),
            "violations": [{"invariant": each.invariant, "message": each.message} for each in self.violations],
        }

    def lines(self) -> list[list[object]]:
        """For a table: the invariant's number, what it says, whether it was checked, how often it is violated."""
        return [
            [*name.split(" ", 1), "yes", sum(violation.invariant == name for violation in self.violations)]
            for name in self.checked
        ]


def verify_ledger(store: Store, root: Path) -> Verified:
    """Check every invariant that the ledger's rows can show, in one reading transaction."""
    with store.reading() as connection:
        violations = list(violations_in(connection))
        named, ours = named_ledger(root), ledger_id(connection)
    if named is not None and named != ours:
        violations.append(Violation(invariant=_ONE_LEDGER, message=f"ledger.toml names {named}, this is {ours}"))
    if why := older_than_seen(root, store):
        violations.append(Violation(invariant=_ONE_LEDGER, message=why))
    return Verified(checked=(*_CHECKS, _ONE_LEDGER), violations=tuple(violations))


def violations_in(connection: Connection) -> Iterator[Violation]:
    """What the ledger's rows show; of files beside it nothing is known here."""
    for name, check in _CHECKS.items():
        for message in check(connection):
            yield Violation(invariant=name, message=message)


def _not_as_approved(connection: Connection) -> Iterator[str]:
    """5: the stored source is not what the hash was taken of, the row says otherwise, or it came too late."""
    for mailing in all_mailings(connection):
        source = FrozenSource.from_json(mailing.source)
        if source.digest != mailing.digest:
            yield f"the content of mailing {mailing.mailing_id} is not what was approved"
        if (source.topic, source.send_at) != (mailing.topic, mailing.send_at):
            yield f"topic or time of mailing {mailing.mailing_id} is not what was approved"
        if source.stop_at != mailing.stop_at and not verification_order.was_extended(connection, mailing.mailing_id):
            yield f"the end of mailing {mailing.mailing_id} is not what was approved, and nobody moved it"
    yield from verification.approved_again_too_late(connection)
    yield from verification_order.approved_by_nobody(connection)
    for digest in changed_pictures(connection):
        yield f"the picture {digest[:12]} is not what was approved"


def _lost(connection: Connection) -> Iterator[str]:
    yield from verification.lost(connection)
    yield from verification_order.misplaced(connection)


def _opt_outs(connection: Connection) -> Iterator[str]:
    yield from verification.attempted_after_opt_out(connection)
    yield from verification.attempted_after_former_opt_out(connection)
    yield from verification_order.numbers_out_of_order(connection)
    yield from verification_order.rules_astray(connection)


def _unexplained(connection: Connection) -> Iterator[str]:
    yield from verification.unexplained(connection)
    yield from verification_order.attempts_astray(connection)
    yield from verification_order.decided_by_nobody(connection)


def _out_of_time(connection: Connection) -> Iterator[str]:
    yield from verification.out_of_time(connection)
    yield from verification_order.begun_after_stop(connection)


_ONE_LEDGER = "11 one ledger"

_CHECKS: dict[str, Callable[[Connection], Iterator[str]]] = {
    "1 at most one acceptance": verification.accepted_twice,
    "2 nothing is lost": _lost,
    "3 no attempt after an opt-out": _opt_outs,
    "4 every state is explained": _unexplained,
    "5 what was approved goes out": _not_as_approved,
    "6 only a person lifts": verification.lifted_by_nobody,
    "6 who was erased is forgotten": verification.not_forgotten,
    "10 in its time": _out_of_time,
}
