"""The `outbox` transport: each message becomes a file, and pages to browse them. Nothing leaves the machine."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.delivery.durable_files import sync_folder, write_durably
from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin
from mlgroup_mail.delivery.transports.outbox_notes import note_messages
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind
from mlgroup_mail.model.message import BuildTemplate
from mlgroup_mail.private_files import make_private_folder

log = logging.getLogger(__name__)

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class OutboxTransport:
    """Writes `<outbox>/<campaign>/<mailing>/<delivery id>.eml`, and `index.html` pages when it is closed.

    A delivery's file has one name, so that a second try replaces the first and is no second message.
    """

    name = "outbox"
    window = 20
    one_variant = False
    build: BuildTemplate = MessageTemplate.build

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed: set[Path] = set()

    def open(self) -> None:
        """Make the folder; raises TransportError where that is not possible."""
        try:
            make_private_folder(self._folder)
        except OSError as error:
            raise TransportError(
                f"the outbox cannot be written: {error.strerror}",
                where=str(self._folder),
                mend="Make room or give this account the right to write there.",
            ) from None

    def ready(self) -> bool:
        """Always."""
        return True

    def send(
        self,
        messages: Sequence[Message],
        may_begin: MayBegin,
        *,
        more: bool = False,  # noqa: ARG002 (nothing stays in the air)
    ) -> list[Outcome]:
        """Write each message to disk; one outcome a message, in order."""
        outcomes = [self._write(message, may_begin) for message in messages]
        self._note(messages, outcomes)
        try:
            # The names of new files are durable only once their folder is.
            for folder in {self._path(message).parent for message in messages}:
                sync_folder(folder)
        except OSError:
            return [_in_doubt(outcome) for outcome in outcomes]
        return outcomes

    def close(self) -> None:
        """Bring the pages up to date. Safe to call twice."""
        from mlgroup_mail.delivery.transports.outbox_pages import write_pages

        changed, self._changed = self._changed, set()
        if not changed:
            return
        try:
            write_pages(self._folder, changed)
        except OSError as error:
            # The messages are there; only the view of them is old, and the next close makes it anew.
            self._changed = changed
            log.warning("the outbox's pages could not be written: %s", error.strerror)

    def _write(self, message: Message, may_begin: MayBegin) -> Outcome:
        if not may_begin():
            return Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.DEFERRED, detail=NOT_BEGUN, begun=False)
        path = self._path(message)
        try:
            make_private_folder(path.parent)
            self._changed.add(path.parent)
            write_durably(path, message.content)
        except OSError as error:
            return Outcome(
                attempt_id=message.attempt_id,
                kind=OutcomeKind.DEFERRED,
                detail=f"the file could not be written: {(error.strerror or 'unknown reason').lower()}",
            )
        return Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.ACCEPTED, detail="written to the outbox")

    def _note(self, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        written: dict[Path, list[Message]] = {}
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome.kind is OutcomeKind.ACCEPTED:
                written.setdefault(self._path(message).parent, []).append(message)
        for folder, found in written.items():
            try:
                note_messages(folder, found)
            except OSError as error:
                # The messages are there; the pages say less about them.
                log.warning("the outbox's list of messages could not be written: %s", error.strerror)

    def _path(self, message: Message) -> Path:
        return folder_of(self._folder, message.campaign, message.mailing) / f"{message.delivery_id}.eml"


def folder_of(outbox: Path, campaign: str, mailing: str) -> Path:
    """Where the messages of a mailing lie."""
    return outbox / _plain(campaign) / _plain(mailing)


def _in_doubt(outcome: Outcome) -> Outcome:
    if outcome.kind is not OutcomeKind.ACCEPTED:
        return outcome
    return replace(outcome, kind=OutcomeKind.UNCERTAIN, detail="written, but perhaps not to stay")


def _plain(name: str) -> str:
    """A name as one folder's: nothing in it may lead elsewhere."""
    return _UNSAFE.sub("-", name).lstrip(".") or "other"
