"""Links that are not ours, or whose person is forgotten: look, status and time of a valid one, and no write."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.web.pages.limits import WRONG_AT_ONCE, Pace
from tests.acceptance.projects import person
from tests.cli.conftest import Run
from tests.web.readers import ONE_CLICK, Pages, dump, every, rules, token

VALID = token(1)
ERASURE_KEY = "an-erasure-key-for-tests-0123456789"
ASKED = [ONE_CLICK, {"scope": "topic"}, {"scope": "all"}, {"undo": "topic"}, {"undo": "all"}, {}]

FORGED = {
    "flipped": ("a" if VALID[0] != "a" else "b") + VALID[1:],
    "flipped in its last letter": VALID[:-1] + ("a" if VALID[-1] != "a" else "b"),
    "cut": VALID[:-1],
    "swapped": VALID[1] + VALID[0] + VALID[2:],
    "of two": VALID[:34] + token(2)[34:],
    "re-signed with another key": token(1, key="f" * 40),
    "empty of sense": "x",
    "much too long": VALID * 30,
    "not even letters": "%00%ff%C3%9F",
}


def test_what_the_cases_are_made_of_is_not_valid() -> None:
    assert VALID not in FORGED.values()


@pytest.mark.parametrize("link", FORGED.values(), ids=FORGED.keys())
def test_a_forged_link_changes_nothing_and_is_answered_with_a_page_of_the_same_look(pages: Pages, link: str) -> None:
    before = dump(pages.app.store)
    valid = pages.get(VALID)
    for data in ASKED[1:-1]:
        answer = pages.post(link, data)
        assert (answer.status_code, dict(answer.headers) | {"content-length": ""}) == (
            valid.status_code,
            dict(valid.headers) | {"content-length": ""},
        )
        assert "This link does not work" in answer.text
        assert "ml-group@example.org" in answer.text, "somebody helps"
    assert pages.get(link).status_code == 200
    assert pages.post(link, {}).status_code == pages.post(VALID, {}).status_code
    assert dump(pages.app.store) == before


def test_one_click_on_a_forged_link_gets_the_very_same_answer(pages: Pages) -> None:
    forged = pages.post(FORGED["flipped"], ONE_CLICK)
    assert rules(pages.app.store) == []
    valid = pages.post(VALID, ONE_CLICK)
    assert (forged.status_code, forged.content, forged.headers) == (valid.status_code, valid.content, valid.headers)


def test_a_link_in_capitals_is_the_same_link(pages: Pages) -> None:
    pages.post(VALID.upper(), ONE_CLICK)
    assert rules(pages.app.store) == [(1, "newsletter", "page", True)]


def test_a_link_replayed_for_another_topic_is_another_topic_s_own(pages: Pages) -> None:
    """What a link may do is in it: a form cannot name a topic or a person."""
    pages.post(VALID, {"scope": "topic", "topic": "board", "contact_id": "2"})
    assert rules(pages.app.store) == [(1, "newsletter", "page", True)]


@pytest.mark.parametrize("link", [token(1), every(1), token(999_999), token(0), token(2**63 - 1)])
def test_an_erased_or_unknown_person_s_link_gets_what_a_valid_one_gets_and_changes_nothing(
    pages: Pages, run: Run, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    monkeypatch.setenv("MLGROUP_ERASURE_KEY", ERASURE_KEY)
    assert run("person", "erase", person(1), "--reason", "asked to be forgotten").code == 0
    before = dump(pages.app.store)
    page = pages.get(link)
    assert page.status_code == 200
    assert "Leave all our mail" in page.text
    for data, said in zip(ASKED[:3], ["Thank you", "You have left", "You have left all our mail"], strict=True):
        answer = pages.post(link, data)
        assert answer.status_code == 200
        assert said in answer.text
    for data in ASKED[3:5]:
        assert pages.post(link, data).status_code == 200
    assert dump(pages.app.store) == before
    assert run("verify").code == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 59),
    letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-_.~"),
    cut=st.integers(1, 60),
    data=st.sampled_from(ASKED),
)
def test_no_other_letter_in_a_link_does_anything(pages: Pages, place: int, letter: str, cut: int, data: dict) -> None:  # type: ignore[type-arg]
    changed = (VALID[:place] + letter + VALID[place + 1 :])[:cut]
    if changed != VALID:
        before = dump(pages.app.store)
        pages.post(changed, data)
        assert dump(pages.app.store) == before


def test_a_flood_of_forged_links_is_cut_off_and_no_valid_click_with_it(pages: Pages) -> None:
    flood = [("POST", f"/opt-out/{FORGED['flipped']}", {"data": ONE_CLICK})] * (WRONG_AT_ONCE + 100)
    clicks = [("POST", f"/opt-out/{token(number)}", {"data": ONE_CLICK}) for number in range(1, 7)]
    answers = [answer.status_code for answer in pages.ask_all([*flood, *clicks])]
    assert answers.count(429) > 50
    assert answers[-6:] == [200] * 6
    assert len(rules(pages.app.store)) == 6
    assert pages.get(VALID).status_code == 200


def test_what_writes_nothing_takes_the_time_that_a_write_takes() -> None:
    """Measured on the pace itself: the clock of a busy machine proves nothing."""

    async def paced(steps: Sequence[tuple[float, bool]]) -> float:
        pace = Pace()
        for seconds, wrote in steps:
            begun = time.monotonic()
            await pace.keep(seconds, wrote=wrote)
        return time.monotonic() - begun

    assert asyncio.run(paced([(0.2, True), (0.0, False)])) >= 0.19
    assert asyncio.run(paced([(0.2, True), (0.2, True)])) < 0.19
