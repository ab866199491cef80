"""The project that scenarios play with: fictional people who are canaries, and one letter to them that is due."""

import csv
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlgroup_mail.shipped import shipped
from mlgroup_mail.testing.sendgrid.account import FAKE_KEY
from tests.chaos.sink import PASSWORD
from tests.chaos.truth import Truth

LETTER = "letter/issue"
PEOPLE = 24
DOMAINS = 3
BATCH = 8
SECRET_KEY = "canary-key-0123456789-0123456789-0123456789"
_CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
columns = { email = "Email", name = "Name" }
defaults = { status = "member" }

[segment.members]
status = "member"
"""

_CAMPAIGN = """\
+++
kind = "newsletter"
topic = "newsletter"
subject = "News"
preheader = "What is new"
sender = "newsletter"
audience = "members"

[[mailing]]
name = "issue"
send_at = "%s UTC"
+++
Dear {{ recipient.first_name | default("colleague") }}, there is news for {{ group.members }} members.
"""


def person(number: int) -> str:
    """The address of person `number`: a canary that no log may show."""
    return f"zeisig.canary{number:03}@office{number % DOMAINS}.example"


def everybody() -> list[str]:
    return [person(number) for number in range(1, PEOPLE + 1)]


def canaries() -> list[str]:
    """What no log may show, in small letters."""
    names = [f"person{number:03}zeisig" for number in range(1, PEOPLE + 1)]
    return [*everybody(), *names, SECRET_KEY, PASSWORD, FAKE_KEY.lower()]


def make_project(root: Path) -> None:
    """A group of fictional people, each a canary, and one letter to them that is due."""
    (root / "contacts").mkdir(parents=True)
    (root / "campaigns" / "letter").mkdir(parents=True)
    shutil.copy(shipped("mlgroup.toml"), root / "mlgroup.toml")
    (root / "contacts" / "contacts.toml").write_text(_CONTACTS, encoding="utf-8")
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(person(number), f"Person{number:03}zeisig Canary") for number in range(1, PEOPLE + 1)]
        csv.writer(file).writerows([("Email", "Name"), *rows])
    due = datetime.now(UTC) - timedelta(minutes=10)
    (root / "campaigns" / "letter" / "campaign.md").write_text(_CAMPAIGN % f"{due:%Y-%m-%d %H:%M}", encoding="utf-8")


def settings_for(truth: Truth, **more: object) -> dict[str, str]:
    """The environment of a command that sends to the server that knows the truth."""
    values: dict[str, object] = {"secret_keys": SECRET_KEY, "batch_size": BATCH, **more}
    return truth.settings | {f"MLGROUP_{name.upper()}": str(value) for name, value in values.items()}
