"""docs/sendgrid-events.md says what the code does: its vector verifies, and its table has every word."""

import re
from pathlib import Path

import pytest

from mlgroup_mail.delivery import provider_events
from mlgroup_mail.web.webhook import LARGEST_BODY, PATH
from mlgroup_mail.web.webhook_signature import SIGNATURE, TIMESTAMP, WebhookKeys

PAGE = (Path(__file__).parents[2] / "docs" / "sendgrid-events.md").read_text(encoding="utf-8")


def test_the_vector_on_the_page_verifies() -> None:
    given = dict(re.findall(r"^(key|signature|timestamp|body) +(\S.*)$", PAGE, re.MULTILINE))
    body = given["body"].replace("\\r\\n", "\r\n").encode()
    keys = WebhookKeys([given["key"]])
    assert keys.signed(body, signature=given["signature"], timestamp=given["timestamp"])
    assert not keys.signed(body.strip(), signature=given["signature"], timestamp=given["timestamp"])


@pytest.mark.parametrize("word", [*provider_events._WORDS, *provider_events._DROPPED_FOR, PATH, SIGNATURE, TIMESTAMP])
def test_every_word_that_means_something_is_on_the_page(word: str) -> None:
    assert word in PAGE or f"*{word}*" in PAGE.casefold()


def test_the_limit_on_the_page_is_the_one_that_holds() -> None:
    assert f"larger than {LARGEST_BODY // 1_000_000} MB" in PAGE
