"""What stands in a list is data, over SendGrid too: 10,000 hostile people get the very mail that they get over SMTP.

The same approved mailing is sent twice, into the outbox and to the fake SendGrid, which puts in the fields as the
service says it does: each tag replaced one after the other, as text. That the outbox's mails are right is what
`test_hostile_contacts` proves with readers of its own.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mlgroup_mail.cli import main
from mlgroup_mail.model import Contact
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.testing.sendgrid import Accepted, fake_sendgrid
from tests.acceptance.projects import small_project
from tests.acceptance.test_hostile_contacts import (
    KINDS,
    MANY,
    PUBLIC_URL,
    TEXT,
    TOPIC,
    inert,
    messages_of,
    people_of,
    store_people,
)
from tests.content.message.raw_mime import Part, read_message, words

ADDRESS_LIST = set('<>[]:;@\\,"')
"""What an address list is made of: it does not go into a name."""


@dataclass(frozen=True, kw_only=True)
class SentTwice:
    """Everybody by address: as the list has them, the outbox's message, what SendGrid took."""

    app: App
    people: dict[str, Contact]
    outbox: dict[str, bytes]
    sendgrid: dict[str, Accepted]
    requests: int


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentTwice]:
    folder = tmp_path_factory.mktemp("hostile-sendgrid")
    root, other = small_project(folder / "project"), folder / "other"
    settings = (root / ".env").read_text() + f"MLGROUP_PUBLIC_URL={PUBLIC_URL}\n"
    text = TEXT.replace("KIND", KINDS[0]).replace("MORE\n", "")
    (root / "campaigns" / "letter" / "campaign.md").write_text(text, encoding="utf-8")
    (root / ".env").write_text(settings)
    with pytest.MonkeyPatch.context() as patch:
        # That files outlive a power cut is not what is tried here, and takes its time 10,000 times.
        patch.setattr("os.fsync", lambda _: None)
        with open_app(root) as app:
            store_people(app, MANY)
        assert main._run(["--project", str(root), "approve", "letter/issue", "--by", "the editor"]) == 0
        shutil.copytree(root, other)
        send = ["send", "letter/issue", "--live", "--late", "trial"]
        assert main._run(["--project", str(root), *send]) == 0
        with fake_sendgrid(keep_content=True) as fake, open_app(root) as app:
            (other / ".env").write_text(
                f"{settings}MLGROUP_TRANSPORT=sendgrid\nMLGROUP_BATCH_SIZE=3000\n"
                f"MLGROUP_SENDGRID_URL={fake.url}\nMLGROUP_SENDGRID_API_KEY={fake.key}\n"
            )
            assert main._run(["--project", str(other), *send]) == 0
            yield SentTwice(
                app=app,
                people=people_of(app),
                outbox=messages_of(app),
                sendgrid={taken.address: taken for taken in fake.accepted},
                requests=len(fake.requests),
            )


def test_every_hostile_person_reads_over_sendgrid_what_they_read_over_smtp(sent: SentTwice) -> None:
    """Text, page and subject, letter by letter; nobody is missing, and no request is sent for one alone."""
    assert len(sent.people) == MANY + 1
    assert set(sent.sendgrid) == set(sent.outbox) == set(sent.people)
    assert sent.requests < 100, "of 10,000 some go alone, because a field of theirs is very long"
    for address, taken in sent.sendgrid.items():
        message = read_message(sent.outbox[address])
        plain, page, *_ = message.leaves()
        assert taken.parts["text/plain"] == shown(plain)
        assert taken.parts["text/html"] == shown(page)
        assert taken.subject.split() == words(message.one("Subject")).split()


def test_every_header_and_link_is_its_owners(sent: SentTwice) -> None:
    """The fields are those of the SMTP message; the ways out are this person's, as are the numbers that events cite."""
    own = {"Date", "From", "To", "Reply-To", "Subject", "MIME-Version", "Content-Type"}
    for address, taken in sent.sendgrid.items():
        message = read_message(sent.outbox[address])
        expected = {name: words(value) for name, value in message.fields if name not in own | {"Message-ID"}}
        assert {name: value for name, value in taken.headers.items() if name != "Message-ID"} == expected
        token = taken.headers["List-Unsubscribe"].partition(f"<{PUBLIC_URL}/opt-out/")[2].partition(">")[0]
        content = sent.app.tokens.read(token)
        assert content is not None
        assert (content.contact_id, content.topic) == (sent.people[address].contact_id, TOPIC)
        assert taken.custom_args == {"delivery": taken.message_id[1:].partition("@")[0]}
        theirs = words(message.one("Message-ID"))
        assert taken.message_id.partition(".")[0] == theirs.partition(".")[0]


def shown(part: Part) -> str:
    return part.decoded().decode().replace("\r\n", "\n")


def test_the_name_is_the_persons_without_what_an_address_list_is_made_of(sent: SentTwice) -> None:
    from mlgroup_mail.delivery.transports.sendgrid_template import _shown_name

    for person in sent.people.values():
        name = _shown_name(person.name)
        assert not set(name) & ADDRESS_LIST
        letters = "".join(letter for letter in inert(person.name) if letter not in ADDRESS_LIST)
        assert name.split() == letters.split() or "".join(name.split()) == "".join(letters.split())
