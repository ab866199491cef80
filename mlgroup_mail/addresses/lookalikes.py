"""Domains that are a slip away from one that is common in the list. Flagged, never merged and never corrected."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from mlgroup_mail.addresses.domains import u_labels
from mlgroup_mail.addresses.scripts import skeleton
from mlgroup_mail.addresses.tables import table

_COMMON = 5
"""So many addresses make a domain common: a slip happens once or twice."""
_TIMES = 10
"""A domain is common beside another if it has so many times its addresses."""
_MOST_ALIKE = 50
"""So many domains with the same letters but one are compared, the most common ones."""
_SHORTEST = 5
"""Shorter labels are too near to each other: ons, dns; insee, inse; stat, istat."""

_ENDINGS = {
    "com": {"con", "co", "cm", "om", "cmo", "ocm", "comm", "coom", "cim", "cpm", "vom", "xom", "c0m"},
    "org": {"or", "og", "ogr", "rog", "orgg", "prg", "0rg"},
    "net": {"ne", "ner", "nte", "nett", "ent"},
}
"""What is typed for the endings that are no country's. Of two countries' endings either may be meant."""

_DIGITS = re.compile(r"\d+")


def near_misses(domains: Mapping[str, int]) -> dict[str, str]:
    """Each domain that is a near miss of a common one, with that one. Takes domains as A-labels with their numbers.

    Common are domains with at least 5 addresses and 10 times as many as the other, and the public mail services. A
    near miss looks the same (see `skeleton`), differs by one slip of the finger in one label of 5 letters or more
    (a letter too many, too few, another one, two exchanged), lacks a full stop, or ends in .con for .com. What is
    below a common domain, beside it with another number, or in another country is none.
    """
    common: dict[str, float] = {domain: number for domain, number in domains.items() if number >= _COMMON}
    common |= dict.fromkeys(public_mail_domains(), math.inf)
    index = _Index(common)
    found: dict[str, str] = {}
    for domain, number in domains.items():
        if common.get(domain) != math.inf and (near := index.near(domain, at_least=_TIMES * number)):
            found[domain] = min(near, key=lambda other: (-domains.get(other, 0), other))
    return found


@cache
def public_mail_domains() -> frozenset[str]:
    """Domains of mail services that anybody may use: common, even where the list has few addresses there."""
    return frozenset(
        f"{name}.{ending}" for name, endings in table("mail_services").items() for ending in endings.split()
    )


class _Index:
    """Common domains by everything that one slip makes of them, as SymSpell does: by what is left without a letter.

    Two texts are one slip apart only if they are equal, or one of them is, after at most one letter is left out of
    each. So near ones are found without comparing each with each. Of those that look the same, the most common counts.
    """

    def __init__(self, common: Mapping[str, float]) -> None:
        """`common` maps domains to how common they are."""
        self._common = common
        self._by_rest: dict[str, list[str]] = defaultdict(list)
        self._by_look: dict[str, str] = {}
        self._written: dict[str, str] = {}
        for domain in sorted(common, key=lambda domain: (-common[domain], domain)):
            written = _written(domain)
            self._written[domain] = written
            self._by_look.setdefault(skeleton(written), domain)
            for rest in _rests(written):
                if len(self._by_rest[rest]) < _MOST_ALIKE:
                    self._by_rest[rest].append(domain)

    def near(self, domain: str, *, at_least: float) -> set[str]:
        """The domains of which this may be a slip, of those that are so common at least."""
        written = _written(domain)
        look = skeleton(written)
        alike = {self._by_look.get(look, domain), *self._other_endings(domain)} - {domain}
        maybe = {other for rest in _rests(written) for other in self._by_rest.get(rest, ())} - alike
        common_enough = (other for other in maybe if self._common[other] >= at_least)
        slips = {other for other in common_enough if _one_slip(written, self._written[other])}
        return ({other for other in alike if self._common[other] >= at_least} | slips) - {domain}

    def _other_endings(self, domain: str) -> Iterator[str]:
        name, _, ending = domain.rpartition(".")
        for meant, slips in _ENDINGS.items():
            if ending in slips and f"{name}.{meant}" in self._written:
                yield f"{name}.{meant}"


def _written(domain: str) -> str:
    return ".".join(u_labels(domain)) if "xn--" in domain else domain


def _rests(text: str) -> set[str]:
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def _one_slip(domain: str, common: str) -> bool:
    labels, others = domain.split("."), common.split(".")
    if labels[-1] != others[-1]:
        return False
    if len(labels) != len(others):
        return domain.replace(".", "") == common.replace(".", "")
    differing = [pair for pair in zip(labels, others, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    ((label, other),) = differing
    shortest = len(other) if common in public_mail_domains() else min(len(label), len(other))
    if shortest < _SHORTEST or _DIGITS.sub("", label) == _DIGITS.sub("", other):
        return False

    from rapidfuzz.distance import OSA

    return OSA.distance(label, other, score_cutoff=1) <= 1
