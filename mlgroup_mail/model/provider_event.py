"""What a mail provider tells about one message, in our words."""

from dataclasses import dataclass
from datetime import datetime

from mlgroup_mail.model.consent import SignalKind
from mlgroup_mail.model.delivery import Bounce, EventKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderEvent:
    """One event. It names its delivery by one of three keys.

    `key` is `<delivery>.<mailing's token>`, as the provider was given it; `message_id` the Message-ID it cites; `alias`
    a hash of what the provider itself calls the message and of its recipient ("" where it does not say). `asks` is the
    opt-out that follows from it, `every_topic` whether that is on all of them or on the mailing's own. `detail` is a
    short text without addresses or names. `at` is when it happened, by the provider's clock.
    """

    kind: EventKind
    at: datetime
    key: str = ""
    message_id: str = ""
    alias: str = ""
    bounce: Bounce | None = None
    asks: SignalKind | None = None
    every_topic: bool = True
    detail: str = ""
