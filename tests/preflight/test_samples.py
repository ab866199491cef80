"""The campaigns that come with the package pass their own preflight."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.campaign import campaign_ids, read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject
from mlgroup_mail.settings.project import read_project
from tests.content.projects import FIGURES

PROJECT = read_project(Path(__file__).parents[2])


@pytest.mark.parametrize("campaign_id", campaign_ids(PROJECT))
def test_a_sample_campaign_has_no_findings_in_its_own_time(campaign_id: str) -> None:
    campaign = read_campaign(PROJECT, campaign_id)
    for mailing in campaign.mailings:
        subject = CheckSubject(
            campaign=campaign,
            mailing=mailing,
            texts=(
                CheckedText(
                    words=mailing.original,
                    variants=(compile_message(freeze(PROJECT, campaign, mailing.name, FIGURES), {}),),
                    recipients=250,
                    missing={"recipient.first_name": 12, "recipient.organisation": 3},
                ),
            ),
            clock=datetime(2021, 10, 1, tzinfo=UTC),
        )
        assert check(subject) == ()
