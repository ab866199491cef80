"""Playing a scenario: the deaths, one function for each kind. Each returns how many processes it has disturbed."""

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.chaos.field import Field, Fields, LedgerKind
from tests.chaos.judge import Verdict, deliveries, judge
from tests.chaos.points import Act, Orders
from tests.chaos.processes import Victim
from tests.chaos.projects import LETTER, PEOPLE, person
from tests.chaos.scenarios import Kind, Scenario
from tests.chaos.sink import Trouble
from tests.servers.processes import server_account
from tests.servers.programs import find_program

LEASE = {"LEASE_SECONDS": 1.5, "RENEW_SECONDS": 0.4}
IMPATIENT = {"BUSY_SECONDS": 1.0}
_LOCKED_SECONDS = 3.0
"""Longer than anybody waits for a database, who is made impatient."""
_STALL_SECONDS = 2.5
"""How long the answer to a final dot is awaited: longer than a busy machine keeps a living server from answering."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A scenario that was played: how many processes died or were disturbed, and what the judge says."""

    scenario: Scenario
    deaths: int
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.scenario}\n" + "\n".join(f"  {problem}" for problem in self.verdict.problems)


def play(fields: Fields, scenario: Scenario, *, plant: str = "") -> Played:
    """Let it happen, then judge. `plant` is a fault of the product, for the harness's own tests."""
    try:
        with fields.field(
            scenario.case.ledger,
            planned=scenario.planned,
            connections=scenario.connections,
            pipelining=scenario.pipelining,
        ) as field:
            field.plant = plant
            deaths = _PLAYS[scenario.case.kind](field, scenario)
            return Played(scenario=scenario, deaths=deaths, verdict=judge(field, deaths=deaths - field.in_order))
    except Exception as error:
        error.add_note(f"in: python -m tests.chaos {scenario}")
        raise


def _killed(field: Field, scenario: Scenario) -> int:
    deaths = 0
    for _ in range(scenario.rounds):
        point = scenario.case.point
        victim = field.send(Orders(point=point, count=scenario.count(point)))
        victim.wait()
        deaths += victim.reached
    return deaths


def _terminated(field: Field, scenario: Scenario) -> int:
    """It may finish the window that is open; then nothing is in doubt."""
    deaths = 0
    for _ in range(scenario.rounds):
        point = scenario.case.point
        victim = field.send(Orders(point=point, count=scenario.count(point), act=Act.TERM))
        field.in_order += victim.wait().code != -signal.SIGTERM and victim.reached
        deaths += victim.reached
    return deaths


def _killed_anywhere(field: Field, scenario: Scenario) -> int:
    deaths = 0
    for number in range(scenario.rounds + 1):
        before = len(field.sink.arrivals())
        victim = field.send()
        # Every second one while it is sending, the others whenever: while it starts, reads or plans.
        while number % 2 == 0 and not victim.over and len(field.sink.arrivals()) == before:
            time.sleep(0.002)
        deaths += _kill_after(
            victim, scenario.draw.uniform(0.0, 0.1) if number % 2 == 0 else scenario.draw.uniform(0.0, 0.4)
        )
    return deaths


def _kill_after(victim: Victim, seconds: float) -> int:
    """1 where it was still there to be killed."""
    with contextlib.suppress(AssertionError):
        victim.wait(seconds)
    victim.signal(signal.SIGKILL)
    return int(victim.wait().code == -signal.SIGKILL)


def _elsewhere(field: Field, scenario: Scenario) -> int:
    """Each host has its own name; neither can ask the other's kernel who lives."""
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), constants=LEASE, host="one.example")
    victim = field.send(orders)
    victim.wait()
    field.send(Orders(constants=LEASE, host="two.example")).wait()
    if left := [row.delivery_id for row in deliveries(field) if row.state == "attempting"]:
        field.problems.append(f"the other host has left open what the first had begun: {left}")
    return int(victim.reached)


def _asleep(field: Field, scenario: Scenario) -> int:
    """While it sleeps another waits for the end of its lease and sends on; then it wakes."""
    point = scenario.case.point
    sleeper = field.send(Orders(point=point, count=scenario.count(point), act=Act.STOP, constants=LEASE))
    if not sleeper.wait_until_reached():
        return 0
    other = field.send(Orders(constants=LEASE))
    other.wait()
    sleeper.signal(signal.SIGCONT)
    sleeper.wait()
    return 1


def _server(field: Field, scenario: Scenario) -> int:
    fault = scenario.fault()
    field.sink.faults.append(fault)
    if fault.trouble in (Trouble.STALLS, Trouble.STALLS_AFTER):
        field.answer_timeout = _STALL_SECONDS
    field.send().wait()
    field.answer_timeout = 20.0
    return 0


def _at_the_gate(field: Field, scenario: Scenario, constants: dict[str, float] | None = None) -> Victim:
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), act=Act.GATE, constants=constants or {})
    victim = field.send(orders)
    victim.wait_until_reached()
    return victim


def _locked(field: Field, scenario: Scenario) -> int:
    victim = _at_the_gate(field, scenario, IMPATIENT)
    with _database_kept(field):
        victim.open_gate()
        with contextlib.suppress(AssertionError):
            victim.wait(_LOCKED_SECONDS)
    victim.wait()
    return 1


@contextmanager
def _database_kept(field: Field) -> Iterator[None]:
    """Another writer that does not let go. Where the victim holds the database itself, it gets it right after."""
    if field.kind is LedgerKind.SQLITE:
        connection = sqlite3.connect(field.ledger_file, isolation_level=None, timeout=0.2)
        try:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            connection.close()
    else:
        import psycopg

        with psycopg.connect(_plain(field)) as other:
            other.execute("SET lock_timeout = '200ms'")
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                other.execute("LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()


def _full(field: Field, scenario: Scenario) -> int:
    if field.kind is LedgerKind.POSTGRESQL:
        return _cluster_full(field, scenario)
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), act=Act.FULL, grows=f"{field.ledger_file}-wal")
    victim = field.send(orders)
    victim.wait()
    return int(victim.reached)


def _cluster_full(field: Field, scenario: Scenario) -> int:
    """The session's process can write no file: its log cannot be written, so the cluster restarts and recovers."""
    import psycopg

    victim = _at_the_gate(field, scenario)
    with psycopg.connect(_plain(field), autocommit=True) as connection:
        for pid in _sessions(connection):
            _let_write_nothing(pid)
    victim.open_gate()
    victim.wait()
    _until_it_answers(field)
    return 1


def _let_write_nothing(pid: int) -> None:
    """As the server's own account: another's processes are not ours to limit, whoever we are."""
    program = find_program("prlimit", "prlimit")
    subprocess.run([str(program), f"--pid={pid}", "--fsize=0:"], check=True, **server_account().popen_arguments())


def _gone(field: Field, scenario: Scenario) -> int:
    import psycopg

    victim = _at_the_gate(field, scenario)
    with psycopg.connect(_plain(field), autocommit=True) as connection:
        for pid in _sessions(connection):
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    victim.open_gate()
    victim.wait()
    return 1


def _sessions(connection: object) -> list[int]:
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return [row[0] for row in connection.execute(query).fetchall()]  # type: ignore[attr-defined]


def _until_it_answers(field: Field) -> None:
    import psycopg

    for attempt in range(200):
        try:
            with psycopg.connect(_plain(field), connect_timeout=5) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            if attempt == 199:
                raise
            time.sleep(0.1)
        else:
            return


def _plain(field: Field) -> str:
    return field.url.replace("+psycopg", "")


def _two(field: Field, scenario: Scenario) -> int:
    return _at_once(field, scenario, 2)


def _four(field: Field, scenario: Scenario) -> int:
    return _at_once(field, scenario, 4)


def _at_once(field: Field, scenario: Scenario, number: int) -> int:
    """Half of them are killed while all of them send."""
    points = [scenario.draw.choice(("write.dot.after", "read.dot.after", "commit.claim.after", "write.body.middle"))]
    points *= number // 2
    doomed = [field.dispatch(Orders(point=point, count=scenario.draw.randint(1, 3))) for point in points]
    others = [field.dispatch() for _ in range(number - len(doomed))]
    for victim in (*doomed, *others):
        victim.wait()
    return sum(victim.reached for victim in doomed)


def _clock(field: Field, scenario: Scenario) -> int:
    """A machine with a right clock sends and dies; one with a wrong clock must refuse. Or the wrong one comes first."""
    wrong = Orders(point="write.dot.after", count=3, clock_offset=scenario.case.offset)
    if scenario.draw.random() < 0.5:
        early = field.send(wrong)
        early.wait()
        right = field.send(Orders(point="read.dot.after", count=3))
        right.wait()
        return early.reached + right.reached
    right = field.send(Orders(point="read.dot.after", count=3))
    right.wait()
    before = len(field.sink.arrivals())
    if field.send(wrong).wait().code == 0 or len(field.sink.arrivals()) != before:
        field.problems.append("a machine whose clock is a day off has not refused")
    return int(right.reached)


def _opt_out(field: Field, scenario: Scenario) -> int:
    """One before anything is sent; more while the sender waits at a point; then it is killed."""
    early, *others = scenario.draw.sample(range(1, PEOPLE + 1), 5)
    field.opt_out(person(early), beforehand=True).wait()
    victim = _at_the_gate(field, scenario)
    adding = [field.opt_out(person(number), beforehand=False) for number in others[:3]]
    # At some points the sender holds the database, so that they wait for it.
    with contextlib.suppress(AssertionError):
        adding[-1].wait(0.4)
    victim.open_gate()
    last = field.opt_out(person(others[3]), beforehand=False)
    killed = _kill_after(victim, scenario.draw.uniform(0.0, 0.15))
    for each in (*adding, last):
        ended = each.wait()
        if ended.code:
            field.problems.append(f"an opt-out failed: {ended.err}")
    return killed


def _clone(field: Field, scenario: Scenario) -> int:
    """The copy must refuse, and send nothing; the first goes on."""
    first = field.send(Orders(point="write.dot.after", count=scenario.count("write.dot.after")))
    first.wait()
    before = len(field.sink.arrivals())
    clone = field.project.parent / "clone"
    shutil.copytree(field.stranger(), clone)
    shutil.copy(field.project / "ledger.toml", clone / "ledger.toml")
    for arguments in (("send", LETTER, "--live", "--json"), ("dispatch", "--live", "--json")):
        ended = field.start("-v", *arguments, project=clone, own_ledger=True).wait()
        if ended.code == 0 or "another ledger" not in ended.err:
            field.problems.append(f"a second clone has not refused: {ended.err}")
    if len(field.sink.arrivals()) != before:
        field.problems.append("a second clone has sent")
    return int(first.reached)


_PLAYS: dict[Kind, Callable[[Field, Scenario], int]] = {
    Kind.KILLED: _killed,
    Kind.KILLED_ANYWHERE: _killed_anywhere,
    Kind.TERMINATED: _terminated,
    Kind.ELSEWHERE: _elsewhere,
    Kind.ASLEEP: _asleep,
    Kind.SERVER: _server,
    Kind.LOCKED: _locked,
    Kind.FULL: _full,
    Kind.GONE: _gone,
    Kind.TWO: _two,
    Kind.FOUR: _four,
    Kind.CLOCK: _clock,
    Kind.OPT_OUT: _opt_out,
    Kind.CLONE: _clone,
}
