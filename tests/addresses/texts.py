"""Hypothesis strategies: addresses as they are, and what comes around them by copying."""

from hypothesis import strategies as st

LOCALS = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}){0,2}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9]{1,10}([._+-][A-Za-z0-9]{1,10}){0,2}", fullmatch=True)
ALPHABETS = [
    "abcxyz0189-",
    "абвгдежя",
    "αβγδεω",
    "אבגדה",
    "ابتثج",
    "กขคง",
    "統計局",
    "ひらがな",
    "カタカナ",
    "통계청",
    "दवनगर",
    "აბგდ",
]
LABELS = st.sampled_from(ALPHABETS).flatmap(
    lambda letters: st.text(letters, min_size=1, max_size=8).filter(
        lambda label: not label.startswith("-") and not label.endswith("-") and label[2:4] != "--"
    )
)
ASCII_DOMAINS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,3}example", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))

UNSEEN = st.text(
    st.sampled_from("\u00ad\u061c\u200b\u200e\u200f\u202a\u202c\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff\U000e0041"),
    max_size=3,
)
BLANKS = st.text(st.sampled_from(" \t\u00a0\u2003\u3000"), max_size=3)
AROUND = st.sampled_from(
    [
        "{}",
        "<{}>",
        '"{}"',
        "'{}'",
        "({})",
        "[{}]",
        "“{}”",
        "mailto:{}",
        "MAILTO:{}?subject=Hello there",
        "SMTP:{}",
        "E-mail: {}",
        "Anna Novak <{}>",
        '"Novak; Anna" <{}>',
        "Novak, Anna <{}>",
        "Анна <mailto:{}>",
        "安娜（{}）",
        "{} (Anna Novak, Office)",
        "[{0}](mailto:{0})",
        "{0} <mailto:{0}>",
        "{0}; {0}",
        "{},",
        "{};",
        "{}.",
        "{}。",
        '=HYPERLINK("mailto:{}";"Anna")',
    ]
)


def sprinkled(text: str, noise: list[str]) -> str:
    """The text with noise between its letters, taken in turn."""
    pieces = [letter + noise[place % len(noise)] for place, letter in enumerate(text)] if noise else [text]
    return "".join(pieces)
