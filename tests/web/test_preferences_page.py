"""The page of topics over the wire: what it shows, what saving does, and who may save."""

import json
import re

import pytest

from tests.acceptance.projects import person
from tests.cli.conftest import Run
from tests.web.readers import ONE_CLICK, TOPICS, Pages, dump, every, preferences_token, rules, token
from tests.web.test_opt_out_page import buttons, text_of

ALL_ON = ",".join(TOPICS[:-1])


def save(pages: Pages, contact_id: int, on: str, *, was: str = ALL_ON, left_all: bool = False) -> str:
    """Save the page of topics, where `was` had been shown as on, or that all was left, and `on` is ticked now."""
    ticked = {f"on-{topic}": "on" for topic in on.split(",") if topic}
    data = {"shown": ",".join(TOPICS), "was": was, **ticked} | ({"left-all": "yes"} if left_all else {})
    return pages.ask("POST", f"/preferences/{preferences_token(contact_id)}", data=data).text


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="on-([\w-]+)" value="on" checked', page))


def test_the_opt_out_page_leads_to_the_topics(pages: Pages) -> None:
    found = re.search(r'href="\.\.(/preferences/[a-z2-7]+)"', pages.get(token(1)).text)
    assert found
    page = pages.ask("GET", found[1])
    assert page.status_code == 200
    assert "This link is for p…@office.example . If that is not you, the mail was forwarded" in text_of(page.text)
    assert person(1) not in page.text
    assert ticked(page.text) == set(TOPICS) - {"board"}
    assert buttons(page.text) == ["Save"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(pages: Pages, method: str) -> None:
    before = dump(pages.app.store)
    pages.ask(method, f"/preferences/{preferences_token(1)}?shown=newsletter&was=newsletter")
    assert dump(pages.app.store) == before


def test_what_is_saved_is_what_is_shown_and_done(pages: Pages, run: Run) -> None:
    page = save(pages, 1, "newsletter,board")
    assert "It is saved." in text_of(page)
    assert ticked(page) == {"newsletter", "board"}
    assert {topic for _, topic, _, _ in rules(pages.app.store)} == set(TOPICS) - {"newsletter", "board"}
    assert "They have turned on for themselves: board." in run("explain", person(1)).text
    assert json.loads(run("explain", person(1), "--json").out)["chosen_topics"] == ["board"]
    assert run("verify").code == 0
    page = save(pages, 1, ALL_ON, was="newsletter,board")
    assert ticked(page) == set(TOPICS) - {"board"}


def test_no_pull_takes_a_choice_away(pages: Pages, run: Run) -> None:
    save(pages, 1, f"{ALL_ON},board")
    assert run("contacts", "pull").code == 0
    assert "board" in ticked(pages.ask("GET", f"/preferences/{preferences_token(1)}").text)


def test_a_page_that_is_older_than_an_opt_out_does_not_undo_it(pages: Pages) -> None:
    pages.post(token(1), ONE_CLICK)
    page = save(pages, 1, f"{ALL_ON},board")
    assert ticked(page) == set(TOPICS) - {"newsletter"}


def test_who_has_left_everything_turns_on_single_topics(pages: Pages) -> None:
    pages.post(token(1), {"scope": "all"})
    page = pages.ask("GET", f"/preferences/{preferences_token(1)}").text
    assert "You have left all our mail." in text_of(page)
    assert ticked(page) == set()
    assert '<input type="hidden" name="left-all" value="yes">' in page
    assert ticked(save(pages, 1, "calls", was="", left_all=True)) == {"calls"}


@pytest.mark.parametrize("left", ["by one click", "on the page"])
def test_a_page_from_before_everything_was_left_turns_nothing_on(pages: Pages, left: str) -> None:
    """It was open with the board off; then they left all mail; the old page is saved with the board ticked."""
    page = pages.ask("GET", f"/preferences/{preferences_token(1)}").text
    assert "left-all" not in page
    pages.post(every(1), ONE_CLICK if left == "by one click" else {"scope": "all"})
    before = dump(pages.app.store)
    page = save(pages, 1, f"{ALL_ON},board")
    assert "Nothing has been changed: all our mail was left after this page had been opened." in text_of(page)
    assert "It is saved" not in text_of(page)
    assert ticked(page) == set()
    assert dump(pages.app.store) == before
    assert ticked(save(pages, 1, "board", was="", left_all=True)) == {"board"}, "the page that they see now knows it"


def test_who_turns_off_everything_is_told_that_nothing_comes(pages: Pages) -> None:
    page = text_of(save(pages, 1, ""))
    assert "It is saved. You get no mail from us now." in page
    assert "something new, that may reach you, unless you leave all our mail." in page
    assert "What is ticked below" not in page


def test_mail_of_an_office_stands_apart_from_news(pages: Pages) -> None:
    """The board's updates are statutory in the sample project."""
    page = pages.ask("GET", f"/preferences/{preferences_token(1)}").text
    news, office = re.findall(r"<fieldset>.*?</fieldset>", page, re.DOTALL)
    assert "on-board" not in news
    assert "on-newsletter" in news
    assert "Mail that belongs to an office" in office
    assert re.findall(r'name="on-([\w-]+)"', office) == ["board"]
    page = text_of(pages.get(every(1)).text)
    assert "That is: Monthly newsletter · " in page
    assert "Mail that belongs to an office ends as well: Updates to the Executive Board." in page
    assert "To keep it, choose your topics one by one." in page
    page = text_of(pages.get(token(1, topic="board")).text)
    assert "This mail belongs to an office: we shall have to tell you in another way." in page
    page = text_of(pages.post(every(1), {"scope": "all"}).text)
    assert "Mail that belongs to an office has ended as well: Updates to the Executive Board." in page
    assert "belongs to an office" not in text_of(pages.get(token(2)).text).partition("Leave all our mail")[0]


def test_what_the_team_has_said_cannot_be_turned_on(pages: Pages, run: Run) -> None:
    assert run("opt-out", "add", person(1), "--topic", "calls", "--reason", "by phone").code == 0
    page = pages.ask("GET", f"/preferences/{preferences_token(1)}").text
    assert "Only we can turn this on again: write to us." in text_of(page)
    assert "calls" not in ticked(save(pages, 1, ALL_ON, was=""))
    assert rules(pages.app.store) == [(1, "calls", "hand", True)]


def test_a_link_to_opt_out_is_none_to_choose_and_the_other_way_round(pages: Pages) -> None:
    before = dump(pages.app.store)
    fields = {"shown": ",".join(TOPICS), "was": ALL_ON}
    assert "This link does not work" in pages.ask("POST", f"/preferences/{token(1)}", data=fields).text
    assert "This link does not work" in pages.post(preferences_token(1), {"scope": "all"}).text
    assert pages.post(preferences_token(1), ONE_CLICK).status_code == 200
    assert dump(pages.app.store) == before


@pytest.mark.parametrize(
    "data", [{}, {"was": ALL_ON}, {"on-board": "on"}, ONE_CLICK, {"shown": "", "was": ""}, {"shown": "nothing of ours"}]
)
def test_what_is_no_form_of_ours_changes_nothing(pages: Pages, data: dict[str, str]) -> None:
    before = dump(pages.app.store)
    assert pages.ask("POST", f"/preferences/{preferences_token(1)}", data=data).status_code in {200, 400}
    assert dump(pages.app.store) == before


def test_an_erased_persons_link_shows_nothing_and_changes_nothing(pages: Pages, run: Run) -> None:
    save(pages, 1, f"{ALL_ON},board")
    key = {"MLGROUP_ERASURE_KEY": "e" * 40}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLGROUP_ERASURE_KEY", key["MLGROUP_ERASURE_KEY"])
        assert run("person", "erase", person(1), "--reason", "asked to").code == 0
    before = dump(pages.app.store)
    assert before["preference"] == []
    assert "This link does not work" in save(pages, 1, "")
    assert dump(pages.app.store) == before


def test_what_we_hold_of_a_person_has_their_choices(pages: Pages, run: Run) -> None:
    save(pages, 1, f"{ALL_ON},board")
    assert '"board"' in run("person", "export", person(1), "--json").out


def test_the_page_may_show_nothing_from_elsewhere_and_keeps_no_trace(pages: Pages) -> None:
    headers = pages.ask("GET", f"/preferences/{preferences_token(1)}").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
