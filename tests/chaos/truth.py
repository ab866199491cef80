"""What the judge asks of the server at the other end, whatever is spoken with it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """One accepted message."""

    recipient: str
    message_id: str
    unsubscribe: str


class Truth(Protocol):
    """A server that writes down what it accepts, on disk, before it says so."""

    port: int
    refused: set[str]
    """Who was refused for good, so that nobody must count them as lost."""

    @property
    def doubts(self) -> int:
        """How many messages it may have left in doubt by itself, without anybody's death."""

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a command that sends to it."""

    @property
    def untouched(self) -> list[str]:
        """Troubles that were ordered and have not come, by name."""

    def arrivals(self) -> list[Arrival]:
        """What its log on disk says."""

    def mend(self) -> None:
        """No more troubles; started again where it is down."""

    def close(self) -> None:
        """No more of it."""
