"""Rates that hold over all processes and hosts: what each limit was given stands in the ledger.

A claim takes its places in the very transaction that makes it. So nothing is claimed that has to wait, and whoever dies
afterwards has taken too much rather than too little.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail.model import Scope
from mlgroup_mail.store import schema
from mlgroup_mail.store.ledger_clock import ledger_now, ledger_now_guessed
from mlgroup_mail.store.limits import DAY, MINUTE, Limit, Room, Use, room
from mlgroup_mail.store.transactions import rows

_RATE, _USE = schema.rate, schema.rate_use

BEGIN_WITHIN_SECONDS = 30.0
"""How long after its claim a message may begin; what has not is handed back. An opt-out may have come in since."""

_A_MOMENT = 0.01
"""A full domain waits for so long at least: less may be lost in rounding, and it would be asked again at once."""

_ALL = ""
"""Stands for the domain where a limit is of all mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """How many messages a transport may be given: a minute, in any 24 hours, and a minute for each receiving domain.

    None is no limit. `domains` are those whose number is another than `per_domain`.
    """

    per_minute: int | None = None
    per_day: int | None = None
    per_domain: int | None = None
    domains: Mapping[str, int] = field(default_factory=dict)

    @property
    def limits(self) -> list[Limit]:
        """The limits of all mail."""
        minute = [Limit(number=self.per_minute, seconds=MINUTE, even=True)] if self.per_minute else []
        day = [Limit(number=self.per_day, seconds=DAY)] if self.per_day else []
        return minute + day

    @property
    def any(self) -> bool:
        """Whether there is any limit."""
        return bool(self.per_minute or self.per_day or self.per_domain or self.domains)

    def domain_limit(self, domain: str) -> Limit | None:
        """The limit of a receiving domain, which may be one for those below it too; None for none."""
        parts = domain.split(".")
        names = (".".join(parts[start:]) for start in range(len(parts)))
        number = next((self.domains[name] for name in names if name in self.domains), self.per_domain)
        return Limit(number=number, seconds=MINUTE, even=True) if number else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Nothing may go for so many seconds. `scope`: nothing at all (SERVER), or nothing to some domains (DOMAIN)."""

    seconds: float
    scope: Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What one claim was given under one limit: the row to mend when it is known that all of it has begun."""

    limit: Limit
    domain: str
    use: Use


class Places:
    """What the limits of one transport allow, within one transaction that claims."""

    def __init__(self, connection: Connection, rates: Rates, transport: str) -> None:
        self._connection = connection
        self._rates = rates
        self._transport = transport
        self._now = self._take_turns() if rates.any else 0.0
        self.taken: list[Place] = []
        """What was taken in this transaction."""

    def waiting_domains(self) -> Select[tuple[str]] | None:
        """The receiving domains that may be given nothing yet; None where there is no limit (any more)."""
        return select(_RATE.c.domain).where(*self._waits(), _RATE.c.domain != _ALL) if self._rates.any else None

    def give_back(self, places: Sequence[Place]) -> None:
        """All of these have begun by now: they count from now on, and not from when they might have begun at last."""
        for place in places:
            began = Use(at=place.limit.rounded(self._now), number=place.use.number)
            if began.at < place.use.at:
                self._write(place.limit, place.domain, Use(at=place.use.at, number=-place.use.number))
                self._write(place.limit, place.domain, began)

    def take(self, domains: Sequence[str]) -> list[bool] | Wait:
        """Take a place under every limit for those of these messages that may go; says which, in their order.

        The messages are given by their domains. Where none may go nothing is taken: how long the first has to wait.
        """
        if not self._rates.any:
            return [True] * len(domains)
        free = self._free_for_all(len(domains))
        if isinstance(free, Wait):
            return free
        rooms = self._rooms(domains[:free])
        going = list(_going(domains[:free], {domain: room.places for domain, room in rooms.items()}))
        if not any(going):
            return Wait(seconds=min(room.wait for room in rooms.values()), scope=Scope.DOMAIN)
        self._take_places([domain for domain, goes in zip(domains, going, strict=False) if goes])
        return going + [False] * (len(domains) - free)

    def soonest(self, domains: Select[tuple[str]]) -> Wait | None:
        """How long the first of these domains has to wait that waits for its rate; None where none does."""
        if not self._rates.any:
            return None
        statement = select(func.min(_RATE.c.next_at)).where(*self._waits(), _RATE.c.domain.in_(domains))
        moment = self._connection.execute(statement).scalar_one()
        return None if moment is None else Wait(seconds=moment - self._now, scope=Scope.DOMAIN)

    def _waits(self) -> tuple[ColumnElement[bool], ...]:
        """What holds for the rows whose time is still to come."""
        return _RATE.c.transport == self._transport, _RATE.c.next_at > self._now

    def _free_for_all(self, wanted: int) -> int | Wait:
        """How many of so many messages may go, whoever gets them, one at least; else how long to wait."""
        free = wanted
        for limit in self._rates.limits:
            found = self._room(limit, _ALL)
            if not found.places:
                return Wait(seconds=found.wait, scope=Scope.SERVER)
            free = min(free, found.places)
        return free

    def _rooms(self, domains: Sequence[str]) -> dict[str, Room]:
        """What each of these domains may still be given, where it has a limit. One that is full waits from now on."""
        rooms = {}
        for domain in set(domains):
            if limit := self._rates.domain_limit(domain):
                rooms[domain] = found = self._room(limit, domain)
                if not found.places:
                    self._set_next(domain, self._now + max(found.wait, _A_MOMENT))
        return rooms

    def _take_places(self, domains: Sequence[str]) -> None:
        self.taken += [self._take(limit, _ALL, len(domains)) for limit in self._rates.limits]
        for domain, number in Counter(domains).items():
            if limit := self._rates.domain_limit(domain):
                self.taken.append(self._take(limit, domain, number))

    def _take_turns(self) -> float:
        """Keep the claims of other hosts away until this transaction ends; returns the time from when on they do."""
        insert = _insert_into(_RATE, self._connection).values(transport=self._transport, domain=_ALL, next_at=0.0)
        self._connection.execute(insert.on_conflict_do_nothing())
        row = select(_RATE.c.next_at).where(_RATE.c.transport == self._transport, _RATE.c.domain == _ALL)
        self._connection.execute(row.with_for_update())
        return ledger_now(self._connection)

    def _room(self, limit: Limit, domain: str) -> Room:
        where = (_USE.c.limit == _name(self._transport, limit), _USE.c.domain == domain)
        # What is over counts no more, whatever the limit was changed to.
        self._connection.execute(delete(_USE).where(*where, _USE.c.at < self._now - 2 * limit.seconds))
        uses = rows(self._connection, select(_USE.c.at, _USE.c.number).where(*where))
        next_at = self._connection.execute(
            select(_RATE.c.next_at).where(_RATE.c.transport == self._transport, _RATE.c.domain == domain)
        ).scalar_one_or_none()
        return room(limit, [Use(**use) for use in uses], next_at=next_at or 0.0, now=self._now)

    def _take(self, limit: Limit, domain: str, number: int) -> Place:
        use = Use(at=limit.rounded(self._now + BEGIN_WITHIN_SECONDS), number=number)
        self._write(limit, domain, use)
        if limit.even:
            self._set_next(domain, self._now + number * limit.seconds_each)
        return Place(limit=limit, domain=domain, use=use)

    def _set_next(self, domain: str, moment: float) -> None:
        insert = _insert_into(_RATE, self._connection).values(transport=self._transport, domain=domain, next_at=moment)
        self._connection.execute(
            insert.on_conflict_do_update(index_elements=["transport", "domain"], set_={"next_at": moment})
        )

    def _write(self, limit: Limit, domain: str, use: Use) -> None:
        insert = _insert_into(_USE, self._connection).values(
            limit=_name(self._transport, limit), domain=domain, at=use.at, number=use.number
        )
        number = _USE.c.number + insert.excluded.number
        self._connection.execute(
            insert.on_conflict_do_update(index_elements=["limit", "domain", "at"], set_={"number": number})
        )


def _going(domains: Sequence[str], places: dict[str, int]) -> Iterator[bool]:
    """Which of these may go, given how many each domain has places for; a domain that is not there has no limit."""
    for domain in domains:
        yield places.get(domain, 1) > 0
        if domain in places:
            places[domain] -= 1


def used_today(connection: Connection, transport: str) -> int:
    """How many messages count towards the limit of 24 hours now."""
    since = ledger_now_guessed(connection) - DAY
    statement = select(func.coalesce(func.sum(_USE.c.number), 0)).where(
        _USE.c.limit == _name(transport, Limit(number=1, seconds=DAY)), _USE.c.domain == _ALL, _USE.c.at > since
    )
    return int(connection.execute(statement).scalar_one())


def _name(transport: str, limit: Limit) -> str:
    return f"{transport}, {limit.seconds:g} s"


def _insert_into(table: Table, connection: Connection) -> Any:
    """Both databases know ON CONFLICT, each in its own dialect."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
