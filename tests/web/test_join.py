"""Joining: the form tells nothing about anybody, the mail asks, the button confirms, and a welcome follows."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.store import schema
from mlgroup_mail.web.pages import join
from mlgroup_mail.web.pages.limits import WRONG_AT_ONCE
from mlgroup_mail.web.postman import Postman
from tests.acceptance.projects import person, through
from tests.cli.conftest import Run
from tests.servers.smtp_sink import SmtpSink
from tests.web.joiners import JOIN, NEWCOMER, ask, link_in, mails, open_the_door, send
from tests.web.readers import ONE_CLICK, Pages, dump, every, pages_at, rules, token
from tests.web.test_opt_out_page import buttons, text_of


@pytest.fixture(autouse=True)
def nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails go when a test says so, not when a thread gets its turn."""
    monkeypatch.setattr(Postman, "wake", lambda self: None)


@pytest.fixture
def door(readers: Path) -> Path:
    return open_the_door(readers)


@pytest.fixture
def pages(door: Path) -> Iterator[Pages]:
    with pages_at(door) as found:
        yield found


def confirmed(pages: Pages, address: str = NEWCOMER, **more: str) -> str:
    """Ask, and press the button that the mail leads to; returns what that shows."""
    ask(pages, address, **more)
    send(pages)
    page = pages.ask("POST", link_in(mails(pages, "confirmation")[-1], "join"), data={"join": "yes", **more}).text
    send(pages)
    return page


def filled(page: str) -> dict[str, str]:
    """What stands in the fields of a form."""
    return {name: html.unescape(value) for name, value in re.findall(r'<input name="(\w+)" value="([^"]*)"', page)}


def people(pages: Pages) -> list[tuple[str, str, str]]:
    """(name, organisation, country) of everybody."""
    table = schema.contact.c
    with pages.app.store.reading() as connection:
        found = connection.execute(select(table.name, table.organisation, table.country).order_by(table.id)).all()
    return [(row.name, row.organisation, row.country) for row in found]


def contacts(pages: Pages) -> list[tuple[str, str, str, bool]]:
    """(address, source, origin, on the list) of everybody."""
    table = schema.contact.c
    with pages.app.store.reading() as connection:
        found = connection.execute(
            select(table.address, table.source, table.origin, table.left_at).order_by(table.id)
        ).all()
    return [(row.address, row.source, row.origin, row.left_at is None) for row in found]


def later(pages: Pages, by: timedelta) -> None:
    """What was asked was asked so long before."""
    table = schema.join_request
    with pages.app.store.writing() as connection:
        for key, asked_at in connection.execute(select(table.c.id, table.c.asked_at)).all():
            connection.execute(update(table).where(table.c.id == key).values(asked_at=asked_at - by))
        sent = schema.courtesy
        for key, begun_at in connection.execute(select(sent.c.id, sent.c.begun_at)).all():
            connection.execute(update(sent).where(sent.c.id == key).values(begun_at=begun_at - by))


def test_without_the_table_nobody_can_join(readers: Path) -> None:
    with pages_at(readers) as pages:
        assert pages.ask("GET", "/join").status_code == 404
        assert pages.ask("POST", "/join", data={"address": NEWCOMER}).status_code == 404


def test_the_whole_way(pages: Pages, run: Run) -> None:
    before = dump(pages.app.store)["contact"]
    assert "Look into your mailbox" in ask(pages, name="Ines Ito", organisation="Office of Numbers", country="Portugal")
    send(pages)
    (mail,) = mails(pages, "confirmation")
    assert mail["To"] == NEWCOMER
    assert mail["Auto-Submitted"] == "auto-generated"
    for form in ("html", "plain"):
        body = mail.get_body((form,))
        assert body is not None
        assert "Ines" not in body.get_content(), "what somebody has filled in does not reach whoever has that mailbox"
    link = link_in(mail, "join")
    assert NEWCOMER.partition("@")[0] not in link
    page = pages.ask("GET", link).text
    assert "n…@office.example" in page
    assert buttons(page) == ["Yes, I want to join"]
    assert filled(page) == {"name": "Ines Ito", "organisation": "Office of Numbers", "country": "Portugal"}
    assert dump(pages.app.store)["contact"] == before, "looking joins nobody"
    page = pages.ask("POST", link, data={"join": "yes", **filled(page)}).text
    assert "You get: Monthly newsletter · All-group meetings." in text_of(page)
    send(pages)
    (welcome,) = mails(pages, "welcome")
    assert welcome["To"] == f'"Ines Ito" <{NEWCOMER}>' or "Ines Ito" in str(welcome["To"])
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert pages.ask("GET", link_in(welcome, "preferences")).status_code == 200
    assert contacts(pages)[-1] == (NEWCOMER, "join", "page", True)
    assert f"{NEWCOMER} is contact" in run("explain", NEWCOMER).text
    assert run("verify").code == 0


def test_pressing_twice_joins_once_and_welcomes_once(pages: Pages) -> None:
    confirmed(pages)
    link = link_in(mails(pages, "confirmation")[0], "join")
    assert "You are on the list" in pages.ask("POST", link, data={"join": "yes"}).text
    send(pages)
    assert len(mails(pages, "welcome")) == 1
    assert len([each for each in contacts(pages) if each[0] == NEWCOMER]) == 1


def test_what_a_stranger_has_filled_in_is_seen_and_changed_before_it_is_kept(pages: Pages) -> None:
    ask(pages, name="Buy cheap watches", organisation="Casino", country="Portugal")
    send(pages)
    link = link_in(mails(pages, "confirmation")[0], "join")
    assert filled(pages.ask("GET", link).text)["name"] == "Buy cheap watches"
    pages.ask("POST", link, data={"join": "yes", "name": "Ines Ito", "organisation": "", "country": "Japan"})
    assert people(pages)[-1] == ("Ines Ito", "", "JP")
    send(pages)
    (welcome,) = mails(pages, "welcome")
    assert "Ines Ito" in str(welcome["To"])
    assert "watches" not in str(dump(pages.app.store))


def test_what_is_not_pressed_with_the_button_is_not_kept(pages: Pages) -> None:
    ask(pages, name="Buy cheap watches")
    send(pages)
    pages.ask("POST", link_in(mails(pages, "confirmation")[0], "join"), data={"join": "yes"})
    assert people(pages)[-1] == ("", "", "")
    assert "watches" not in str(dump(pages.app.store))


def test_a_stranger_fills_in_nothing_of_whom_we_know(pages: Pages) -> None:
    ask(pages, person(1), organisation="Casino", country="Portugal")
    send(pages)
    page = pages.ask("GET", link_in(mails(pages, "confirmation")[0], "join")).text
    assert filled(page) == {"name": "", "organisation": "Casino", "country": "Portugal"}, "and nothing that we know"
    link = link_in(mails(pages, "confirmation")[0], "join")
    pages.ask("POST", link, data={"join": "yes", "name": "", "organisation": "", "country": ""})
    assert people(pages)[0][1:] == ("", "")


@pytest.mark.parametrize("language", ["en", "ar", "ja", "ko", "zh", "ru"])
def test_a_country_that_is_left_as_it_stands_is_kept_in_every_language(pages: Pages, language: str) -> None:
    ask(pages, country="Portugal")
    send(pages)
    link = f"{link_in(mails(pages, 'confirmation')[0], 'join')}?lang={language}"
    shown = filled(pages.ask("GET", link).text)
    assert shown["country"]
    pages.ask("POST", link, data={"join": "yes", **shown})
    assert people(pages)[-1] == ("", "", "PT")


def test_a_link_that_was_pressed_says_so_when_it_is_opened_again(pages: Pages) -> None:
    confirmed(pages)
    link = link_in(mails(pages, "confirmation")[0], "join")
    before = dump(pages.app.store)
    page = pages.ask("GET", link).text
    assert "You are on the list. You get: Monthly newsletter · All-group meetings." in text_of(page)
    assert buttons(page) == []
    assert dump(pages.app.store) == before
    pages.post(every(7), {"scope": "all"})
    page = text_of(pages.ask("GET", link).text)
    assert "You have joined already" in page
    assert "You have left our mail since." in page


def test_a_flood_of_wrong_links_shuts_out_no_right_one(door: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "WRONG_A_SECOND", 0)
    with pages_at(door) as pages:
        ask(pages)
        send(pages)
        link = link_in(mails(pages, "confirmation")[0], "join")
        wrong = [pages.ask("GET", f"/join/{'a' * 32}").status_code for _ in range(WRONG_AT_ONCE + 1)]
        assert wrong == [200] * WRONG_AT_ONCE + [429]
        assert buttons(pages.ask("GET", link).text) == ["Yes, I want to join"]
        assert "You are on the list." in pages.ask("POST", link, data={"join": "yes"}).text


def test_the_answer_is_the_same_for_everybody(pages: Pages, run: Run) -> None:
    pages.post(every(2), {"scope": "all"})
    assert run("opt-out", "add", person(3), "--reason", "by phone").code == 0
    assert run("person", "erase", person(4), "--reason", "asked to").code == 0
    answers = {ask(pages, address) for address in (NEWCOMER, *(person(number) for number in (1, 2, 3, 4)), person(1))}
    assert len(answers) == 1
    assert ask(pages, "machine@office.example", website="https://casino.example") in answers


def test_whom_only_we_can_bring_back_gets_no_mail(pages: Pages, run: Run) -> None:
    assert run("opt-out", "add", person(3), "--reason", "by phone").code == 0
    ask(pages, person(3))
    send(pages)
    assert mails(pages, "confirmation") == []


def test_a_mailbox_is_asked_once_a_day(pages: Pages) -> None:
    for address in (NEWCOMER, NEWCOMER.upper(), "newcomer+one@office.example", "newcomer+two@office.example"):
        ask(pages, address)
    send(pages)
    assert len(mails(pages, "confirmation")) == 1
    later(pages, timedelta(days=1))
    ask(pages)
    send(pages)
    assert len(mails(pages, "confirmation")) == 2


def test_there_is_a_limit_for_all_together_in_an_hour(readers: Path) -> None:
    open_the_door(readers, f"{JOIN}per_hour = 2\n")
    with pages_at(readers) as pages:
        for number in range(4):
            ask(pages, f"newcomer{number}@office.example")
        send(pages)
        assert len(mails(pages, "confirmation")) == 2
        assert "Please try again in an hour." in ask(pages, person(1)), "whoever asks"


def test_a_machine_that_fills_in_everything_is_told_the_same_and_nothing_goes(pages: Pages) -> None:
    before = dump(pages.app.store)
    ask(pages, website="https://casino.example")
    assert dump(pages.app.store) == before


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a@office.example\r\nBcc: b@office.example", "<script>"])
def test_what_is_no_address_is_told_and_not_kept(pages: Pages, address: str) -> None:
    before = dump(pages.app.store)
    answer = pages.ask("POST", "/join?lang=en", data={"address": address, "name": "<b>Ines</b>"})
    assert answer.status_code == 400
    assert "This is not a mail address." in answer.text
    assert "<b>Ines" not in answer.text
    assert "<script>" not in answer.text
    assert dump(pages.app.store) == before


def test_who_had_left_and_joins_gets_what_they_joined_for_and_no_more(pages: Pages) -> None:
    pages.post(every(2), {"scope": "all"})
    assert "You are on the list." in confirmed(pages, person(2))
    standing = {(topic, road) for who, topic, road, stands in rules(pages.app.store) if who == 2 and stands}
    assert ("newsletter", "page") not in standing
    assert (ALL_TOPICS, "page") not in standing
    assert ("calls", "page") in standing, "they had left it, and did not ask for it again"


def test_a_pull_neither_removes_nor_changes_who_joined(pages: Pages, run: Run) -> None:
    confirmed(pages, name="Ines Ito")
    before = contacts(pages)[-1]
    assert run("contacts", "pull").code == 0
    assert contacts(pages)[-1] == before


def test_a_list_that_brings_them_later_means_the_same_person(pages: Pages, door: Path, run: Run) -> None:
    confirmed(pages)
    members = door / "contacts" / "members.csv"
    text = members.read_text(encoding="utf-8")
    members.write_text(f"{text}{NEWCOMER},Ines Ito,calls\n", encoding="utf-8")
    assert run("contacts", "pull").code == 0
    assert contacts(pages)[-1] == (NEWCOMER, "members", "page", True)
    assert len(contacts(pages)) == 7
    assert "for themselves: meetings, newsletter" in run("explain", NEWCOMER).text, (
        "a list takes away no wish of theirs"
    )
    members.write_text(text, encoding="utf-8")
    assert run("contacts", "pull").code == 0
    assert contacts(pages)[-1][3], "they came by themselves, and stay"


def test_an_erased_person_may_come_back_by_their_own_confirmed_wish_alone(pages: Pages, run: Run) -> None:
    assert run("person", "erase", person(4), "--reason", "asked to").code == 0
    ask(pages, person(4))
    send(pages)
    assert run("contacts", "pull").code == 0
    assert person(4) not in [address for address, *_ in contacts(pages)], "asking is not confirming"
    page = pages.ask("POST", link_in(mails(pages, "confirmation")[0], "join"), data={"join": "yes"}).text
    assert "You are on the list." in text_of(page)
    assert contacts(pages)[-1] == (person(4), "join", "page", True)
    assert run("contacts", "pull").code == 0
    assert contacts(pages)[-1][0] == person(4)
    assert run("verify").code == 0


def test_a_link_dies_after_a_week_and_nothing_is_left_of_it(pages: Pages) -> None:
    ask(pages)
    send(pages)
    link = link_in(mails(pages, "confirmation")[0], "join")
    later(pages, timedelta(days=8))
    before = dump(pages.app.store)
    assert "This link does not work" in pages.ask("POST", link, data={"join": "yes"}).text
    assert dump(pages.app.store) == before
    send(pages)
    assert NEWCOMER not in str(dump(pages.app.store))


def test_where_the_question_went_is_known_for_as_long_as_other_mail_to_whoever_has_joined(pages: Pages) -> None:
    """They may call it spam after weeks, and are on the list."""
    for address in (NEWCOMER.upper(), "stranger@else.example"):
        ask(pages, address)
        send(pages)
    pages.ask("POST", link_in(mails(pages, "confirmation")[0], "join"), data={"join": "yes"})
    later(pages, timedelta(days=8))
    send(pages)
    asked = schema.courtesy.c
    with pages.app.store.reading() as connection:
        found = connection.execute(select(asked.address).where(asked.kind == "confirmation").order_by(asked.id))
        assert [address.lower() for address in found.scalars()] == [NEWCOMER, ""]


@pytest.mark.parametrize("link", ["a" * 32, "", "x", "%00", "../join", "ä" * 32, token(1)])
def test_a_link_of_nobodys_changes_nothing(pages: Pages, link: str) -> None:
    before = dump(pages.app.store)
    for data in ({"join": "yes"}, ONE_CLICK, {}):
        assert pages.ask("POST", f"/join/{link}", data=data).status_code in {200, 400, 404}
    assert dump(pages.app.store) == before


def test_one_click_joins_nobody(pages: Pages) -> None:
    ask(pages)
    send(pages)
    before = dump(pages.app.store)
    pages.ask("POST", link_in(mails(pages, "confirmation")[0], "join"), data=ONE_CLICK)
    assert dump(pages.app.store) == before


def test_the_mails_are_in_the_language_of_the_page(pages: Pages) -> None:
    ask(pages, lang="ar")
    send(pages)
    (mail,) = mails(pages, "confirmation")
    assert mail["Content-Language"] == "ar"
    assert mail["Subject"] == "يرجى تأكيد رغبتك في تلقي رسائلنا"
    html = mail.get_body(("html",))
    assert html is not None
    assert 'dir="rtl"' in html.get_content()


def test_nothing_goes_to_whom_this_environment_may_not_write_to(
    door: Path, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pages_at(door, **through(smtp_sink, allowed_domains="office.example")) as pages:
        ask(pages, "somebody@elsewhere.example")
        ask(pages)
        send(pages)
    assert set(smtp_sink.recipients()) == {NEWCOMER}


def test_a_server_that_is_down_costs_nobody_the_question(door: Path, smtp_sink: SmtpSink) -> None:
    down = through(smtp_sink, smtp_port=9, allowed_domains="office.example")
    with pages_at(door, **down) as pages:
        ask(pages)
        with pytest.raises(Exception, match="9"):
            send(pages)
    with pages_at(door, **through(smtp_sink, allowed_domains="office.example")) as pages:
        send(pages)
        attempts = select(func.count()).select_from(schema.courtesy)
        with pages.app.store.reading() as connection:
            assert connection.execute(attempts).scalar_one() == 1
    assert set(smtp_sink.recipients()) == {NEWCOMER}


def test_an_attempt_is_durable_and_never_repeated(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlgroup_mail.delivery.transports.outbox import OutboxTransport

    ask(pages)
    with monkeypatch.context() as patch:
        patch.setattr(OutboxTransport, "send", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            send(pages)
    assert [row[6] for row in dump(pages.app.store)["courtesy"]] == ["uncertain"]
    send(pages)
    assert mails(pages, "confirmation") == []


def test_joining_needs_a_public_address_and_topics_that_there_are(readers: Path, run: Run) -> None:
    open_the_door(readers)
    with pytest.raises(ConfigurationError, match="no public address"), pages_at(readers, MLGROUP_PUBLIC_URL=""):
        pass
    settings = readers / "mlgroup.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"meetings"]\n', '"meeting"]\n'), encoding="utf-8")
    pulled = run("contacts", "pull")
    assert pulled.code == 2
    assert "“meeting”" in pulled.text
