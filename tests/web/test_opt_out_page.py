"""The opt-out page and its buttons: what a reader sees and what each press does. Looking changes nothing."""

import asyncio
import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.web.pages import limits
from tests.acceptance.projects import person, write_list
from tests.cli.conftest import Run
from tests.factories import NOON
from tests.web.readers import ONE_CLICK, Pages, dump, every, pages_at, rules, token

NEWSLETTER, EVERYTHING = "Leave “Monthly newsletter”", "Leave all our mail"


def text_of(page: str) -> str:
    """What is read on a page, in one line, without its footer."""
    main = page[page.index("<main>") : page.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main.replace("<bdi>", "").replace("</bdi>", ""))).split())


def buttons(page: str) -> list[str]:
    return [html.unescape(re.sub(r"<[^>]*>", "", each)) for each in re.findall(r"<button.*?</button>", page)]


def test_the_page_says_whose_it_is_and_offers_topic_and_everything(pages: Pages) -> None:
    answer = pages.get(token(1))
    assert answer.status_code == 200
    assert "This link is for p…@office.example . If that is not you, the mail was forwarded" in text_of(answer.text)
    assert person(1) not in answer.text
    assert buttons(answer.text) == [NEWSLETTER, EVERYTHING]
    assert "Updates to the Executive Board" in text_of(answer.text), "what everything is, is said before the press"


def test_a_topic_is_left_and_the_others_go_on(pages: Pages) -> None:
    page = pages.post(token(1), {"scope": "topic"})
    assert page.status_code == 200
    assert text_of(page.text).startswith("Machine Learning Group You have left “Monthly newsletter”")
    assert buttons(page.text) == [EVERYTHING, "Take it back"]
    assert rules(pages.app.store) == [(1, "newsletter", "page", True)]


def test_everything_is_left(pages: Pages) -> None:
    page = pages.post(token(1), {"scope": "all"})
    assert "You have left all our mail" in text_of(page.text)
    assert buttons(page.text) == ["Take it back"]
    assert rules(pages.app.store) == [(1, ALL_TOPICS, "page", True)]


def test_the_link_out_of_everything_offers_no_topic(pages: Pages) -> None:
    assert buttons(pages.get(every(1)).text) == [EVERYTHING]
    assert pages.post(every(1), {"scope": "topic"}).status_code == 200
    assert rules(pages.app.store) == [(1, ALL_TOPICS, "page", True)]


@pytest.mark.parametrize("scope", ["topic", "all"])
def test_what_was_left_is_taken_back_and_nothing_else(pages: Pages, scope: str, run: Run) -> None:
    other = {"topic": "all", "all": "topic"}[scope]
    for each in (scope, other):
        pages.post(token(1), {"scope": each})
    page = pages.post(token(1), {"undo": scope})
    headline = {"topic": "Your opt-out is taken back", "all": "You get our other mail again"}
    assert headline[scope] in text_of(page.text)
    topics = {"topic": "newsletter", "all": ALL_TOPICS}
    assert rules(pages.app.store) == [(1, topics[scope], "page", False), (1, topics[other], "page", True)]
    page = pages.post(token(1), {"undo": other})
    assert "You get" in text_of(page.text)
    assert "again" in text_of(page.text)
    assert run("verify").code == 0


def test_one_click_is_taken_back_on_the_page(pages: Pages) -> None:
    pages.post(token(1), ONE_CLICK)
    page = pages.get(token(1)).text
    assert "We send no mail about “Monthly newsletter” to this address." in text_of(page)
    assert buttons(page) == [EVERYTHING, "Take it back"]
    pages.post(token(1), {"undo": "topic"})
    assert rules(pages.app.store) == [(1, "newsletter", "page", False)]


def test_a_link_of_another_mailing_takes_it_back_too(pages: Pages) -> None:
    pages.post(token(1, mailing_id=1), ONE_CLICK)
    pages.post(token(1, mailing_id=2), ONE_CLICK)
    pages.post(token(1, mailing_id=2), {"undo": "topic"})
    assert [stands for *_, stands in rules(pages.app.store)] == [False]


@pytest.mark.parametrize("order", [("opt-out", "add", person(2), "--reason", "asked by phone")])
def test_what_came_by_another_road_is_not_taken_back_here(pages: Pages, run: Run, order: tuple[str, ...]) -> None:
    assert run(*order).code == 0
    before = dump(pages.app.store)
    page = pages.get(token(2)).text
    assert "We send no mail to this address." in text_of(page)
    assert "only we can change" in text_of(page)
    assert buttons(page) == []
    page = pages.post(token(2), {"undo": "all"}).text
    assert "Your opt-out stays as it was" in text_of(page)
    assert dump(pages.app.store) == before


def test_what_they_have_asked_for_by_mail_is_theirs_to_take_back(pages: Pages) -> None:
    """As on the page of topics: two pages say the same of one opt-out."""
    by_mail = Signal(
        kind=SignalKind.OPT_OUT, topic="newsletter", road=Road.MAILBOX, at=NOON, contact_id=1, evidence="a reply"
    )
    apply_signal(pages.app.store, by_mail, now=NOON)
    assert buttons(pages.get(token(1)).text) == [EVERYTHING, "Take it back"]
    assert "You get “Monthly newsletter” again" in text_of(pages.post(token(1), {"undo": "topic"}).text)
    assert rules(pages.app.store) == [(1, "newsletter", "mailbox", False)]


def test_nobody_takes_back_what_another_reader_asked_for(pages: Pages) -> None:
    pages.post(token(1), {"scope": "all"})
    before = dump(pages.app.store)
    pages.post(token(2), {"undo": "all"})
    pages.post(every(3), {"undo": "all"})
    assert dump(pages.app.store) == before


def test_a_reader_who_moved_is_found_by_their_old_link(pages: Pages, readers: Path, run: Run) -> None:
    write_list(readers, [(person(number), "", "") for number in range(2, 7)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    moved = run("person", "move", person(1), person(2), "--reason", "one person")
    assert moved.code == 0, moved.text
    for number in (1, 2):
        assert "p…@office.example" in pages.get(token(number)).text
    pages.post(token(2), {"scope": "topic"})
    assert rules(pages.app.store) == [(1, "newsletter", "page", True)], "row 2 proved to be person 1"
    page = pages.post(token(1), {"undo": "topic"}).text
    assert "You get “Monthly newsletter” again" in text_of(page)
    assert run("verify").code == 0


def test_reloading_the_answer_does_the_same_once_more_and_nothing_more(pages: Pages) -> None:
    pages.post(token(1), {"scope": "topic"})
    before = dump(pages.app.store)
    again = pages.post(token(1), {"scope": "topic"})
    assert "You have left" in text_of(again.text)
    assert dump(pages.app.store) == before


def test_a_post_that_presses_no_button_says_so(pages: Pages) -> None:
    before = dump(pages.app.store)
    answer = pages.post(token(1), {"scope": "everybody"})
    assert answer.status_code == 400
    assert "Nothing has been changed yet" in text_of(answer.text)
    assert buttons(answer.text) == [NEWSLETTER, EVERYTHING]
    assert dump(pages.app.store) == before


def test_a_page_takes_nothing_from_elsewhere_and_leaves_no_trace(pages: Pages) -> None:
    for answer in (pages.get(token(1)), pages.post(token(1), {"scope": "topic"}), pages.get("x"), pages.get("y/z")):
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers
        assert not re.search(r"<script|\bon\w+=|style=|(src|srcset|action|href)=\"(https?:)?//", answer.text)


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("", "pl,de;q=0.5,fr;q=0.7", "fr"),
        ("", "de;q=0, it;q=0.1", "it"),
        ("", "xx;q=z,,;q=1,*;q=0.1", "en"),
        ("", "pt-BR", "pt"),
        ("?lang=ar", "fr", "ar"),
        ("?lang=../../etc", "ko", "ko"),
        ("?lang=" + "a-" * 500, "zh-Hans-CN", "zh"),
    ],
)
def test_a_page_speaks_the_language_that_was_chosen_or_the_browser_s(
    pages: Pages, query: str, accepted: str, language: str
) -> None:
    page = pages.get(token(1) + query, headers={"Accept-Language": accepted}).text
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in page


def test_a_browser_that_asks_for_nothing_gets_the_language_of_the_list(pages: Pages) -> None:
    with pages.app.store.writing() as connection:
        connection.exec_driver_sql("UPDATE contact SET language = 'es-MX' WHERE id = 1")
    assert '<html lang="es"' in pages.get(token(1)).text


def test_a_chosen_language_stays_through_the_buttons(pages: Pages) -> None:
    """The forms go to the address that was opened, with its query."""
    page = pages.get(token(1) + "?lang=fr").text
    assert "<form" in page
    assert "action=" not in page
    assert "Vous êtes désabonné" in text_of(pages.post(token(1) + "?lang=fr", {"scope": "all"}).text)


def test_names_of_topics_and_group_cannot_break_the_page(readers: Path, run: Run) -> None:
    settings = readers / "mlgroup.toml"
    text = settings.read_text(encoding="utf-8").replace("Monthly newsletter", "<script>alert(1)</script> % &amp; “")
    settings.write_text(text.replace('name = "Machine Learning Group"', 'name = "A <b> & %(c)s"', 1), encoding="utf-8")
    with pages_at(readers) as pages:
        page = pages.get(token(1))
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "Leave “<script>alert(1)</script> % &amp; “”" in buttons(page.text)[0]


def test_a_project_s_own_page_comes_before_the_shipped_one(readers: Path, run: Run) -> None:
    own = readers / "templates" / "pages"
    own.mkdir(parents=True)
    (own / "layout.html.j2").write_text(
        '{% extends "shipped/pages/layout.html.j2" %}{% block footer %}<p>Our own words</p>{% endblock %}',
        encoding="utf-8",
    )
    with pages_at(readers) as pages:
        page = pages.get(token(1)).text
    assert "Our own words" in page
    assert buttons(page) == [NEWSLETTER, EVERYTHING]
    checked = run("check", "letter", "--json").json["findings"]
    assert "changes nothing" not in repr(checked), "it is no template of mails that nothing names"


def test_a_page_of_the_project_s_own_that_cannot_be_used_is_one_clear_error(readers: Path, run: Run) -> None:
    own = readers / "templates" / "pages"
    own.mkdir(parents=True)
    (own / "opt-out.html.j2").write_text("\n{% if %}", encoding="utf-8")
    refused = run("web", "--port", "0")
    assert refused.code == 2
    assert "templates/pages/opt-out.html.j2, line 2" in refused.text


def test_without_a_key_there_are_no_pages_and_the_reason_is_said(readers: Path, run: Run) -> None:
    (readers / ".env").unlink()
    refused = run("web", "--port", "0")
    assert refused.code == 2
    assert "MLGROUP_SECRET_KEYS" in refused.text


def test_the_logos_lie_beside_the_pages_under_the_path_of_the_public_address(pages: Pages) -> None:
    found = set(re.findall(r"/group/look/[0-9a-f]{32}\.png", pages.get(token(1)).text))
    assert len(found) == 4
    for address in found:
        assert pages.ask("GET", address).headers["content-type"] == "image/png"
        assert pages.ask("GET", address.removeprefix("/group")).status_code == 200, "a proxy may take the path off"
    assert pages.ask("GET", "/look/../../mlgroup.toml").status_code == 404


def test_the_path_of_the_public_address_is_honoured_wherever_the_proxy_leaves_it(pages: Pages) -> None:
    for path in (f"/opt-out/{token(1)}", f"/group/opt-out/{token(1)}"):
        assert "This link is for" in pages.ask("GET", path).text
    assert pages.ask("GET", f"/other/opt-out/{token(1)}").status_code == 404
    assert pages.ask("GET", f"/opt-out/{token(1)}/").status_code == 404, "no redirection to a host that a request names"


def test_what_a_proxy_says_about_the_reader_is_neither_believed_nor_needed(pages: Pages) -> None:
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    plain = pages.get(token(1))
    assert pages.get(token(1), headers=told | {"Host": "evil.example"}).text == plain.text


def test_so_many_people_may_look_at_once_and_the_others_are_asked_to_wait(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAY_WAIT", 2)
    looks = [("GET", f"/opt-out/{token(1)}", {})] * 40
    clicks = [("POST", f"/opt-out/{token(number)}", {"data": ONE_CLICK}) for number in range(1, 7)]
    answers = pages.ask_all([*looks, *clicks])
    assert {answer.status_code for answer in answers[:40]} == {200, 429}
    assert {answer.status_code for answer in answers[40:]} == {200}, "one click is never one too many"


def test_who_only_looks_does_not_wait_for_those_who_take_something_back(pages: Pages) -> None:
    for number in range(1, 7):
        pages.post(token(number), ONE_CLICK)
    held, through = threading.Event(), threading.Event()

    def pull() -> None:
        with pages.app.store.deciding():
            held.set()
            through.wait(30)

    async def meanwhile() -> None:
        undoing = [
            asyncio.create_task(pages.asking([("POST", f"/opt-out/{token(number)}", {"data": {"undo": "topic"}})]))
            for number in range(1, 7)
        ]
        try:
            await asyncio.sleep(0.2)
            looks = [("GET", f"/opt-out/{token(number)}", {}) for number in range(1, 7)]
            answers = await asyncio.wait_for(pages.asking(looks), 20)
        finally:
            through.set()
            await asyncio.gather(*undoing)
        assert {answer.status_code for answer in answers} == {200}

    with ThreadPoolExecutor() as threads:
        long = threads.submit(pull)
        assert held.wait(30)
        asyncio.run(meanwhile())
        long.result()
    assert {stands for *_, stands in rules(pages.app.store)} == {False}


def test_no_address_token_or_name_is_logged(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="mlgroup_mail")
    pages.post(token(1), ONE_CLICK)
    pages.post(token(1), {"undo": "topic"})
    for _ in range(300):
        pages.get(token(1)[:-1])
    assert "person1" not in caplog.text
    assert token(1)[:20] not in caplog.text
    assert "a key that is lost" in caplog.text, "that a key is gone would show"


def test_every_language_has_a_page_of_its_own(pages: Pages) -> None:
    seen = set()
    for language in ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh"):
        seen.add(text_of(pages.get(f"{token(1)}?lang={language}").text))
    assert len(seen) == 11
