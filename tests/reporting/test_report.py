"""`report`: one page that says how a mailing went, to people who were not there."""

import base64
import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import html5lib
import pytest
from html5lib.constants import E

from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run
from tests.content.test_pages import violations
from tests.servers.chromium import Chromium

AT = "2021-11-02T10:00:00+00:00"
NARROW, SMALLEST, WIDE = 375, 320, 1000


@pytest.fixture(autouse=True)
def _clock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AT)


@pytest.fixture
def sent(run: Run, letter: Path) -> Path:
    """The letter to six people, one of whom had opted out: sent, and the answers made different."""
    run("opt-out", "add", person(6))
    assert run("send", LETTER, "--live").code == 0
    order(letter, "UPDATE delivery SET state = 'uncertain', reason = 'no answer' WHERE contact_id = 2")
    order(
        letter,
        "UPDATE delivery SET state = 'refused', reason = '550 5.1.1 <b>no</b> such user person3@office.example' "
        "WHERE contact_id = 3",
    )
    return letter


def order(root: Path, statement: str) -> None:
    """Put the ledger into a state."""
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute(statement)


def page_of(run: Run, *options: object) -> str:
    """The page, read from where the command says that it is."""
    result = run("report", LETTER, *options)
    assert result.code == 0
    return Path(result.out.strip()).read_text(encoding="utf-8")


def test_it_says_how_the_mailing_went(run: Run, sent: Path) -> None:
    page = page_of(run)
    assert (sent / "var" / "reports" / "letter-issue.html").is_file()
    assert "<bdi>News</bdi></h1>" in page
    assert "by the editor, " in page
    assert re.findall(r"<b>(\d+)</b><span>(\w+)", page) == [
        ("6", "audience"),
        ("3", "accepted"),
        ("1", "refused"),
        ("1", "uncertain"),
        ("1", "excluded"),
    ]
    assert "opted out of all mail" in page
    assert page.count("<svg ") == 4, "outcomes, exclusions, countries, domains"


def test_its_figures_come_as_json_too(run: Run, sent: Path) -> None:
    found = run("report", LETTER, "--json").json
    assert (found["mailing"], found["state"], found["audience"]) == (LETTER, "finished", 6)
    assert found["progress"][-1]["accepted"] == 3
    assert found["excluded"] == {"opted_out": 1}
    assert found["domains"] == [
        {"domain": "office.example", "recipients": 5, "deferred_once": 0, "accepted": 3, "refused": 1, "uncertain": 1}
    ]
    assert found["answers"] == [
        {"state": "refused", "answer": "550 5.1.1 <b>no</b> such user p…@office.example", "number": 1}
    ]
    assert not (sent / "var" / "reports").exists(), "whoever asks for the figures gets no file"


def test_whoever_is_in_doubt_is_named_with_the_command_that_settles_it(run: Run, sent: Path) -> None:
    page = page_of(run)
    assert "contact 2, p…@office.example" in page
    (command,) = re.findall(r"mlgroup-mail (resolve \S+ --accepted --contact \d+ --reason) ", page)
    assert run(*command.split(), "they told us").code == 0
    assert run("status", LETTER, "--json").json["counts"]["uncertain"] == 0
    assert "settled as accepted" in page_of(run)


def test_only_the_one_who_is_named_is_settled(run: Run, sent: Path) -> None:
    order(sent, "UPDATE delivery SET state = 'uncertain' WHERE contact_id = 4")
    assert run("resolve", LETTER, "--accepted", "--contact", "4", "--reason", "seen").code == 0
    assert run("status", LETTER, "--json").json["counts"]["uncertain"] == 1
    result = run("resolve", LETTER, "--accepted", "--contact", "1", "--reason", "seen")
    assert (result.code, "no delivery of letter/issue to contact 1 is uncertain" in result.text) == (2, True)


def test_the_page_names_nobody(run: Run, sent: Path) -> None:
    run("resolve", LETTER, "--accepted", "--reason", f"{person(2)} rang", "--by", "Anna <anna@office.example>")
    text = page_of(run)
    assert "person" not in text.replace("Person Number", "person")
    assert re.findall(r"[\w.]+@[\w.]+", text) == []
    assert "a…@office.example" in text


def test_what_a_server_or_an_author_wrote_is_no_markup(run: Run, sent: Path) -> None:
    order(
        sent,
        """UPDATE variant SET compiled = replace(compiled, '"subject": "News"', '"subject": "<script>x</script>"')""",
    )
    page = page_of(run)
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "<script" not in page
    assert "&lt;script&gt;x" in page


def test_the_page_fetches_and_runs_nothing(run: Run, sent: Path) -> None:
    page = page_of(run)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"content=\"default-src 'none'; style-src 'sha256-{digest}'\"" in page
    assert re.findall(r"\s(?:style|src|on\w+)=", page) == []
    assert set(re.findall(r'(?:href|xmlns)="([^"#]*)', page)) <= {"http://www.w3.org/2000/svg", ""}
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_the_page_is_valid_html(run: Run, sent: Path) -> None:
    parser = html5lib.HTMLParser()
    parser.parse(page_of(run))
    assert [(place, E[code] % values) for place, code, values in parser.errors] == []


def test_times_are_the_organisers_with_their_offset(run: Run, sent: Path) -> None:
    toml = sent / "mlgroup.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("Europe/London", "America/Mexico_City"), encoding="utf-8")
    page = page_of(run)
    assert "2 November 2021, 04:00:00 (UTC−6)" in page
    assert "Times are those of America/Mexico_City." in page


def test_what_went_into_the_outbox_is_not_said_to_be_at_a_mail_server(run: Run, sent: Path) -> None:
    page = page_of(run)
    assert "Accepted means here: written to the outbox. Nothing left this machine." in page
    assert "written to the outbox" in page
    assert "accepted by a mail server" not in page
    assert "took it over" not in page
    assert run("report", LETTER, "--json").json["transports"] == ["outbox"]
    order(sent, "UPDATE attempt SET transport = 'smtp'")
    page = page_of(run)
    assert "accepted by a mail server" in page
    assert "outbox" not in page


def test_what_went_within_a_minute_is_told_in_a_sentence_instead_of_a_plot(run: Run, sent: Path) -> None:
    page = page_of(run)
    assert "3 accepted within a minute of the first attempt." in page
    assert 'id="progress-title"' not in page
    assert "after 0 s" not in page
    order(sent, "UPDATE attempt SET ended_at = '2021-11-02 10:05:00.000000'")
    page = page_of(run)
    assert 'id="progress-title"' in page
    assert "time in Europe/London" in page
    assert "people whose mail was accepted" in page
    assert "2 November 2021, 10:05:00 (UTC), 5 min later" in page


def test_the_journal_says_what_the_digest_of_an_approval_is(run: Run, sent: Path) -> None:
    assert re.search(r"<td><bdi>approval [0-9a-f]{12}</bdi></td>", page_of(run))


def test_all_others_together_have_a_row_of_the_table_and_no_bar(run: Run, troubled: Path) -> None:
    page = page_of(run)
    assert page.count("<bdi>5 others</bdi>") == 1
    assert "The largest 15; the table has the 5 others as one." in page
    assert not re.search(r"<text[^>]*>5 others", page)


def test_pauses_are_shown_with_who_ordered_them_and_why(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", LETTER)
    run("pause", LETTER, "--reason", "a figure is wrong", "--by", "Anna")
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:30:00+00:00")
    run("resume", LETTER, "--reason", "it was right", "--by", "Ben")
    run("send", LETTER, "--live")
    (stop,) = run("report", LETTER, "--json").json["stops"]
    assert stop == {
        "since": AT,
        "until": "2021-11-02T10:30:00+00:00",
        "what": "paused",
        "why": "by Anna: a figure is wrong",
    }
    page = page_of(run)
    assert "paused by Anna: a figure is wrong" in page
    assert [act for act in ("approved", "paused", "resumed") if f"<td>{act}</td>" in page] == [
        "approved",
        "paused",
        "resumed",
    ]


def test_a_mailing_that_stopped_itself_says_so(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("send", LETTER, "--live")
    order(letter, "UPDATE delivery SET state = 'planned' WHERE contact_id = 1")
    order(letter, "UPDATE mailing SET state = 'sending'")
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T15:00:00+00:00")
    run("send", LETTER, "--live")
    (stop,) = run("report", LETTER, "--json").json["stops"]
    assert (stop["what"], stop["until"]) == ("held", None)
    assert "was there an outage" in stop["why"]
    assert "held by itself" in page_of(run)


def test_what_came_afterwards_is_counted(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its readers, on its topic or all, within two weeks; what was there before is none of its doing."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-03T10:00:00+00:00")
    run("opt-out", "add", person(1))
    run("opt-out", "add", person(4), "--topic", "newsletter")
    run("opt-out", "add", person(5), "--topic", "surveys")
    run("opt-out", "add", "somebody@elsewhere.example")
    order(
        sent,
        "INSERT INTO delivery_event (delivery_id, kind, source, fingerprint, detail, at) "
        "SELECT id, 'bounced', 'mailbox', 'x', '', '2021-11-02 12:00:00.000000' FROM delivery WHERE contact_id = 5",
    )
    monkeypatch.setenv("MLGROUP_NOW", "2021-12-03T10:00:00+00:00")
    run("opt-out", "add", person(5))
    found = run("report", LETTER, "--json").json
    assert found["opt_outs_after"] == [
        {
            "kind": "opt_out",
            "restriction": "suppression",
            "people": 2,
            "on_all": 1,
            "median_seconds": 0.0,
            "max_seconds": 0.0,
        }
    ]
    assert found["events"] == {"bounced": 1}


def test_how_soon_opt_outs_were_in_effect_is_told(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One person was entered at once, another's letter lay for two days before it was imported."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-05T10:00:00+00:00")
    run("opt-out", "add", person(1))
    (sent / "letters.csv").write_text(f"address,at\n{person(4)},2021-11-03T10:00:00+00:00\n", encoding="utf-8")
    run("opt-out", "import", sent / "letters.csv")
    (found,) = run("report", LETTER, "--json").json["opt_outs_after"]
    assert (found["median_seconds"], found["max_seconds"]) == (24 * 3600, 48 * 3600)
    page = page_of(run)
    assert "how soon it was in effect" in page
    assert "24 h" in page
    assert "2 days" in page


def test_a_late_opt_out_that_cites_the_mailing_counts(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-12-03T10:00:00+00:00")
    run("opt-out", "add", person(5))
    order(sent, "UPDATE suppression SET evidence = 'reply to letter/issue' WHERE contact_id = 5")
    assert run("report", LETTER, "--json").json["opt_outs_after"][0]["people"] == 1


def test_a_bounce_counts_by_the_mailbox(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T11:00:00+00:00")
    order(sent, "DELETE FROM suppression")
    run("opt-out", "add", person(1))
    order(sent, f"UPDATE suppression SET kind = 'bounce', contact_id = NULL, address_key = '{person(1)}'")
    (found,) = run("report", LETTER, "--json").json["opt_outs_after"]
    assert (found["kind"], found["people"]) == ("bounce", 1)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ((), "its audience is still open"),
        ((("plan",),), "Nothing has been tried yet."),
        ((("plan",), ("cancel",)), "cancelled before they went"),
    ],
    ids=["approved", "planned", "cancelled"],
)
def test_a_mailing_that_has_not_gone_says_so(
    run: Run, letter: Path, before: tuple[tuple[str, ...], ...], said: str
) -> None:
    for command in before:
        assert run(*command, LETTER).code == 0
    assert said in page_of(run)
    assert run("report", LETTER, "--json").code == 0


def test_a_draft_says_what_to_do_next(run: Run, letter: Path) -> None:
    (letter / "campaigns" / "next").mkdir()
    text = (letter / "campaigns" / "letter" / "campaign.md").read_text(encoding="utf-8")
    (letter / "campaigns" / "next" / "campaign.md").write_text(text, encoding="utf-8")
    result = run("report", "next/issue")
    assert result.code == 0
    assert "mlgroup-mail approve next/issue" in Path(result.out.strip()).read_text(encoding="utf-8")


def test_a_mailing_to_nobody_says_so(run: Run, letter: Path) -> None:
    order(letter, "UPDATE contact SET status = 'guest'")
    run("plan", LETTER)
    assert "Nobody is in its audience" in page_of(run)


def test_a_mailing_that_there_is_not_is_an_error(run: Run, letter: Path) -> None:
    assert run("report", "letter/other").code == 2
    assert not (letter / "var" / "reports").exists()


def test_it_goes_where_one_wants_it(run: Run, sent: Path) -> None:
    result = run("report", LETTER, "--out", "here/and/there.html")
    assert result.out.strip() == "here/and/there.html"
    assert Path("here/and/there.html").is_file()
    Path("here/file").write_text("", encoding="utf-8")
    result = run("report", LETTER, "--out", "here/file/page.html")
    assert (result.code, "the report cannot be written to here/file/page.html" in result.text) == (2, True)


@pytest.fixture
def troubled(run: Run, letter: Path) -> Path:
    """A mailing to forty people at twenty domains with long names, in many countries, with everything in it."""
    toml = letter / "contacts" / "contacts.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('topics = "Topics"', 'topics = "Topics", country = "C"'))
    countries = [
        "Ireland",
        "Bosnia and Herzegovina",
        "Türkiye",
        "Mexico",
        "Côte d'Ivoire",
        "FR",
        "DE",
        "SE",
        "NO",
        "EE",
    ]
    lines = ["Email,Name,Topics,C"]
    for number in range(40):
        domain = f"{'the-very-long-name-of-an-office-' * (number % 2)}{number % 20}.example"
        lines.append(f"p{number}@{domain},P,,{countries[number % 10]}")
    (letter / "contacts" / "members.csv").write_text("\n".join(lines), encoding="utf-8")
    run("contacts", "pull", "--accept-changes")
    run("opt-out", "add", "p7@7.example")
    run("approve", LETTER, "--by", "the editor of a newsletter with a rather long name <editor@office.example>")
    run("send", LETTER, "--live")
    for state, first in (("refused", 10), ("deferred", 15), ("uncertain", 20)):
        order(
            letter,
            f"UPDATE delivery SET state = '{state}', reason = '{'451-4.7.1_a_word_that_never_ends_' * 3}' "
            f"WHERE contact_id BETWEEN {first + 6} AND {first + 9}",
        )
    order(letter, "UPDATE mailing SET state = 'sending'")
    run("pause", LETTER, "--reason", "a figure is wrong", "--by", "Anna")
    return letter


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_read_it(run: Run, troubled: Path, chromium: Chromium, dark: bool) -> None:
    page = Path(run("report", LETTER).out.strip())
    for width in (WIDE, NARROW):
        found = violations(chromium, page, width=width, dark=dark)
        # Over a drawing axe cannot tell the ground.
        assert [each for each in found if "color-contrast: <text" not in each] == []


@pytest.mark.parametrize("width", [WIDE, 600, NARROW, SMALLEST])
def test_nothing_stands_out_to_the_side(run: Run, troubled: Path, chromium: Chromium, width: int) -> None:
    page = Path(run("report", LETTER).out.strip())
    found = chromium.evaluate(
        page,
        """({
            page: document.documentElement.scrollWidth,
            outside: [...document.querySelectorAll("body *")].filter(each => {
                const box = each.getBoundingClientRect();
                return box.width && (box.right > innerWidth + 1 || box.left < -1);
            }).map(each => each.outerHTML.slice(0, 100)),
        })""",
        width=width,
    )
    assert found == {"page": width, "outside": []}


def test_names_and_numbers_of_a_plot_do_not_lie_upon_each_other(run: Run, troubled: Path, chromium: Chromium) -> None:
    page = Path(run("report", LETTER).out.strip())
    overlapping = """[...document.querySelectorAll("svg")].flatMap(plot => {
        const boxes = [...plot.querySelectorAll("text")].map(each => [each.textContent, each.getBoundingClientRect()]);
        return boxes.flatMap(([name, a], index) => boxes.slice(index + 1).filter(([_, b]) =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 6 && b.top < a.bottom - 6
        ).map(([other]) => name + " / " + other));
    })"""
    assert chromium.evaluate(page, overlapping, width=NARROW) == []


def test_each_plot_has_a_name_and_its_numbers_in_a_table(run: Run, sent: Path) -> None:
    page = page_of(run)
    titles = dict(re.findall(r'<title id="([^"]+)-title">([^<]+)', page))
    assert titles.keys() == {"outcomes", "exclusions", "countries", "domains"}
    assert re.findall(r'aria-labelledby="(\w+)-title"', page) == list(titles)
    captions = re.findall(r"<caption>([^<]+)", page)
    assert [title for title in titles.values() if not any(title.startswith(each) for each in captions)] == []


def test_a_second_report_takes_the_place_of_the_first(run: Run, sent: Path) -> None:
    run("report", LETTER)
    write_list(sent, [])
    run("report", LETTER)
    assert [file.name for file in (sent / "var" / "reports").iterdir()] == ["letter-issue.html"]
