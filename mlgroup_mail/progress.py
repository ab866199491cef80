"""How long work tells whoever waits how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""(done, of how many), told after each step."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""
