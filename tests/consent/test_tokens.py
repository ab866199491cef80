"""Opt-out tokens: only we can make them, only whole ones count, and old links go on working."""

import base64
import hmac
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS

TOPICS = ("newsletter", "calls", "coffee-coding")
OLD, NEW, FOREIGN = "o" * 32, "n" * 32, "f" * 32
TOKENS = OptOutTokens([NEW], topics=TOPICS)
LETTERS = string.ascii_lowercase + string.digits
NUMBER = st.integers(0, 2**64 - 1)
CONTENT = st.builds(TokenContent, contact_id=NUMBER, mailing_id=NUMBER, topic=st.sampled_from([ALL_TOPICS, *TOPICS]))


@given(CONTENT)
def test_a_token_says_what_it_was_made_of(content: TokenContent) -> None:
    token = TOKENS.make(content)
    assert TOKENS.read(token) == content
    assert len(token) == 60
    assert set(token) <= set(LETTERS)


@given(CONTENT, st.randoms(use_true_random=False))
def test_a_token_typed_in_capitals_or_with_blanks_around_is_the_same(content: TokenContent, random: object) -> None:
    token = TOKENS.make(content)
    mixed = "".join(random.choice([letter, letter.upper()]) for letter in token)  # type: ignore[attr-defined]
    assert TOKENS.read(f" {mixed}\t\n") == content


@given(CONTENT, st.integers(0, 59), st.sampled_from(LETTERS))
def test_a_token_with_another_letter_is_not_ours(content: TokenContent, place: int, letter: str) -> None:
    token = TOKENS.make(content)
    changed = token[:place] + letter + token[place + 1 :]
    assert (TOKENS.read(changed) == content) is (changed == token)


@given(CONTENT, st.integers(0, 59))
def test_a_token_that_was_cut_off_is_not_ours(content: TokenContent, length: int) -> None:
    assert TOKENS.read(TOKENS.make(content)[:length]) is None


@given(CONTENT, st.text(LETTERS + "=", min_size=1, max_size=9))
def test_a_token_with_something_behind_it_is_not_ours(content: TokenContent, more: str) -> None:
    assert TOKENS.read(TOKENS.make(content) + more) is None


@given(CONTENT, st.integers(0, 58))
def test_a_token_with_two_letters_swapped_is_not_ours(content: TokenContent, place: int) -> None:
    token = TOKENS.make(content)
    swapped = token[:place] + token[place + 1] + token[place] + token[place + 2 :]
    assert (TOKENS.read(swapped) == content) is (swapped == token)


@given(CONTENT, CONTENT)
def test_the_halves_of_two_tokens_do_not_make_a_third(one: TokenContent, other: TokenContent) -> None:
    crossed = TOKENS.make(one)[:34] + TOKENS.make(other)[34:]
    assert TOKENS.read(crossed) == {TOKENS.make(one): one, TOKENS.make(other): other}.get(crossed)


@given(st.one_of(st.text(max_size=80), st.text(LETTERS, min_size=60, max_size=60)))
def test_whatever_else_comes_in_is_not_ours_and_raises_nothing(text: str) -> None:
    assert TOKENS.read(text) is None


@given(CONTENT)
def test_a_token_under_another_key_is_not_ours(content: TokenContent) -> None:
    assert TOKENS.read(OptOutTokens([FOREIGN], topics=TOPICS).make(content)) is None


@given(CONTENT)
def test_after_a_change_of_keys_old_links_work_and_new_ones_are_signed_with_the_new_key(
    content: TokenContent,
) -> None:
    rotated = OptOutTokens([NEW, OLD], topics=TOPICS)
    assert rotated.read(OptOutTokens([OLD], topics=TOPICS).make(content)) == content
    assert TOKENS.read(rotated.make(content)) == content


def test_a_topic_that_the_project_no_longer_has_counts_as_all() -> None:
    """Links never expire: whoever leaves a topic that is called otherwise by now must not get it under its new name."""
    token = OptOutTokens([NEW], topics=[*TOPICS, "gossip"]).make(
        TokenContent(contact_id=1, mailing_id=1, topic="gossip")
    )
    assert TOKENS.read(token) == TokenContent(contact_id=1, mailing_id=1, topic=ALL_TOPICS)


@given(CONTENT, st.lists(st.text(LETTERS, min_size=32, max_size=40), min_size=1, max_size=600, unique=True))
@settings(max_examples=20)
def test_after_however_many_keys_the_oldest_link_works(content: TokenContent, newer: list[str]) -> None:
    """Of more than 256 keys some share a version: both are asked."""
    rotated = OptOutTokens([*newer, OLD], topics=TOPICS)
    assert rotated.read(OptOutTokens([OLD], topics=TOPICS).make(content)) == content


@given(CONTENT, st.integers(1, 255))
def test_the_version_of_the_key_is_signed_too(content: TokenContent, other: int) -> None:
    raw = bytearray(base64.b32decode(TOKENS.make(content).upper() + "===="))
    raw[0] ^= other
    assert TOKENS.read(base64.b32encode(bytes(raw)).decode().rstrip("=")) is None


def test_a_forged_token_costs_the_steps_of_a_valid_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One code is computed and compared in constant time, whatever is wrong with it."""
    valid = TOKENS.make(TokenContent(contact_id=1, mailing_id=1, topic="calls"))
    compared: list[int] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(len(other)) or one == other)
    for token in (valid, "b" + valid[1:], valid[:-1], valid + "a", "", "ß" * 60, "=" * 60, "1" * 60):
        compared.clear()
        assert (TOKENS.read(token) is not None) is (token == valid)
        assert compared == [16]


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ConfigurationError, match="no secret key"):
        OptOutTokens([], topics=TOPICS)
