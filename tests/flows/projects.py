"""A small project with five people, a newsletter and a call; and what has landed in its outbox."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.model import MailingRef
from mlgroup_mail.settings.app import open_app
from mlgroup_mail.shipped import shipped

NEWSLETTER = MailingRef("2021-11-news", "issue")
CALL = MailingRef("2022-call", "invitation")
DUE = datetime(2021, 11, 2, 9, 0, tzinfo=UTC)
LATER = datetime(2021, 12, 1, 9, 0, tzinfo=UTC)

APPROVER = "Quentin Marchbanks"

PEOPLE = (
    ("aina.rakoto@stats.example", "Aina Rakoto"),
    ("birgit.sandvik@bureau.example", "Birgit Sandvik"),
    ("chidi.okafor@ministry.example", "Chidi Okafor"),
    ("dalia.benatar@university.example", "Dalia Benatar"),
)
OPTED_OUT = ("emre.yilmaz@institute.example", "Emre Yilmaz")
REJECTED = ("fiona.no-at-sign.example", "Fiona Gallacher")

_CONTACTS = """\
[[source]]
name = "members"
path = "members.csv"
defaults = { status = "member" }

[segment.members]
status = "member"
"""

_CAMPAIGN = """\
+++
kind = "{kind}"
topic = "{topic}"
subject = "{subject}"
preheader = "What is new"
sender = "newsletter"
audience = "members"
language = "en"

[[mailing]]
name = "{mailing}"
send_at = "{send_at:%Y-%m-%d %H:%M} UTC"
+++
Dear {{{{ recipient.first_name | default("colleague") }}}},

there is news from the group, and [a page with all of it](https://example.org/news).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallProject:
    """A project directory of a test's own."""

    root: Path

    def approve(self, ref: MailingRef, *, at: datetime = DUE, by: str = APPROVER) -> None:
        """What a person does with `mlgroup-mail approve`, once the list is there."""
        with open_app(self.root, clock=FixedClock(at)) as app:
            app.approve(ref, by=by)

    def pull(self, *, at: datetime = DUE) -> None:
        """What `mlgroup-mail contacts pull` and `opt-out import` do."""
        with open_app(self.root, clock=FixedClock(at)) as app:
            app.import_opt_outs()
            app.pull()

    def mails(self) -> Counter[str]:
        """How many messages each address has in the outbox, by a parser that is not the package's."""
        files = sorted((self.root / "var" / "outbox").rglob("*.eml"))
        return Counter(message_from_bytes(file.read_bytes(), policy=policy.SMTP)["To"] for file in files)

    def addresses(self) -> list[str]:
        """The addresses in the outbox, sorted; someone who got two mails is there twice."""
        return sorted(header.rpartition("<")[2].strip(">") for header in self.mails().elements())

    def write_opt_outs(self, name: str, *addresses: str) -> None:
        """Put a file of opt-outs where files wait for their import."""
        folder = self.root / "contacts" / "opt-outs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("\n".join(["address", *addresses, ""]), encoding="utf-8")

    def edit(self, ref: MailingRef, old: str, new: str) -> None:
        """Change a campaign's text as its author would."""
        path = self.root / "campaigns" / ref.campaign / "campaign.md"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def write_project(root: Path) -> SmallProject:
    """Write the project's files into `root`."""
    project = SmallProject(root=root)
    (root / "contacts").mkdir(parents=True)
    (root / "mlgroup.toml").write_text(shipped("mlgroup.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (root / "contacts" / "contacts.toml").write_text(_CONTACTS, encoding="utf-8")
    lines = [f"{address},{name}" for address, name in (*PEOPLE, OPTED_OUT, REJECTED)]
    (root / "contacts" / "members.csv").write_text("\n".join(["Email,Name", *lines, ""]), encoding="utf-8")
    project.write_opt_outs("october.csv", OPTED_OUT[0])
    _write_campaign(root, NEWSLETTER, kind="newsletter", topic="newsletter", subject="News", send_at=DUE)
    _write_campaign(root, CALL, kind="call", topic="calls", subject="Call for proposals", send_at=LATER)
    return project


def _write_campaign(root: Path, ref: MailingRef, **values: object) -> None:
    folder = root / "campaigns" / ref.campaign
    folder.mkdir(parents=True)
    (folder / "campaign.md").write_text(_CAMPAIGN.format(mailing=ref.mailing, **values), encoding="utf-8")
