"""A limit holds in every stretch of its length, however messages are bunched, late or lost."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.store.limits import DAY, MINUTE, Limit, Use, room

WITHIN = 30.0


@dataclass(frozen=True)
class Move:
    """One process asks for a window, `idle` seconds after the move before; it begins `late` and says so `after`."""

    idle: float
    wanted: int
    late: float
    after: float
    dies: bool


MOVES = st.lists(
    st.builds(
        Move,
        idle=st.floats(0, 40),
        wanted=st.integers(1, 6),
        late=st.just(0.0) | st.floats(0, WITHIN),
        after=st.just(0.0) | st.floats(0, 60),
        dies=st.booleans(),
    ),
    max_size=60,
)


def begun(limit: Limit, moves: list[Move]) -> list[float]:
    """When each message began, where several processes ask one ledger for places in turn."""
    now, next_at = 0.0, 0.0
    uses: list[Use] = []
    returns: list[tuple[float, Use]] = []
    moments = []
    for move in moves:
        now += move.idle
        for moment, use in [each for each in returns if each[0] <= now]:
            returns.remove((moment, use))
            if (began := limit.rounded(moment)) < use.at:
                uses.remove(use)
                uses.append(Use(at=began, number=use.number))
        found = room(limit, uses, next_at=next_at, now=now)
        if not (taken := min(found.places, move.wanted)):
            assert found.wait > 0
            continue
        use = Use(at=limit.rounded(now + WITHIN), number=taken)
        uses.append(use)
        next_at = now + taken * limit.seconds_each
        moments += [now + move.late] * taken
        if not move.dies:
            returns.append((now + move.late + move.after, use))
    return sorted(moments)


@given(moves=MOVES, number=st.integers(1, 12), even=st.booleans())
def test_in_no_minute_do_more_begin_than_are_allowed(moves: list[Move], number: int, even: bool) -> None:
    """Some processes are slow to begin, some to say that they have begun, and some die: it holds all the same."""
    moments = begun(Limit(number=number, seconds=MINUTE, even=even), moves)
    for start in moments:
        assert sum(start <= moment < start + MINUTE for moment in moments) <= number


@given(number=st.integers(1, 2000), uses=st.lists(st.tuples(st.floats(0, 90_000), st.integers(1, 500)), max_size=20))
def test_whoever_waits_as_long_as_is_said_may_go_and_nobody_waits_for_nothing(
    number: int, uses: list[tuple[float, int]]
) -> None:
    limit, now = Limit(number=number, seconds=DAY), 90_000.0
    before = [Use(at=at, number=taken) for at, taken in uses]
    found = room(limit, before, next_at=0.0, now=now)
    assert (found.places > 0) != (found.wait > 0)
    if found.wait:
        assert room(limit, before, next_at=0.0, now=now + found.wait + 1e-6).places
        assert not room(limit, before, next_at=0.0, now=now + found.wait - 1e-3).places


@pytest.mark.parametrize(("per_minute", "window", "minutes"), [(29, 2, 10), (29, 6, 10), (1, 2, 3), (600, 20, 1)])
def test_a_rate_is_used_up_where_every_answer_comes_at_once(per_minute: int, window: int, minutes: int) -> None:
    """Keeping below a limit costs next to nothing of it."""
    limit = Limit(number=per_minute, seconds=MINUTE, even=True)
    now, next_at, sent = 0.0, 0.0, 0
    uses: list[Use] = []
    while now < minutes * MINUTE:
        found = room(limit, uses, next_at=next_at, now=now)
        if not found.places:
            now += max(found.wait, 1e-6)
            continue
        taken = min(found.places, window)
        sent += taken
        uses = [*uses[-2 * per_minute :], Use(at=limit.rounded(now), number=taken)]
        next_at = now + taken * limit.seconds_each
    assert sent >= 0.97 * per_minute * minutes


def test_without_anything_before_a_whole_window_may_go() -> None:
    assert room(Limit(number=29, seconds=MINUTE, even=True), [], next_at=0.0, now=5.0).places == 29


def test_a_pause_saves_nothing_up() -> None:
    """After an hour of silence the messages are as far apart as before."""
    limit = Limit(number=60, seconds=MINUTE, even=True)
    assert room(limit, [Use(at=3600.0, number=2)], next_at=3602.0, now=3600.0).wait == 2.0


def test_a_lower_limit_counts_what_went_under_the_higher_one() -> None:
    before = [Use(at=float(second), number=5) for second in range(10)]
    found = room(Limit(number=10, seconds=MINUTE), before, next_at=0.0, now=20.0)
    assert (found.places, found.wait) == (0, 48.0), "until all but nine are a minute old"
