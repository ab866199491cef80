"""What every transport can do."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from mlgroup_mail.model import Message, Outcome
from mlgroup_mail.model.message import BuildTemplate

MayBegin = Callable[[], bool]
"""Whether a message that was claimed may still begin. Asked right before each message's first byte."""

NOT_BEGUN = "not begun in time"


class Transport(Protocol):
    """Hands messages over, and says of each what came of it."""

    name: str
    """As in `MLGROUP_TRANSPORT`; the ledger keeps it with each attempt."""
    one_variant: bool
    """Whether all messages of one claim must be of one variant, because one request says what they have in common."""
    build: BuildTemplate
    """Makes what the messages of a variant have in common, in the form that this transport hands over."""

    @property
    def window(self) -> int:
        """How many deliveries one claim covers now: with those in the air, what a crash can leave in doubt."""
        ...

    def open(self) -> None:
        """Be ready to hand over (connect, log in), before anything is claimed; cheap when it is already.

        Raises TransportError where the server as a whole does not answer, RefusedByServerError where it refuses us.
        """
        ...

    def ready(self) -> bool:
        """Whether `open` would return at once: nothing to connect."""
        ...

    def send(self, messages: Sequence[Message], may_begin: MayBegin, *, more: bool = False) -> Iterable[Outcome]:
        """Hand over each message; one outcome a message, in any order, whatever happens, each as soon as it is known.

        With `more` it may return while some are in the air. They are told by the next call; one without messages waits
        for all of them.

        Asks `may_begin` right before a message's first byte; where it says no, the message is handed back (deferred,
        `begun=False`) with `NOT_BEGUN`. A failure of one message never raises. A failure of the server that shows only
        now hands back every message not yet begun; the next `open` raises. Interrupted, it tells what is known and
        then passes the interruption on.
        """
        ...

    def close(self) -> None:
        """Let go of connections, finish what is shown to people. Safe to call twice."""
        ...
