"""Near misses of domains that are common in the list are flagged; neighbours that are right are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from mlgroup_mail.addresses import checked_domain, near_misses
from tests.addresses.texts import ASCII_DOMAINS


def ascii_of(host: str) -> str:
    return checked_domain(host).ascii


@pytest.mark.parametrize(
    ("rare", "common"),
    [
        ("statistcs.example", "statistics.example"),
        ("statisticss.example", "statistics.example"),
        ("statistixs.example", "statistics.example"),
        ("statitsics.example", "statistics.example"),
        ("mail.statistcs.example", "mail.statistics.example"),
        ("statistics.ministy.example", "statistics.ministry.example"),
        ("0ffice.example", "office.example"),
        ("officia1.example", "official.example"),
        ("rninistry.example", "ministry.example"),
        ("nevvs.example", "news.example"),
        ("b1s.example", "bls.example"),
        ("office.con", "office.com"),
        ("büro.con", "büro.com"),
        ("office.co", "office.com"),
        ("office.cm", "office.com"),
        ("office.ogr", "office.org"),
        ("statsoffice.gov.example", "stats.office.gov.example"),
        ("stats.office.gov.example", "statsoffice.gov.example"),
        ("stat-office.example", "statoffice.example"),
        ("сосо.example", "coco.example"),
        ("статстика.example", "статистика.example"),
        ("munchen.example", "münchen.example"),
    ],
)
def test_a_slip_beside_a_common_domain_is_flagged(rare: str, common: str) -> None:
    rare, common = ascii_of(rare), ascii_of(common)
    assert near_misses({common: 20, rare: 1}) == {rare: common}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stat.fi", "stat.si"),
        ("statistik.at", "statistik.de"),
        ("statistics.gov.example", "statistics.gob.example"),
        ("ons.gov.uk", "dns.gov.uk"),
        ("stat.example", "istat.example"),
        ("insee.fr", "inse.fr"),
        ("office.example", "mail.office.example"),
        ("office.example", "a.office.example"),
        ("office1.example", "office2.example"),
        ("office.example", "office2.example"),
        ("north.example", "south.example"),
        ("statistics.example", "statistic.sexample"),
        ("office.gov.example", "offices.gob.example"),
        ("office.net", "office.com"),
    ],
)
def test_neighbours_that_may_both_be_right_are_not(one: str, other: str) -> None:
    """Two countries, a house and its departments, numbered hosts, short names."""
    assert near_misses({one: 20, other: 1}) == {}
    assert near_misses({other: 20, one: 1}) == {}


@pytest.mark.parametrize(
    ("numbers", "flagged"),
    [((5, 0), True), ((4, 0), False), ((10, 1), True), ((9, 1), False), ((200, 20), True), ((200, 21), False)],
)
def test_common_is_five_addresses_and_ten_times_as_many(numbers: tuple[int, int], flagged: bool) -> None:
    common, rare = numbers
    assert bool(near_misses({"statistics.example": common, "statistcs.example": rare})) == flagged


@pytest.mark.parametrize(
    ("slip", "service"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.fr", "hotmail.fr"),
        ("hot.mail.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.co.uk", "yahoo.co.uk"),
        ("protonmai.com", "protonmail.com"),
    ],
)
def test_a_slip_in_a_public_mail_service_is_always_flagged(slip: str, service: str) -> None:
    """However often it stands in the list, and whether the service does."""
    assert near_misses({slip: 1}) == {slip: service}
    assert near_misses({slip: 500, service: 3}) == {slip: service}


@pytest.mark.parametrize("service", ["mail.com", "email.com", "ymail.com", "gmx.at", "yahoo.fr", "live.nl"])
def test_a_public_mail_service_is_no_slip_of_another(service: str) -> None:
    assert near_misses({service: 1, "gmail.com": 900, "gmx.de": 900, "yahoo.com": 900, "live.be": 900}) == {}


def test_of_several_common_ones_the_most_common_is_named() -> None:
    domains = {"officea.example": 10, "officeb.example": 50, "officec.example": 1}
    assert near_misses(domains) == {"officec.example": "officeb.example"}


def test_many_common_domains_that_look_the_same_are_told_by_the_most_common_one() -> None:
    """However many there are, each is compared with one: a list of them must not take hours."""
    alike = ["".join("o0"[number >> bit & 1] for bit in range(17)) + ".example" for number in range(20_000)]
    domains = dict.fromkeys(alike, 5) | {alike[77]: 50}
    found = near_misses(domains)
    assert set(found) == set(alike) - {alike[77]}
    assert set(found.values()) == {alike[77]}


@given(st.dictionaries(ASCII_DOMAINS, st.integers(1, 3), max_size=8), ASCII_DOMAINS, st.data())
def test_what_is_flagged_is_rare_and_near(others: dict[str, int], common: str, data: st.DataObject) -> None:
    """And every letter changed in a long label is found."""
    label = common.split(".", maxsplit=1)[0]
    place = data.draw(st.integers(0, len(common) - 1))
    changed = common[:place] + data.draw(st.sampled_from("abcxyz")) + common[place + 1 :]
    domains = {**others, changed: 1, common: 30}
    found = near_misses(domains)
    for rare, near in found.items():
        assert near == common
        assert domains[rare] * 10 <= 30
        assert OSA.distance(rare, near) <= len(rare)
    if place < len(label) and len(label) >= 5 and changed != common and label.isalpha():
        assert found.get(changed) == common
