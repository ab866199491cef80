"""How long work tells whoever waits how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""(done, of how many), told after each step."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def in_words(done: int, total: int, seconds: float) -> str:
    """How far work is after `seconds`, how fast it goes, and when it may be done: "1,200 of 5,000, 40 a second, about
    95 s left". `total` is 0 where nobody knows it.
    """
    parts = [f"{done:,} of {total:,}" if total else f"{done:,}"]
    if done and seconds > 0:
        parts.append(pace(done / seconds))
        if total > done:
            parts.append(f"about {span((total - done) * seconds / done)} left")
    return ", ".join(parts)


def pace(a_second: float) -> str:
    """`40 a second`, `12 a minute`: whole numbers that people can compare with a mail server's limit."""
    if a_second >= 1:
        return f"{a_second:,.0f} a second"
    a_minute = a_second * 60
    return f"{a_minute:.0f} a minute" if a_minute >= 1 else f"{a_minute * 60:.0f} an hour"


def span(seconds: float) -> str:
    """`95 s`, `12 min`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
