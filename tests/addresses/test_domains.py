"""Domains: A-labels, scripts, look-alikes, each checked once."""

import unicodedata

import idna
import pytest
from hypothesis import given

from mlgroup_mail.addresses import LOOKS_LATIN, CheckedDomain, checked_domain
from mlgroup_mail.addresses.domains import u_labels
from mlgroup_mail.addresses.scripts import disguises, looks_latin, one_script, skeleton
from tests.addresses.texts import DOMAINS


@given(DOMAINS)
def test_a_domain_of_one_script_a_label_goes_to_a_labels_and_back(host: str) -> None:
    """Whatever the scripts of its labels: they are judged one by one."""
    checked = checked_domain(host)
    if checked.wrong:  # A digit or hyphen beside letters that run from right to left (RFC 5893).
        assert "IDNA" in checked.wrong or "invalid" in checked.wrong
        assert any(unicodedata.bidirectional(char) in {"R", "AL"} for char in host)
        return
    assert checked.ascii == idna.encode(host, uts46=True).decode()
    assert checked_domain(checked.ascii) == checked
    assert ".".join(u_labels(checked.ascii)) == host


@pytest.mark.parametrize(
    "spelling", ["ＢÜＲＯ．example", "BÜRO.EXAMPLE", "büro。example", "bu\u0308ro.example", "xn--bro-hoa.example"]
)
def test_all_spellings_are_one_domain(spelling: str) -> None:
    assert checked_domain(spelling) == CheckedDomain(ascii="xn--bro-hoa.example")


def test_deviations_are_letters_of_their_own_as_in_idna_2008() -> None:
    """IDNA 2003 made "strasse" of "straße", which is another domain, perhaps another owner's."""
    assert checked_domain("straße.example").ascii == "xn--strae-oqa.example"
    assert checked_domain("βόλος.example").ascii != checked_domain("βόλοσ.example").ascii
    assert checked_domain("نامه\u200cای.example").ascii != checked_domain("نامهای.example").ascii


def test_a_joiner_stands_only_where_the_script_needs_it() -> None:
    assert "unsafe" in checked_domain("exam\u200cple.org").wrong
    assert "unsafe" in checked_domain("نامه\u200cای.exam\u200dple").wrong
    assert "hyphen" in checked_domain("نامه\u200cای.-a.example").wrong


@pytest.mark.parametrize("host", ["localhost", "test", "a.localhost", "printer.local", "192.0.2.1", "[192.0.2.1]", ""])
def test_what_is_no_public_name_is_wrong(host: str) -> None:
    assert checked_domain(host).wrong
    assert not checked_domain(host).ascii


@pytest.mark.parametrize("host", ["example.org", "stats.example", "a.test"])
def test_domains_reserved_for_documentation_pass(host: str) -> None:
    """Sample lists live there."""
    assert checked_domain(host) == CheckedDomain(ascii=host)


def test_a_refused_domain_is_refused_every_time() -> None:
    """What is remembered for a domain is also that it is wrong, and why."""
    checked_domain.cache_clear()
    assert len({checked_domain("-a.example").wrong for _ in range(3)}) == 1
    assert checked_domain.cache_info().misses == 1


@pytest.mark.parametrize(
    "label",
    [
        "統計",
        "ひらがな",
        "カタカナ",
        "統計のデータ",
        "統計ml",
        "mlデータ",
        "통계",
        "統計통계",
        "통계ml",
        "統計ㄅ",
        "пример-2",
        "भारत१",
        "aー",
        "na\u0308",
    ],
)
def test_scripts_that_are_written_together_are_one(label: str) -> None:
    """UTS 39's level "highly restrictive": Japanese, Chinese and Korean have several, and take Latin beside them."""
    assert one_script(label)


@pytest.mark.parametrize(
    "label",
    ["ex\u0430mple", "ex\u03b1mple", "при\u03bcер", "b\u0585nk", "統計ж", "ひら한", "ไทยa", "a\u05d0", "ᎪB", "भारতa"],
)
def test_other_mixtures_are_not(label: str) -> None:
    assert not one_script(label)


def test_each_label_is_judged_alone() -> None:
    assert checked_domain("пример.example.org").ascii == "xn--e1afmkfd.example.org"
    assert checked_domain("пример.παράδειγμα.example").ascii


@pytest.mark.parametrize("label", ["сосо", "аррӏе", "хуѕ", "ονο", "օոսո", "сосо-1"])
def test_a_label_of_look_alikes_only_is_flagged(label: str) -> None:
    assert looks_latin(label)
    assert checked_domain(f"{label}.example").remark == LOOKS_LATIN
    assert not checked_domain(f"{label}.рф").remark


@pytest.mark.parametrize("label", ["coco", "пример", "ısık", "büro", "統計", "сосоя", "2021"])
def test_a_label_that_cannot_be_taken_for_a_latin_one_is_not(label: str) -> None:
    assert not looks_latin(label)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("сосо", "coco"),
        ("exarnple", "example"),
        ("0ffice", "office"),
        ("vvww", "www"),
        ("paypa1", "paypal"),
        ("ɡoogle", "google"),
    ],
)
def test_what_looks_alike_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_what_does_not_look_alike_has_two() -> None:
    assert len({skeleton(each) for each in ("office", "offlce", "ofice", "буро", "büro")}) == 5


@pytest.mark.parametrize(
    ("text", "disguised"),
    [
        ("\u0430nna", True),
        ("n\u03bfvak", True),
        ("анна.novak", False),
        ("анна2", False),
        ("安娜ml", False),
        ("anna", False),
        ("Novák", False),
    ],
)
def test_latin_beside_cyrillic_or_greek_in_one_word_is_a_disguise(text: str, disguised: bool) -> None:
    assert disguises(text) == disguised
