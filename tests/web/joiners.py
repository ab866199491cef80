"""A small group that people can join, whose mail goes into the outbox."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from tests.web.readers import Pages

JOIN = '\n[join]\ntopics = ["newsletter", "meetings"]\n'
NEWCOMER = "newcomer@office.example"


def open_the_door(root: Path, table: str = JOIN) -> Path:
    """Let people join the group there, and come back after having been erased."""
    keys = root / ".env"
    keys.write_text(f"{keys.read_text(encoding='utf-8')}MLGROUP_ERASURE_KEY={'e' * 40}\n", encoding="utf-8")
    settings = root / "mlgroup.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + table, encoding="utf-8")
    return root


def ask(pages: Pages, address: str = NEWCOMER, *, lang: str = "en", **more: str) -> str:
    """Fill in the form; returns the answer."""
    return pages.ask("POST", f"/join?lang={lang}", data={"address": address, **more}).text


def send(pages: Pages) -> None:
    """Send what is due, as the thread beside the pages does."""
    terms = pages.app.join_terms
    assert terms is not None
    pages.app.join_mails(terms).send_due()


def mails(pages: Pages, kind: str) -> list[EmailMessage]:
    """The mails of that kind in the outbox, in order."""
    files = sorted((pages.app.outbox / "joining" / kind).rglob("*.eml"))
    return [_read(file) for file in files]


def _read(file: Path) -> EmailMessage:
    read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def link_in(mail: EmailMessage, page: str) -> str:
    """The path of the first link to `/PAGE/...` in its plain text, as a proxy hands it over."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(rf"https://mail\.example\.org/group(/{page}/[a-z2-7]+)", body.get_content())
    assert found, body.get_content()
    return found[1]
