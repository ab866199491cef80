"""Links that nothing is known of: the team hears of them, and the log is not filled by them."""

import pytest

from mlgroup_mail.web.pages.limits import WRONG_AT_ONCE
from mlgroup_mail.web.pages.wrong_links import WrongLinks
from tests.web.readers import ONE_CLICK, Pages, token

HOUR = 3600.0


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_is_told_at_once_and_from_then_on_hourly_how_many_there_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    wrong = WrongLinks(clock)
    for _ in range(30):
        wrong.take()
        clock.now += 60
    assert caplog.text.count("used that nothing is known of") == 1
    assert "1 link was used" in caplog.text
    clock.now = HOUR
    wrong.take()
    assert "30 links were used" in caplog.text
    clock.now = 5 * HOUR
    wrong.take()
    assert caplog.text.count("1 link was used") == 2, "nothing was told twice"


def test_so_many_at_once_are_answered_and_more_as_time_goes_by() -> None:
    clock = Clock()
    wrong = WrongLinks(clock)
    assert sum(wrong.take() for _ in range(WRONG_AT_ONCE + 50)) == WRONG_AT_ONCE
    clock.now = 1.0
    assert wrong.take()


def test_a_click_with_a_lost_key_is_answered_as_ever_and_told_without_its_link(
    pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    lost = token(1, key="a-key-that-was-lost-and-nobody-has-it-any-more")
    answer = pages.post(lost, ONE_CLICK)
    assert (answer.status_code, answer.text) == (200, "Thank you. This has been taken in.\n")
    assert "of a key that is lost" in caplog.text
    assert lost not in caplog.text
    caplog.clear()
    assert pages.ask("GET", f"/preferences/{lost}").status_code == 200
    assert "of a key that is lost" in caplog.text


def test_a_valid_link_is_no_wrong_one(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    pages.post(token(1), ONE_CLICK)
    pages.get(token(2))
    assert "nothing is known of" not in caplog.text
