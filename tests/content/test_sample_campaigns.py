"""The campaigns that come with the package are true, complete and fit to send."""

import re
from datetime import date
from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.campaign import CampaignKind, read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.message.merging import merge_html, merge_text
from mlgroup_mail.settings.project import read_project
from tests.content.kinds import ELSEWHERE, READER, page_of, source_of, text_of
from tests.content.projects import FIGURES, values

PROJECT = read_project(Path(__file__).parents[2])
MAILINGS = {
    "2021-10-all-group-invitation/invitation": "2021-10-13 09:00 Europe/London",
    "2021-10-newsletter/issue": "2021-10-20 09:00 Europe/London",
    "2021-10-board-update/update": "2021-10-22 09:00 Europe/London",
    "2022-call/invitation": "2021-12-08 09:00 Europe/London",
    "2022-call/reminder-1": "2022-01-10 09:00 Europe/London",
    "2022-call/last-call": "2022-01-17 09:00 Europe/London",
    "2022-call/programme": "2022-01-31 09:00 Europe/London",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "October", "November")
_DATED = re.compile(rf"({'|'.join(_WEEKDAYS)}),?\s+(\d+)\s+({'|'.join(_MONTHS)})")


def both_parts(ref: str) -> tuple[str, str]:
    campaign_id, _, name = ref.partition("/")
    source = freeze(PROJECT, read_campaign(PROJECT, campaign_id), name, FIGURES)
    message = compile_message(source, {})
    return merge_text(message, values()), merge_html(message, values())


@pytest.mark.parametrize("ref", MAILINGS)
def test_each_mailing_compiles_and_goes_when_planned(ref: str) -> None:
    campaign_id, _, name = ref.partition("/")
    assert str(read_campaign(PROJECT, campaign_id).mailing(name).send_wall) == MAILINGS[ref]
    text, page = both_parts(ref)
    assert "Dear Ana," in text
    assert "Dear Ana," in page
    assert len(page) < 45_000


@pytest.mark.parametrize("ref", MAILINGS)
def test_every_weekday_is_the_date_s_own(ref: str) -> None:
    for weekday, day, month in _DATED.findall(both_parts(ref)[0]):
        year = 2022 if month == "January" else 2021
        on = date(year, {"January": 1, "October": 10, "November": 11}[month], int(day))
        assert _WEEKDAYS[on.weekday()] == weekday


def test_the_deadline_is_told_in_the_call_and_not_after_it() -> None:
    for name in ("invitation", "reminder-1", "last-call"):
        for part in both_parts(f"2022-call/{name}"):
            assert "Wednesday, 19 January 2022" in " ".join(part.split())
    assert "19 January" not in both_parts("2022-call/programme")[0]


@pytest.mark.parametrize("ref", MAILINGS)
def test_every_address_is_the_sample_group_s_and_every_link_a_public_page(ref: str) -> None:
    text, page = both_parts(ref)
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+\w", re.sub(r"cid:[^\"]+", "", text + page)))
    assert addresses <= {"ml-group@example.org"}
    hosts = set(re.findall(r"https?://([^/\s\"<>)]+)", text + page))
    assert hosts <= {"statswiki.unece.org", "mail.example.org", "meet.example.org", "www.w3.org"}


def test_the_invitation_begins_with_the_event_in_the_reader_s_own_time() -> None:
    source = source_of(CampaignKind.INVITATION)
    for part in (text_of(source, ELSEWHERE), page_of(source, ELSEWHERE)):
        lead = part[: part.index("Dear Ana")].replace("\N{WORD JOINER}", "").replace("\N{NO-BREAK SPACE}", " ")
        assert "Wednesday, 27 October 2021, 14:00–15:30 (London, UTC+1)" in lead
        assert "Your time: 22:00–23:30" in lead
        assert "https://meet.example.org/all-group" in lead
    assert "Your time" not in text_of(source, READER)
