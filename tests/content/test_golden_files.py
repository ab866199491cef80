"""What a reader gets of each kind changes only when somebody means it to."""

import pytest

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from tests.content.golden_files import COURTESIES, FOLDER, courtesy
from tests.content.kinds import ELSEWHERE, page_of, source_of, text_of

HOW = "look at the change; if it is meant: python -m tests.content.golden_files"


@pytest.mark.parametrize("kind", CampaignKind)
def test_a_sample_of_each_kind_reads_as_it_did(kind: CampaignKind) -> None:
    source = source_of(kind)
    assert text_of(source, ELSEWHERE) == (FOLDER / f"{kind}.txt").read_text(encoding="utf-8"), HOW
    assert page_of(source, ELSEWHERE) == (FOLDER / f"{kind}.html").read_text(encoding="utf-8"), HOW


@pytest.mark.parametrize("name", COURTESIES)
def test_a_courtesy_reads_as_it_did(name: str) -> None:
    compiled = courtesy(name)
    assert compiled.text == (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), HOW
    assert compiled.html == (FOLDER / f"{name}.html").read_text(encoding="utf-8"), HOW


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{kind}.{form}" for kind in (*CampaignKind, *COURTESIES) for form in ("html", "txt")
    }
