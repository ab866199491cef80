"""Mistakes that coordinators and template authors make: `check` names file and line, and what to write instead."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import approved_letter, letter, use
from tests.acceptance.projects import CAMPAIGN
from tests.cli.conftest import Result, Run

__all__ = ["approved_letter", "letter", "use"]

CAMPAIGN_FILE = "campaigns/letter/campaign.md"
PAGE = "templates/newsletter.mjml.j2"
EVENTS = (
    "- {id: webinar, title: W, start: 2021-11-19 13:00 Europe/Zurich, place: Online}\n"
    "- {id: open-day, title: D, start: 2021-11-20}\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """What somebody wrote, and what the answer must hold."""

    written: str
    message: str
    mend: str = ""
    line: int = 14


def answer(result: Result, message: str) -> dict[str, str]:
    """The one error finding with that message."""
    assert result.code == 1, result.out
    errors = [finding for finding in result.json["findings"] if finding["level"] == "error"]
    found = [finding for finding in errors if message in finding["message"]]
    assert len(found) == 1, errors
    return dict(found[0])


def write_text(root: Path, text: str, subject: str = "News") -> None:
    """The campaign with another text, which begins on line 13."""
    (root / "campaigns" / "events.yaml").write_text(EVENTS, encoding="utf-8")
    front = CAMPAIGN.split("+++\n")[1].replace('"News"', json.dumps(subject))
    (root / CAMPAIGN_FILE).write_text(f"+++\n{front}+++\n{text}", encoding="utf-8")


def write_page(root: Path, inside: str) -> None:
    """A page of the project's own, with something in its column from line 2 on."""
    (root / "templates").mkdir(exist_ok=True)
    frame = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section>{{{{ body }}}}</mj-body></mjml>"
    (root / PAGE).write_text(frame.format(inside), encoding="utf-8")


IN_TEXTS = [
    Mistake(written="{{ recipient.fist_name }}", message="no field recipient.fist_name", mend="recipient.first_name?"),
    Mistake(written="{{ recipient.nothing }}", message="no field recipient.nothing", mend="Known fields: name"),
    Mistake(written="{{ links.unsubscribe }}", message="no field links.unsubscribe", mend="opt_out, opt_out_all"),
    Mistake(written="{{ recipient }}", message="“recipient” can only", mend="FIELD being one of name"),
    Mistake(written="{{ links }}", message="“links” can only", mend="FIELD being one of opt_out"),
    Mistake(written="{{ recipient[field] }}", message="must be named directly", mend="recipient.FIELD"),
    Mistake(written="{{ recipient.name | upper }}", message="filter “upper” cannot", mend="Write {{ recipient.name }}"),
    Mistake(written="{% if recipient.name %}x{% endif %}", message="cannot be tested", mend='default("...")'),
    Mistake(written="{% if not links.opt_out %}x{% endif %}", message="cannot be tested", mend="Write"),
    Mistake(written="{% for x in recipient.name %}{% endfor %}", message="cannot be used", mend="Write"),
    Mistake(
        written="{% macro m() %}{{ recipient.name }}{% endmacro %}",
        message="inside {% macro %}",
        mend="where it is to be read",
    ),
    Mistake(written="{% set n %}{{ recipient.name }}{% endset %}", message="inside {% set %}", mend="read"),
    Mistake(
        written="{% filter upper %}{{ recipient.name }}{% endfilter %}", message="inside {% filter %}", mend="read"
    ),
    Mistake(written="{% set n = recipient.name %}", message="cannot be used in an expression", mend="Write"),
    Mistake(written="{{ recipient.name | default }}", message="must be a text in quotes", mend='default("colleague")'),
    Mistake(
        written="{{ recipient.name | default(group.name) }}", message="must be a text", mend='default("colleague")'
    ),
    Mistake(written='{{ "Dear " ~ recipient.name }}', message="cannot be joined", mend="text around it"),
    Mistake(written="{{ recipient.name.upper() }}", message="cannot be used in an expression", mend="Write"),
    Mistake(written="{{ recipient.__class__ }}", message="no field recipient.__class__", mend="Known fields"),
    Mistake(
        written="{{ '2022-01-19' | dat }}", message="no filter “dat”", mend="Did you mean “date”? Known filters: abs"
    ),
    Mistake(written="{% if 1 is evn %}x{% endif %}", message="no test “evn”", mend="Did you mean “even”?"),
    Mistake(written="{{ group.name | safe }}", message="“safe” cannot be used", mend="always escaped"),
    Mistake(written="{{ group.name | tojson }}", message="“tojson” cannot be used", mend="the value itself"),
    Mistake(written="{{ [1, 2] | random }}", message="“random” cannot be used", mend="chance"),
    Mistake(written="{{ '%s' | format(1) }}", message="“format” cannot be used", mend="Write the value"),
    Mistake(written="{{ '{:>9}'.format(1) }}", message="“format” cannot be called", mend="Write the value"),
    Mistake(written="{{ '%s' % 1 }}", message="not put together with %", mend="~"),
    Mistake(written="{{ 'a'.center(9) }}", message="“center” cannot be called", mend="filter"),
    Mistake(written="{{ ''.__class__ }}", message="not allowed here", mend="only reads values"),
    Mistake(written="{{ [].append(1) }}", message="not allowed here", mend="only reads values"),
    Mistake(written="{% autoescape false %}x{% endautoescape %}", message="{% autoescape %} cannot", mend="always on"),
    Mistake(written="{{ group.membres }}", message="“group.membres” is not known", mend="Did you mean group.members?"),
    Mistake(written="{{ members }}", message="“members” is not known", mend="Did you mean group.members?"),
    Mistake(written="{{ evnts }}", message="“evnts” is not known", mend="Did you mean events?"),
    Mistake(written="{{ deadline }}", message="“deadline” is not known", mend="[values] of the front matter"),
    Mistake(written="{{ nothing.at.all }}", message="“nothing” is not known", mend="Known: campaign"),
    Mistake(written='{{ events["party"].title }}', message="no event “party”", mend="Known events: webinar, open-day"),
    Mistake(written="{{ events.webinr.title }}", message="no event “webinr”", mend="Did you mean “webinar”?"),
    Mistake(written='{{ events["open-day"].start | time }}', message="whole day"),
    Mistake(written="{{ events.webinar.strt }}", message="“strt” is not known", mend="Did you mean start?"),
    Mistake(written="{{ events.webinar }}", message="several parts", mend="title"),
    Mistake(written="{{ events.webinar.title.upper }}", message="a method cannot be printed", mend="| upper"),
    Mistake(written="{{ events.webinar.start }}", message="printed by a filter", mend="| date }}"),
    Mistake(written='{{ events["open-day"].start }}', message="printed by a filter", mend="| when }}"),
    Mistake(written="{{ events.webinar.hours[0] }}", message="printed by a filter", mend="| date }}"),
    Mistake(written="{{ events.webinar.end }}", message="nothing here to be printed", mend="{% if"),
    Mistake(written="{{ [1, 2] }}", message="a list cannot be printed", mend="join"),
    Mistake(written="{{ group }}", message="a table cannot be printed", mend="name"),
    Mistake(written="{{ campaign.public }}", message="would be printed as “False”", mend="{% if"),
    Mistake(written="{{ 'soon' | date }}", message="needs a day such as"),
    Mistake(written="{{ 1 / 0 }}", message="division by zero"),
    Mistake(written="{{ recipient.name", message="“{{” is not closed", mend="Write “}}”"),
    Mistake(written="{{ recipient.name }\n\nmore {{ group.name }}", message="“{{” is not closed", mend="single brace"),
    Mistake(written="{% if group.members\nx {% endif %}", message="“{%” is not closed", mend="Write “%}”"),
    Mistake(written="{# a note", message="“{#” is not closed", mend="Write “#}”"),
    Mistake(
        written="{ { recipient.name } }",
        message="“{ { recipient.name } }” is left over",
        mend="{{ recipient.first_name }}",
    ),
    Mistake(written="Dear {recipient.name},", message="“{recipient.name}” is left over", mend="{{ recipient"),
    Mistake(written="Dear <<Name>>,", message="“<<Name>>” is left over", mend="{{ recipient"),
    Mistake(written="{% raw %}{{ x }}{% endraw %}", message="“{{ x }}” is left over", mend="{{ recipient"),
    Mistake(written="{% for x in [1] %}\n\n\nx", message="{% for %} is not closed", mend="{% endfor %}"),
    Mistake(written="{% if true %}a{% if true %}b{% endif %}\n", message="{% if %} is not closed", mend="{% endif %}"),
    Mistake(written="x {% endif %}", message="{% endif %} closes nothing", mend="{% if %} before it"),
    Mistake(written="{% else %}", message="stands in no {% if %}", mend="{% if ... %}"),
    Mistake(written="{% fi %}", message="no {% fi %}", mend="Did you mean {% if %}?"),
    Mistake(written="{% fore x in [1] %}{% endfor %}", message="no {% fore %}", mend="Did you mean {% for %}?"),
    Mistake(written="{{ group name }}", message="“name” cannot stand here", mend="quotes"),
    Mistake(
        written="{% include 'partials/footer.txt.j2' %}", message="cannot be included", mend="A text stands for itself"
    ),
    Mistake(written="{% include '/etc/passwd' %}", message="cannot be included", mend="templates/"),
    Mistake(written="{% extends 'partials/layout.mjml.j2' %}", message="cannot be included", mend="templates/"),
    Mistake(written="{% for i in range(10**9) %}x{% endfor %}", message="counts further than 20,000"),
    Mistake(
        written="{% for i in range(900) %}{% for j in range(900) %}{% set x = 1 %}{% endfor %}{% endfor %}",
        message="more than 20,000 rounds",
        mend="loops within loops multiply",
    ),
    Mistake(written='{{ "a" * 10**9 }}', message="more than 2,000,000 characters", mend="what repeats"),
    Mistake(written="{{ [1] * 10**9 }}", message="more than 2,000,000", mend="what repeats"),
    Mistake(written="{{ 9 ** 9999 }}", message="number is too large", mend="multiplied"),
    Mistake(
        written="{% set n = namespace(t='aaaaaaaa') %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
        message="more than 2,000,000",
        mend="what repeats",
    ),
    Mistake(written='{{ ("a" * 9999) | replace("a", "b" * 9999) }}', message="more than 2,000,000", mend="repeats"),
    Mistake(written='{{ "a" | indent(10**9) }}', message="more than 2,000,000", mend="what repeats"),
    Mistake(
        written="{% for i in range(9999) %}{{ 'a' * 9999 }}{% endfor %}",
        message="more than 2,000,000",
        mend="what repeats",
    ),
    Mistake(written="{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", message="again and again", mend="itself"),
    Mistake(written="{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", message="call itself", mend="within"),
    Mistake(written="{{ " + "(" * 500 + "1" + ")" * 500 + " }}", message="nested too deeply", line=0),
    Mistake(written="[form]({{ recipient.organisation }})", message="cannot stand as an address", mend="?name="),
    Mistake(written="[out](https://a.example/{{ links.opt_out }})", message="as a part of an address", mend="whole"),
    Mistake(written="![x]({{ recipient.name }})", message="{{ recipient.name }}"),
]


@pytest.mark.parametrize("mistake", IN_TEXTS, ids=lambda mistake: mistake.written[:50])
def test_a_mistake_in_a_text(run: Run, letter: Path, mistake: Mistake) -> None:
    write_text(letter, f"one\ntwo {mistake.written}")
    found = answer(run("check", "letter", "--json"), mistake.message)
    assert found["where"] == (f"{CAMPAIGN_FILE}, line {mistake.line}" if mistake.line else CAMPAIGN_FILE)
    assert mistake.mend in found["mend"]


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        ("x", 1, "text stands directly in <mj-column>"),
        ("\n<mj-text>", 2, "<mj-text> is not closed"),
        ("<mj-text>x</mj-text></mj-column><mj-column>", 1, "</mj-column> closes nothing"),
        ("<mj-section></mj-section>\n<mj-text>x</mj-text>", 2, "<mj-text> cannot stand in <mj-body>"),
    ],
)
def test_a_mistake_in_the_template_of_a_block_is_told_there(
    run: Run, letter: Path, written: str, line: int, message: str
) -> None:
    template = letter / "templates" / "blocks" / "button.mjml.j2"
    template.parent.mkdir(parents=True)
    template.write_text(written, encoding="utf-8")
    write_text(letter, "one\n\n```button\n[Register](https://a.example/x)\n```\n")
    found = answer(run("check", "letter", "--json"), message)
    assert found["where"] == f"templates/blocks/button.mjml.j2, line {line}"


IN_PAGES = [
    Mistake(line=2, written="<mj-foo />", message="no MJML element <mj-foo>", mend="Known elements"),
    Mistake(line=3, written="<mj-text>\n<mj-txt>x</mj-txt></mj-text>", message="<mj-txt>", mend="mj-text"),
    Mistake(line=2, written='<mj-include path="header.mjml" />', message="<mj-include>", mend="{% include"),
    Mistake(line=2, written='<mj-raw><MJ-Include path="/etc/passwd" /></mj-raw>', message="<mj-include>", mend="Jinja"),
    Mistake(line=2, written='<mj-font name="x" href="https://a.example" />', message="<mj-font>", mend="web-safe"),
    Mistake(line=3, written="\n<mj-text>x", message="<mj-text> is not closed", mend="</mj-text>"),
    Mistake(line=2, written="<mj-text>x</mj-button>", message="</mj-button> closes nothing", mend="<mj-button>"),
    Mistake(line=4, written="<mj-text>\nx\n<p>y</mj-text>", message="<p> is not closed", mend="</p>"),
    Mistake(line=2, written="<mj-text>x</br></mj-text>", message="</br> closes nothing", mend="has no end"),
    Mistake(
        line=2,
        written='<mj-text><a href="image:chart.png">x</a></mj-text>',
        message="“image:chart.png” shows no picture here",
        mend="background-url",
    ),
    Mistake(line=2, written="<mj-text>a < b</mj-text>", message="“<” begins no tag", mend="&lt;"),
    Mistake(line=2, written="<mj-text>]]></mj-text>", message="“]]>”", mend="]]&gt;"),
    Mistake(line=2, written="<mj-text color=red>x</mj-text>", message="“<mj-text” does not end", mend="quotes"),
    Mistake(line=2, written="<mj-text>x</mj-text", message="“</mj-text” does not end", mend="Close it with >"),
    Mistake(line=2, written="<mj-section></mj-section>", message="cannot stand in <mj-column>", mend="There may stand"),
    Mistake(line=3, written="\nwords", message="directly in <mj-column>", mend="<mj-text>"),
    Mistake(line=2, written="<p>words</p>", message="<p> cannot stand in <mj-column>", mend="HTML goes into <mj-text>"),
    Mistake(line=2, written="<mj-text><mj-button>x</mj-button></mj-text>", message="holds HTML only", mend="Close"),
    Mistake(line=2, written="<!DOCTYPE x [<!ENTITY e 'x'>]>", message="no declarations", mend="away"),
    Mistake(
        line=2, written="{% include '../mlgroup.toml' %}", message="outside the templates' folder", mend="Name a file"
    ),
    Mistake(line=2, written="{% include '/etc/passwd' %}", message="outside the templates' folder", mend="Name a file"),
    Mistake(
        line=2,
        written="{% include 'partials/fotter.mjml.j2' %}",
        message="no template file",
        mend="partials/footer.mjml",
    ),
    Mistake(
        line=3, written="{% set n = 'x' %}\n{% include n %}", message="a text in quotes", mend='{% include "name" %}'
    ),
    Mistake(line=2, written="{% include 'newsletter.mjml.j2' %}", message="names itself", mend="shipped/"),
    Mistake(
        line=3,
        written="<mj-text>\n{{ grup.name }}</mj-text>",
        message="“grup” is not known",
        mend="Did you mean group?",
    ),
    Mistake(line=2, written="{{ prose | safe }}", message="“safe” cannot be used", mend="escaped"),
    Mistake(line=2, written="<mj-text><a href={{ links.opt_out }}>x</a></mj-text>", message="“<a”", mend="quotes"),
    Mistake(
        line=2, written="<mj-text><a {{ recipient.name }}='x'>y</a></mj-text>", message="the name of a tag", mend="text"
    ),
    Mistake(
        line=2, written="<mj-text><!-- {{ recipient.name }} --></mj-text>", message="inside a comment", mend="text"
    ),
    Mistake(
        line=2,
        written="<mj-raw><script>{{ recipient.name }}</script></mj-raw>",
        message="inside <script>",
        mend="the same for everybody",
    ),
    Mistake(
        line=2, written='<mj-text onclick="{{ recipient.name }}">x</mj-text>', message="does not reach", mend="text"
    ),
    Mistake(
        line=4,
        written='<mj-text>{{ recipient.name }}\n<br>\n<span style="color: {{ recipient.name }}">x</span></mj-text>',
        message="recipient.name cannot stand in the attribute “style”",
        mend="the same for everybody",
    ),
    Mistake(
        line=2, written='<mj-button href="{{ recipient.name }}">x</mj-button>', message="as an address", mend="?name="
    ),
]


@pytest.mark.parametrize("mistake", IN_PAGES, ids=lambda mistake: mistake.written[:50])
def test_a_mistake_in_a_template(run: Run, letter: Path, mistake: Mistake) -> None:
    write_page(letter, mistake.written)
    found = answer(run("check", "letter", "--json"), mistake.message)
    assert found["where"] == f"{PAGE}, line {mistake.line}"
    assert mistake.mend in found["mend"]


@pytest.mark.parametrize(
    ("subject", "message", "mend"),
    [
        ("News of {{ grup.name }}", "“grup” is not known", "Did you mean group?"),
        ("News for {{ recipient.name | upper }}", "“upper” cannot be used", "Write {{ recipient.name }}"),
        ("{% if true %}News", "{% if %} is not closed", "{% endif %}"),
        ("Leave: {{ links.opt_out }}", "cannot stand in a subject", "into the text"),
        ("{% if recipient.country == 'PT' %}Notícias{% endif %}", "nothing is left of the subject", "{% else %}"),
        ("News for {recipient.name}", "“{recipient.name}” is left over", "{{ recipient.first_name }}"),
        ("", "“subject” is empty", ""),
        ("News\nBcc: a@office.example", "must stand on one line", ""),
        ("News " * 200, "characters", "first thing first"),
    ],
)
def test_a_mistake_in_the_subject(run: Run, letter: Path, subject: str, message: str, mend: str) -> None:
    write_text(letter, "Hello.", subject=subject)
    found = answer(run("check", "letter", "--json"), message)
    assert found["where"] in (f"{CAMPAIGN_FILE}, line 4", f"{CAMPAIGN_FILE} (subject), line 4")
    assert mend in found["mend"]


def test_a_long_subject_is_a_warning_and_a_line_break_in_a_value_ends_none(run: Run, letter: Path) -> None:
    write_text(letter, "Hello.", subject='{{ "News\\n of the month" }} ' + "and more " * 12)
    result = run("check", "letter", "--json")
    assert result.code == 0
    (found,) = [finding for finding in result.json["findings"] if finding["rule"] == "long-subject"]
    assert (found["level"], found["where"]) == ("warning", f"{CAMPAIGN_FILE}, line 4")


@pytest.mark.parametrize("text", ["{# only a note #}", "{% if recipient.country == 'PT' %}Olá.{% endif %}"])
def test_a_mail_of_which_nothing_is_left_is_refused(run: Run, letter: Path, text: str) -> None:
    write_text(letter, text)
    found = answer(run("check", "letter", "--json"), "nothing is left of the text")
    assert found["where"] == CAMPAIGN_FILE


@pytest.mark.parametrize("name", ["newsletter.mjml.j2", "newsletter.txt.j2"])
@pytest.mark.parametrize("content", ["", "{# only a note #}", "<mjml><mj-body></mj-body></mjml>"])
def test_a_template_that_leaves_the_text_out_is_refused(run: Run, letter: Path, name: str, content: str) -> None:
    (letter / "templates").mkdir(exist_ok=True)
    (letter / "templates" / name).write_text(content, encoding="utf-8")
    result = run("check", "letter", "--json")
    assert result.code == 1
    (found,) = [finding for finding in result.json["findings"] if finding["level"] == "error"]
    assert found["where"].startswith(f"templates/{name}")
    assert found["mend"]


def test_two_templates_that_include_each_other_are_named(run: Run, letter: Path) -> None:
    write_page(letter, '{% include "a.j2" %}')
    (letter / "templates" / "a.j2").write_text('\n{% include "b.j2" %}', encoding="utf-8")
    (letter / "templates" / "b.j2").write_text('{% include "a.j2" %}', encoding="utf-8")
    found = answer(run("check", "letter", "--json"), "again and again")
    assert found["where"] in ("templates/a.j2, line 2", "templates/b.j2, line 1")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"one\r\ntwo\r\n{{ grup }}\r\n", 15),
        (b"one\rtwo\r{{ grup }}", 15),
        ("one\u2028\x0c\x0b\x85two\n{{ grup }}".encode(), 14),
        (b"\tone\n\t{{ grup }}", 14),
        (b"\n\n\n\n{{ grup }}", 17),
    ],
    ids=["CRLF", "CR", "other line ends", "tabs", "blank lines"],
)
def test_line_numbers_are_those_of_an_editor(run: Run, letter: Path, content: bytes, line: int) -> None:
    front = CAMPAIGN.split("+++\n")[1]
    (letter / CAMPAIGN_FILE).write_bytes(f"+++\n{front}+++\n".encode() + content)
    found = answer(run("check", "letter", "--json"), "“grup” is not known")
    assert found["where"] == f"{CAMPAIGN_FILE}, line {line}"


def test_a_byte_order_mark_and_crlf_do_no_harm(run: Run, letter: Path) -> None:
    front = CAMPAIGN.split("+++\n")[1]
    file = f"\ufeff+++\n{front}+++\none\n{{{{ grup }}}}".replace("\n", "\r\n")
    (letter / CAMPAIGN_FILE).write_bytes(file.encode())
    assert answer(run("check", "letter", "--json"), "“grup”")["where"] == f"{CAMPAIGN_FILE}, line 14"


@pytest.mark.parametrize("name", [CAMPAIGN_FILE, PAGE, "campaigns/letter/campaign.fr.md"])
def test_a_file_in_another_encoding_is_named_with_its_line(run: Run, letter: Path, name: str) -> None:
    (letter / "templates").mkdir(exist_ok=True)
    (letter / name).write_bytes(b"+++\n+++\nCaf\xe9")
    found = answer(run("check", "letter", "--json"), "this is not UTF-8")
    assert found["where"] == f"{name}, line 3"
    assert "Save the file as UTF-8" in found["mend"]
