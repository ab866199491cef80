"""Events on their way: cut into batches, doubled, disordered, lost, late; signed, and posted until they are taken."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlgroup_mail.testing.sendgrid.events import Event, event_id
from mlgroup_mail.testing.sendgrid.signing import SignedBody, Signer

MOST_TRIES = 20
_NAMED_BY_THE_SERVICE = frozenset(
    (
        "email", "timestamp", "smtp-id", "event", "type", "status", "reason", "bounce_classification", "tls", "ip",
        "sg_event_id", "sg_message_id",
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Mishaps:
    """How often something happens to an event on its way: shares from 0 to 1."""

    doubled: float = 0.0
    """It comes again as it was, anywhere later."""
    renamed: float = 0.0
    """It comes again with another `sg_event_id`."""
    lost: float = 0.0
    """It never comes."""
    late: float = 0.0
    """It comes behind all others, in a batch of its own kind."""
    bare: float = 0.0
    """A bounce or drop comes without its custom arguments."""
    disorder: bool = False
    """The events come in any order."""


CALM = Mishaps()
ROUGH = Mishaps(doubled=0.1, renamed=0.05, lost=0.05, late=0.05, bare=0.5, disorder=True)


def travelled(events: Sequence[Event], mishaps: Mishaps = CALM, *, seed: int = 0) -> list[Event]:
    """The events in the order in which they come, after all that has happened to them."""
    # Named apart from `tell`: the same numbers would give new events the ids of old ones.
    chance = random.Random(f"travelled {seed}")  # noqa: S311 - a seed makes mishaps that can happen again.
    on_time: list[Event] = []
    late: list[Event] = []
    for event in events:
        if chance.random() < mishaps.lost:
            continue
        bare = event["event"] in ("bounce", "dropped") and chance.random() < mishaps.bare
        arriving = {name: value for name, value in event.items() if not bare or name in _NAMED_BY_THE_SERVICE}
        (late if chance.random() < mishaps.late else on_time).append(arriving)
        if chance.random() < mishaps.doubled:
            late.append(arriving)
        if chance.random() < mishaps.renamed:
            late.append({**arriving, "sg_event_id": event_id(chance)})
    if mishaps.disorder:
        chance.shuffle(on_time)
    chance.shuffle(late)
    return on_time + late


def bodies(events: Sequence[Event], *, size: int = 500) -> list[bytes]:
    """Batches as they go over the wire: an array with a line per event, and CR LF at its end, which is signed too."""
    return [_body(events[start : start + size]) for start in range(0, len(events), size)]


def signed(events: Sequence[Event], signer: Signer, *, size: int = 500, at: float | None = None) -> list[SignedBody]:
    """Signed batches; `at` as for `Signer.sign`."""
    return [signer.sign(body, at=at) for body in bodies(events, size=size)]


def post(
    events: Sequence[Event],
    url: str,
    signer: Signer,
    *,
    size: int = 500,
    tries: int = 3,
    pause: float = 0.1,
    renamed_on_retry: bool = False,
    seed: int = 0,
) -> list[int]:
    """Post batches to a webhook; the status of every try, in order, 0 where there was no answer.

    A batch that is not answered with 2xx is posted again after `pause` seconds, up to `tries` times in all;
    `renamed_on_retry`: with another `sg_event_id` for each of its events, as the service may do.
    """
    chance = random.Random(f"posted {seed}")  # noqa: S311 - see `travelled`.
    statuses: list[int] = []
    for start in range(0, len(events), size):
        batch: Iterable[Event] = events[start : start + size]
        for turn in range(min(tries, MOST_TRIES)):
            if turn:
                time.sleep(pause)
                if renamed_on_retry:
                    batch = [{**event, "sg_event_id": event_id(chance)} for event in batch]
            statuses.append(post_body(url, signer.sign(_body(batch))))
            if 200 <= statuses[-1] < 300:
                break
    return statuses


def post_body(url: str, signed_body: SignedBody) -> int:
    """Post one batch once; the status, 0 where there was no answer. Only http and https."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("a webhook has an http or https URL")
    request = urllib.request.Request(url, signed_body.body, dict(signed_body.headers), method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - checked above.
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _body(events: Iterable[Event]) -> bytes:
    return ("[" + ",\r\n".join(json.dumps(event, ensure_ascii=False) for event in events) + "]\r\n").encode()
