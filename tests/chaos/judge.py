"""Judging a scenario: what the ledger says against what has arrived."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import create_engine, text

from tests.chaos.evidence import feed_evidence, token_of
from tests.chaos.field import Field
from tests.chaos.processes import Ended
from tests.chaos.projects import LETTER, PEOPLE, canaries, everybody

_ROUNDS = 12
_OPEN = ("planned", "attempting", "deferred")
_TRUST_CLOCK = "db trust-clock"
_WAITS_FOR_A_PERSON = ("paused", "held")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a scenario came to; `problems` is empty where everything is as it must be."""

    arrived: int
    doubled: int
    lost: int
    uncertain: int
    settled: int
    """How many uncertain ones evidence has turned into accepted: all that had arrived."""
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A row of the ledger, read without the product's help."""

    delivery_id: int
    address: str
    state: str


def judge(field: Field, *, deaths: int) -> Verdict:
    """Send the rest undisturbed, compare with the truth, then feed the evidence and compare again.

    `deaths` is how many processes may have left their window in doubt.
    """
    last = settle(field)
    rows, arrived = deliveries(field), Counter(each.recipient for each in field.truth.arrivals())
    bound = field.window * deaths + field.truth.doubts
    problems = [
        *field.problems,
        *_settled(last, rows),
        *_against_the_truth(field, rows, arrived),
        *_doubt_is_small(rows, bound),
        *_after_opt_outs(field),
        *_verified(field),
    ]
    uncertain = [row for row in rows if row.state == "uncertain"]
    problems += feed_evidence(field)
    after = {row.delivery_id: row.state for row in deliveries(field)}
    for row in uncertain:
        should = "accepted" if arrived[row.address] else "uncertain"
        if after[row.delivery_id] != should:
            problems.append(f"after the evidence delivery {row.delivery_id} is {after[row.delivery_id]}, not {should}")
    problems += [*_verified(field), *leaks(field)]
    return Verdict(
        arrived=len(arrived),
        doubled=sum(1 for count in arrived.values() if count > 1),
        lost=len(_lost(field, rows, arrived)),
        uncertain=len(uncertain),
        settled=sum(1 for row in uncertain if after[row.delivery_id] == "accepted"),
        problems=tuple(problems),
    )


def settle(field: Field) -> Ended:
    """`send --live` until nothing is open; where it asks for a person's word it gets it, as the message says."""
    field.truth.mend()
    ended = field.send().wait()
    for _ in range(_ROUNDS):
        counts, state = ended.json.get("counts", {}), ended.json.get("state")
        if counts and not any(counts[name] for name in _OPEN):
            return ended
        if state in _WAITS_FOR_A_PERSON:
            field.run("resume", LETTER, "--reason", "the trouble is over")
        if _TRUST_CLOCK in ended.err:
            field.run("db", "trust-clock", "--reason", "it has been set")
        # A deferred delivery waits for its back-off (shortened), and has to be due again.
        time.sleep(0.3)
        ended = field.send().wait()
    return ended


def deliveries(field: Field) -> list[Delivery]:
    """Every row of the mailing."""
    engine = create_engine(field.url)
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT id, address, state FROM delivery ORDER BY id"))
            return [Delivery(delivery_id=row[0], address=row[1], state=row[2]) for row in found]
    finally:
        engine.dispose()


def _settled(last: Ended, rows: list[Delivery]) -> Iterator[str]:
    if last.code not in (0, 1) or not last.json:
        yield f"`send` ended with {last.code}: {last.err[-600:]}"
    elif last.code != int(any(row.state == "uncertain" for row in rows)):
        yield f"`send` ended with {last.code}, which does not tell whether something is in doubt"
    if last.json and last.json["state"] != "finished":
        yield f"the mailing did not settle: {last.json['state']}, {last.json['counts']}"
    if left := [row.delivery_id for row in rows if row.state in _OPEN]:
        yield f"still open: {left}"
    if last.json and last.json["audience"] != PEOPLE:
        yield f"the audience is {last.json['audience']}, the list has {PEOPLE}"
    if sorted(row.address for row in rows) != everybody():
        yield "the ledger does not have everybody exactly once"


def _against_the_truth(field: Field, rows: list[Delivery], arrived: Counter[str]) -> Iterator[str]:
    doubled = [address for address, count in arrived.items() if count > 1]
    if doubled:
        yield f"got it twice: {doubled}"
    ids = Counter(each.message_id for each in field.truth.arrivals())
    if any(count > 1 for count in ids.values()) or "" in ids:
        yield "a Message-ID was used twice, or missing"
    for row in rows:
        if row.state == "accepted" and not arrived[row.address]:
            yield f"accepted, and never arrived: delivery {row.delivery_id}"
        if row.state not in ("accepted", "uncertain") and arrived[row.address]:
            yield f"arrived, and the ledger says {row.state}: delivery {row.delivery_id}"
        if row.state == "refused" and row.address not in field.truth.refused:
            yield f"refused, and the server never refused it: delivery {row.delivery_id}"
        if row.state == "excluded" and row.address not in field.opted_out:
            yield f"excluded, and had not opted out: delivery {row.delivery_id}"
        if row.state == "cancelled":
            yield f"cancelled by nobody: delivery {row.delivery_id}"
    for address, beforehand in field.opted_out.items():
        if beforehand and arrived[address]:
            yield f"got it although they had opted out before: {address}"


def _lost(field: Field, rows: list[Delivery], arrived: Counter[str]) -> list[str]:
    """Who did not get it, and nothing says so."""
    told = {row.address for row in rows if row.state in ("uncertain", "refused", "excluded")}
    return [address for address in everybody() if not arrived[address] and address not in told]


def _doubt_is_small(rows: list[Delivery], bound: int) -> Iterator[str]:
    uncertain = [row.delivery_id for row in rows if row.state == "uncertain"]
    if len(uncertain) > bound:
        yield f"{len(uncertain)} in doubt, and at most {bound} windows were open: {uncertain}"


def _after_opt_outs(field: Field) -> Iterator[str]:
    """By the numbers that claims and consent writers draw inside one lock, read without the product's help."""
    engine = create_engine(field.url)
    query = """
        SELECT attempt.id FROM attempt
        JOIN delivery ON delivery.id = attempt.delivery_id
        JOIN suppression
          ON suppression.contact_id = delivery.contact_id OR suppression.address_key = delivery.address_key
        WHERE suppression.number < attempt.number
    """
    try:
        with engine.connect() as connection:
            for (attempt,) in connection.execute(text(query)):
                yield f"attempt {attempt} began after an opt-out"
            known = connection.execute(text("SELECT COUNT(DISTINCT number) FROM suppression")).scalar_one()
    finally:
        engine.dispose()
    if known != len(field.opted_out):
        yield f"{len(field.opted_out)} have opted out, and the ledger knows {known}"


def _verified(field: Field) -> Iterator[str]:
    ended = field.run("verify")
    if ended.code:
        yield f"`verify` ended with {ended.code}: {ended.out}{ended.err}"


def leaks(field: Field) -> Iterator[str]:
    """Canaries in the logs: addresses, names, keys, the password, the tokens of opt-out links."""
    tokens = {token_of(each).lower() for each in field.truth.arrivals()} - {""}
    forbidden = [*canaries(), *tokens]
    for name, log in field.logs():
        small = log.lower()
        for canary in forbidden:
            if canary in small:
                line = next(line for line in small.splitlines() if canary in line)
                yield f"the log of {name} shows a canary: {line[:200]}"
                break
