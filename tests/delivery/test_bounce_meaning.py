"""Hard is that there is no such mailbox, domain or account; whatever else a bounce says is soft."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.delivery.bounce_meaning import by_status
from mlgroup_mail.model import Bounce


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1",
        "550 5.1.1 no such user",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
        "5.1.2",
        "550-5.2.1 The account is disabled",
        "5.4.4 no route to host",
        "5.1.0 address rejected, see 5.7.1",
    ],
)
def test_no_such_mailbox_domain_or_account_is_hard(text: str) -> None:
    assert by_status(text) is Bounce.HARD


@pytest.mark.parametrize(
    "text", ["4.1.1", "552 5.2.2 mailbox full", "5.7.1 policy", "5.7.26", "5.6.0", "5.3.4 too big", "4.0.0", "5.1.8"]
)
def test_temporary_full_policy_and_content_are_soft(text: str) -> None:
    assert by_status(text) is Bounce.SOFT


@pytest.mark.parametrize(
    "text", ["", "5.0.0", "550 no such user", "192.5.1.1", "5.1.1.7", "2.1.5 fine", "5.1", "٥.١.١"]
)
def test_what_holds_no_code_that_says_something_says_nothing(text: str) -> None:
    assert by_status(text) is None


@given(st.text() | st.from_regex(r"[0-9. ]{0,40}"))
def test_any_text_can_be_asked(text: str) -> None:
    assert by_status(text) in {None, *Bounce}
