"""What a greeting calls a person, read from a full name where its form leaves no doubt."""

import re

_TITLE = re.compile(
    r"^(?:(?:dr|prof|mr|mrs|ms|mx|miss|sir|dame|mme|mlle|m|herr|frau|ing|dipl|mag|sr|sra|don|doña|phd|msc|professor|doctor)"
    r"\.?\s+)+",
    re.IGNORECASE,
)
_AFTER_COMMA = re.compile(
    r"(?:ph\.?\s?d|m\.?\s?sc|b\.?\s?sc|m\.?\s?a|b\.?\s?a|mba|dr|jr|sr|esq|cfa|i{2,3}|iv)\.?", re.IGNORECASE
)

_GIVEN = re.compile(r"[^\W\d_][\w .’'\u200c\u200d-]*")


def greeting_name(name: str) -> str:
    """The first name in "Family, Given" and in "FAMILY Given" (or "Given FAMILY"); otherwise the name as it is.

    "Ana Costa" stays whole: in some languages the family name comes first, and a wrong guess is worse than none.
    """
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma:
        given = _TITLE.sub("", f"{given} ").strip()
        known = family and _GIVEN.fullmatch(given) and not _AFTER_COMMA.fullmatch(given)
        return given if known else name
    words = _TITLE.sub("", name).split()
    capitals = [_all_capitals(word) for word in words]
    if not any(capitals) or all(capitals):
        return name
    first = [word for word, capital in zip(words, capitals, strict=True) if not capital]
    one_block = capitals == sorted(capitals) or capitals == sorted(capitals, reverse=True)
    return " ".join(first) if one_block and not any(_initial(word) for word in first) else name


def joined(first_name: str, family_name: str) -> str:
    """A full name from its two columns."""
    return " ".join(part for part in (first_name, family_name) if part)


def _all_capitals(word: str) -> bool:
    letters = [char for char in word if char.isalpha()]
    return len(letters) > 1 and all(char.isupper() for char in letters)


def _initial(word: str) -> bool:
    """ "J." or "J": too little to greet somebody with; particles such as "de" belong to the family name."""
    return len(word.strip(".")) == 1 or word.islower()
