"""What stands in a list is data: 10,000 hostile people get exactly their own mail, through every kind.

The whole way is gone: stored, planned, dispatched into the outbox. Each message is read back with readers other than
those that wrote it (`raw_mime`, libxml2, html5lib for a part) and compared, node by node, with what a harmless person
gets, the values put in their places.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import html5lib
import pytest
from lxml import etree
from lxml import html as libxml2

from mlgroup_mail.cli import main
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.content.campaigns.campaign import CampaignKind
from mlgroup_mail.content.templates.template_files import known_templates
from mlgroup_mail.model import ALL_TOPICS, Contact
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.shipped import shipped
from mlgroup_mail.store.contact_sync import sync_contacts
from tests.acceptance.projects import LETTER, small_project, write_list
from tests.cli.conftest import Run
from tests.content.message.raw_mime import Part, read_message, words
from tests.factories import NOON

KINDS = known_templates(read_project(shipped("mlgroup.toml").parent))
MANY, FEW = 10_000, 500
"""The first kind is tried with many people, the others with some of every sort."""

TOPIC = "newsletter"
PUBLIC_URL = "https://mail.example.org"

# Values that are nothing but blanks take the fallback.
NAME, FIRST, OFFICE = (
    f'{{{{ recipient.{field} | default("colleague") }}}}' for field in ("name", "first_name", "organisation")
)
TEXT = f"""\
+++
kind = "KIND"
topic = "newsletter"
subject = 'News for {NAME} – March, {OFFICE}'
preheader = 'For {FIRST}'
sender = "newsletter"
audience = "members"
MORE
[[mailing]]
name = "issue"
send_at = "2021-11-02 09:00 Europe/London"
+++
Dear {FIRST} ({NAME}),

*{OFFICE}*, **{{{{ recipient.address }}}}**: please use
[this form](https://form.example/f?name={NAME}&office={OFFICE}#top), or
[leave]({{{{ links.opt_out }}}}) it.

- {NAME}

| office | person |
|---|---|
| {OFFICE} | {NAME} |

> {FIRST}

```note
For {FIRST} of {OFFICE}.
```

```button
[Register, {FIRST}](https://form.example/register?who={FIRST})
```

```quote
{OFFICE}
```

```signature
To {NAME}
```
"""

HARMLESS = Contact(
    address="harmless@office.example", name="Nnnname", first_name="Fffirst", organisation="Ooorganisation"
)


def hostile_values(number: int, token: str) -> tuple[str, ...]:
    """What somebody may have written into a list; `token` is another person's."""
    return (
        'A" <evil@x.example>, "B',
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "</p></td></table><!-- --><![endif]-->",
        "' onmouseover='alert(1)' \" onfocus=\"alert(1)",
        "evil@x.example, other@x.example; third@x.example",
        "group: a@x.example, b@x.example;",
        f"x\r\nBcc: evil{number}@x.example\r\n\r\n<p>forged</p>",
        "x\nTo: evil@x.example",
        "x\rSubject: forged",
        "a\x00b\x0b\x0c\x1b[31m\x7f\x85",
        "line\u2028separator\u2029paragraph",
        "\u202egnp.exe\u2066 \u2067 \u200f\u200e",
        "مرحبا \u200fبالعالم\u200e שלום",
        "👩‍🔬👨‍👩‍👧‍👦" * 20,
        "A" * 300,
        "é" * 300,
        "W. " * 100,
        f"{{{{7*7}}}} {number}",
        "{% for x in range(9) %}{{ x }}{% endfor %}",
        "{# comment #}{{ recipient.address }}{{ links.opt_out_all }}",
        '</mj-text><mj-include path="/etc/passwd"/><mj-text>',
        "<mj-raw><b>x</b></mj-raw>",
        "javascript:alert(document.cookie)",
        "data:text/html;base64,PHNjcmlwdD4=",
        f"{PUBLIC_URL}/opt-out/{token}",
        f"mailto:ml-group@example.org?subject=opt%20out%20{token}",
        token,
        f"[click]({PUBLIC_URL}/opt-out/{token}) ![x](image:chart.png) **bold** `code` # heading",
        "=?utf-8?q?evil=40x=2Eexample?= =?utf-8?b?ZXZpbA==?=",
        "=0D=0ABcc: evil@x.example =",
        "--=_boundary\r\n--=_boundary--",
        ". \r\n.\r\nMAIL FROM:<evil@x.example>",
        "&lt;b&gt; &amp; &#0; &#x22; &nbsp",
        "%0d%0aBcc:%20evil@x.example %00 %",
        "a,b;c|d\te=f&g=h?i#j/k\\l",
        "${7*7} #{7*7} <%= 7*7 %> ${{7*7}}",
        '=HYPERLINK("https://evil.example")',
        "\u202e\x00",
        " ",
        "",
    )


def inert(value: str) -> str:
    """A value as it may appear: on one line, turning nothing around it. Written from the rule, not from the code."""
    if value.isprintable():
        return value if value.strip() else ""
    lines = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", value)
    return re.sub("[\u202a-\u202e\u2066-\u2069]", "", lines).strip()


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One kind, sent: the people by their address, and each one's message."""

    app: App
    people: dict[str, Contact]
    messages: dict[str, bytes]


@contextmanager
def sent_project(root: Path, kind: str, count: int) -> Iterator[Sent]:
    """A list of `count` hostile people and a harmless one, written to."""
    small_project(root)
    with (root / ".env").open("a", encoding="utf-8") as file:
        file.write(f"MLGROUP_PUBLIC_URL={PUBLIC_URL}\nMLGROUP_NOW=2021-11-02T10:00:00Z\n")
    more = 'event = "all-group-2021-10"\n' if kind == "invitation" else ""
    (root / "campaigns" / "events.yaml").write_bytes((shipped("campaigns") / "events.yaml").read_bytes())
    text = TEXT.replace("KIND", kind).replace("MORE\n", more)
    (root / "campaigns" / "letter" / "campaign.md").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        # That files outlive a power cut is not what is tried here, and takes its time 10,000 times.
        patch.setattr("os.fsync", lambda _: None)
        with open_app(root) as app:
            store_people(app, count)
        assert main._run(["check", "letter"]) == 0
        assert main._run(["approve", "letter/issue", "--by", "the editor"]) == 0
        assert main._run(["send", "letter/issue", "--live"]) == 0
        with open_app(root) as app:
            yield Sent(app=app, people=people_of(app), messages=messages_of(app))


def store_people(app: App, count: int) -> None:
    """Straight into the store: what cleaning would mend must be harmless without it too."""
    people = [HARMLESS]
    for number in range(count):
        # Everybody is given the token of the next: ids count from 1 in the order of the list.
        values = hostile_values(number, token_of(app.tokens, number + 3))
        name, first, office = (values[(number * step + number // len(values)) % len(values)] for step in (1, 3, 7))
        address = f"person{number}@office{number % 50}.example"
        people.append(Contact(address=address, name=name, first_name=first, organisation=office))
    with app.store.deciding() as connection:
        sync_contacts(
            connection, [replace(each, source="members") for each in people], sources=frozenset({"members"}), now=NOON
        )


def token_of(tokens: OptOutTokens, contact_id: int, topic: str = TOPIC) -> str:
    return tokens.make(TokenContent(contact_id=contact_id, mailing_id=1, topic=topic))


def people_of(app: App) -> dict[str, Contact]:
    from mlgroup_mail.store.contacts import all_contacts

    with app.store.reading() as connection:
        return {person.address: person for person in all_contacts(connection)}


def messages_of(app: App) -> dict[str, bytes]:
    """Every file of the outbox, by its one recipient as the raw To field names it."""
    found: dict[str, bytes] = {}
    files = sorted(app.outbox.rglob("*.eml"))
    for file in files:
        content = file.read_bytes()
        (address,) = re.findall(
            rb"^To:(?:.*\r\n )*.*?<?([^<>\s]+)>?\r$", content.split(b"\r\n\r\n")[0] + b"\r", re.MULTILINE
        )
        assert address.decode() not in found
        found[address.decode()] = content
    return found


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in KINDS])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    count = MANY if request.param == KINDS[0] else FEW
    with sent_project(tmp_path_factory.mktemp("hostile") / "project", request.param, count) as made:
        yield made


Node = tuple[object, tuple[tuple[str, str], ...], str, str]
"""A tag, its attributes, the text within it before its first child, and the text behind it."""


def nodes(page: bytes) -> list[Node]:
    """Every node of a page, as libxml2 reads it, comments included."""
    root = libxml2.document_fromstring(page, parser=libxml2.HTMLParser(encoding="utf-8"))
    return [
        (
            "comment" if isinstance(each, etree._Comment) else each.tag,
            () if isinstance(each, etree._Comment) else tuple(each.attrib.items()),
            each.text or "",
            each.tail or "",
        )
        for each in root.iter()
    ]


def queried(value: str) -> str:
    """A value within the query of an address."""
    return quote(inert(value), safe="")


class Model:
    """The harmless person's message, in which whatever is that person's own can be found."""

    def __init__(self, sent: Sent) -> None:
        self.tokens = sent.app.tokens
        self.message = read_message(sent.messages[HARMLESS.address])
        plain, page, *self.rest = self.message.leaves()
        self.plain = re.split(r"(https://\S+\?\S*)", plain.decoded().decode())
        self.page = nodes(page.decoded())
        self.subject = words(self.message.one("Subject"))
        self.marks = self.values(sent.people[HARMLESS.address], str)
        self.pattern = re.compile("|".join(map(re.escape, self.marks)))
        self.page_marked = [bool(self.pattern.search(repr(node))) for node in self.page]

    def values(self, person: Contact, write: Callable[[str], str]) -> list[str]:
        """What is a person's own: fields, and the tokens of both ways out."""
        fields = (person.name, person.first_name, person.organisation, person.address)
        tokens = (token_of(self.tokens, person.contact_id, topic) for topic in (TOPIC, ALL_TOPICS))
        return [*(write(field) or "colleague" for field in fields), *tokens]


class Expected:
    """The model with one person's values in their places."""

    def __init__(self, model: Model, person: Contact) -> None:
        self.model, self.person = model, person
        self._shown = dict(zip(model.marks, model.values(person, inert), strict=True))
        self._queried = dict(zip(model.marks, model.values(person, queried), strict=True))

    def text(self, text: str, *, query: bool = False) -> str:
        """A text of the model as this person's; all at once, so that no value is looked at again."""
        values = self._queried if query else self._shown
        return self.model.pattern.sub(lambda found: values[found[0]], text)

    def node(self, node: Node) -> Node:
        """A node of the model as this person's."""
        tag, attributes, text, tail = node
        written = tuple((name, self.text(value, query=name in ("href", "src"))) for name, value in attributes)
        return (tag, written, self.text(text), self.text(tail))

    @property
    def plain(self) -> str:
        """The plain-text part; every other piece of it is an address with a query."""
        return "".join(self.text(piece, query=bool(at % 2)) for at, piece in enumerate(self.model.plain))


def test_every_hostile_person_gets_the_harmless_mail_with_their_values_in_it(sent: Sent) -> None:
    """One message each; its text, its page and its links are the template's; the values stand there as they are."""
    assert set(sent.messages) == set(sent.people)
    assert len(sent.people) in (MANY + 1, FEW + 1)
    model = Model(sent)
    for address, content in sent.messages.items():
        expected = Expected(model, sent.people[address])
        message = read_message(content)
        check_header(message, expected)
        plain, page, *rest = message.leaves()
        assert plain.decoded().decode() == expected.plain
        check_page(nodes(page.decoded()), expected)
        assert [(part.fields, part.body) for part in rest] == [(part.fields, part.body) for part in model.rest]


_SHOWN_NAME = re.compile(r'(?:"[\w .,\'()-]*"|=\?utf-8\?b\?[\w+/=]+\?=(?: =\?utf-8\?b\?[\w+/=]+\?=)*) ')
_WAYS_OUT = re.compile(r"<https://mail\.example\.org/opt-out/(\w+)>, <mailto:[\w@.-]+\?subject=opt%20out%20(\w+)>")
_SHARED = ("From", "Reply-To", "List-Id", "List-Unsubscribe-Post", "Precedence", "X-Auto-Response-Suppress")


def check_header(message: Part, expected: Expected) -> None:
    """The same fields in the same order; one recipient, whose name is the value; both ways out are this person's."""
    model, person = expected.model, expected.person
    assert [name for name, _ in message.fields] == [name for name, _ in model.message.fields]
    to = message.one("To").decode("ascii")
    name, _, address = to.rpartition("<")
    assert address.removesuffix(">") == person.address
    assert not name or _SHOWN_NAME.fullmatch(name)
    shown = words(message.one("To")).rpartition("<")[0].strip().strip('"') if "<" in to else ""
    assert shown.split() == inert(person.name).split()
    assert words(message.one("Subject")).split() == expected.text(model.subject).split()
    ways_out = _WAYS_OUT.fullmatch(message.one("List-Unsubscribe").decode("ascii"))
    assert ways_out
    for token in ways_out.groups():
        content = model.tokens.read(token)
        assert content is not None
        assert (content.contact_id, content.topic) == (person.contact_id, TOPIC)
    for name in _SHARED:
        assert message.all(name) == model.message.all(name)


def check_page(found: list[Node], expected: Expected) -> None:
    """The same tags with the same attributes; values stand in texts and in the queries of links, and nowhere else."""
    assert len(found) == len(expected.model.page)
    for node, of_model, marked in zip(found, expected.model.page, expected.model.page_marked, strict=True):
        assert node == (expected.node(of_model) if marked else of_model)


def test_browsers_read_the_same_tree(sent: Sent) -> None:
    """html5lib reads as the HTML standard says; it is slow, so some of every sort are looked at."""

    def shape(content: bytes) -> list[object]:
        tree = html5lib.parse(read_message(content).leaves()[1].decoded().decode())
        return [(each.tag, sorted(each.attrib)) for each in tree.iter()]

    expected = shape(sent.messages[HARMLESS.address])
    for number in range(len(hostile_values(0, ""))):
        assert shape(sent.messages[f"person{number}@office{number % 50}.example"]) == expected


def test_nothing_of_a_value_is_rendered_again(sent: Sent) -> None:
    asked = [person for person in sent.people.values() if "{{7*7}}" in person.name]
    assert len(asked) > 5
    for person in asked:
        message = read_message(sent.messages[person.address])
        assert "{{7*7}}" in words(message.one("Subject"))
        for part in message.leaves()[:2]:
            assert "{{7*7}}" in part.decoded().decode()


def test_every_kind_of_campaign_has_its_turn() -> None:
    assert set(KINDS) >= set(CampaignKind)


def test_a_hostile_file_goes_the_whole_way_too(run: Run, tmp_path: Path) -> None:
    """From a CSV, through cleaning: who is accepted gets one mail with one recipient, and `verify` finds nothing."""
    root = small_project(tmp_path / "project")
    values = hostile_values(0, "a" * 60)
    write_list(root, [(f"person{number}@office.example", value, "") for number, value in enumerate(values)])
    for arguments in (("contacts", "pull"), ("approve", LETTER, "--by", "the editor")):
        assert run("--project", root, *arguments).code == 0
    assert run("--project", root, "send", LETTER, "--live", "--late", "trial").code == 0
    written = [read_message(file.read_bytes()) for file in (root / "var" / "outbox").rglob("*.eml")]
    recipients = {words(message.one("To")).rpartition("<")[2].rstrip(">") for message in written}
    pulled = run("--project", root, "log", LETTER, "--json").out.splitlines()
    assert len(written) == len(recipients) == len(pulled) > len(values) // 2
    assert all(re.fullmatch(r"person\d+@office\.example", recipient) for recipient in recipients)
    assert run("--project", root, "verify").code == 0
