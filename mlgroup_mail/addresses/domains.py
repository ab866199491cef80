"""Is this a domain for mail, and does it look like another? Each distinct one is checked once."""

import re
from dataclasses import dataclass
from functools import lru_cache

from mlgroup_mail.addresses.validating import AddressError, validated

LOOKS_LATIN = "the letters of the domain all look like Latin ones and are not"

_JOINER = re.compile("[\u200c\u200d]")
_ACE = "xn--"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedDomain:
    """A domain as A-labels (RFC 5890), or what is wrong with it; and what somebody should look at."""

    ascii: str = ""
    wrong: str = ""
    remark: str = ""


@lru_cache(maxsize=131_072)
def checked_domain(host: str) -> CheckedDomain:
    """Check what stands behind the @: written in any case, with any full stop of IDNA, as U-labels or A-labels.

    Mapped as UTS 46 does and encoded by IDNA 2008 (ß, final ς and permitted joiners stay letters of their own).
    Addresses of machines, names without a full stop, and the names that RFC 6761 keeps from mail are wrong; the
    reserved ones of documentation (example.org) are not. So is a label of several scripts, see `scripts.one_script`.
    """
    try:
        found = _a_labels(host)
    except AddressError as error:
        return CheckedDomain(wrong=str(error))
    if "." not in found:
        return CheckedDomain(wrong="the part after the @ should have a period")
    if _ACE not in found:
        return CheckedDomain(ascii=found)

    from mlgroup_mail.addresses.scripts import looks_latin, one_script

    labels = u_labels(found)
    if not all(map(one_script, labels)):
        return CheckedDomain(wrong="letters of several scripts stand in one part of the domain: some are look-alikes")
    # Below .рф nobody reads a Cyrillic label as Latin (so decides Chrome too: its IDN policy, "whole script").
    disguised = labels[-1].isascii() and any(map(looks_latin, labels))
    return CheckedDomain(ascii=found, remark=LOOKS_LATIN if disguised else "")


def u_labels(domain: str) -> list[str]:
    """The labels of a checked domain as people read them."""
    return [
        label[len(_ACE) :].encode().decode("punycode") if label.startswith(_ACE) else label
        for label in domain.split(".")
    ]


def _a_labels(host: str) -> str:
    """The domain as A-labels; raises AddressError."""
    joined = {} if host.isascii() and _ACE not in host.lower() else _labels_with_joiners(host)
    if not joined:
        return validated(f"a@{host}")[1]
    # email-validator takes no unseen character, though Persian and Sinhala words have joiners: a stand-in goes to it.
    labels = _mapped(host).split(".")
    _, found = validated("a@" + ".".join("a" if place in joined else label for place, label in enumerate(labels)))
    return ".".join(joined.get(place, label) for place, label in enumerate(found.split(".")))


def _labels_with_joiners(host: str) -> dict[int, str]:
    """The labels in which joiners stand where RFC 5892 (A.1, A.2) permits them, as A-labels by their places."""
    import idna

    try:
        labels = [idna.ulabel(label) if label.startswith(_ACE) else label for label in _mapped(host).split(".")]
        return {place: idna.alabel(label).decode() for place, label in enumerate(labels) if _JOINER.search(label)}
    except idna.IDNAError:
        return {}


def _mapped(host: str) -> str:
    import idna

    return idna.uts46_remap(host, std3_rules=False)
