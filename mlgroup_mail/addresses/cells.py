"""What a cell holds beside addresses: what nobody sees, what is written in another way, links, formulas, headers."""

import re
import unicodedata
from urllib.parse import unquote

from mlgroup_mail.addresses.pieces import LINE_BREAK, OTHER_TEXT, meant_in
from mlgroup_mail.addresses.validating import AddressError

_LONGEST = 4_000

_FORMULA = "a formula stands where the address should"
_CONTROL_CHARACTERS = "the address contains control characters"
_HEADER_LINE = "a line that looks like a mail header stands beside the address"

# Unicode's Default_Ignorable_Code_Point (soft hyphen, zero width, direction marks, variation selectors, tags) without
# the two joiners, and what else is drawn as nothing: U+2800 and U+FFFC.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINER = re.compile("[\u200c\u200d]")
_WRITTEN_OTHERWISE = (
    # East Asian keyboards: the full-width forms of ASCII (Unicode block FF00).
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {0xFE6B: "@", 0x3008: "<", 0x3009: ">"}
    # Word processors: curly quotation marks and apostrophes.
    | dict.fromkeys(map(ord, "“”„‟«»″"), '"')
    | dict.fromkeys(map(ord, "‘’‚‛′"), "'")
)

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LABEL = r"(?:mailto|smtp|(?:e-?)?mail(?:\s+address)?|courriel|correo(?:\s+electrónico)?|e-?post)\s*:"
_LABELLED = re.compile(rf"(?<!\w){_LABEL}", re.IGNORECASE)
_HEADER = re.compile(rf"{LINE_BREAK}\s*(?!{_LABEL})[a-z][a-z0-9-]*\s*:", re.IGNORECASE)

_MAILTO = re.compile(
    r"""(?:mailto:\s*)+ (?://)? (?P<address>[^\s<>"()\[\];,?]*)
    (?P<query>\? (?:[^\s<>"();] | ;(?![^;<>]*@) | \s(?!\S*@))* )?""",
    re.IGNORECASE | re.VERBOSE,
)
_LINK_FORMULA = re.compile(
    r"""=\+? [^\W\d][\w.]* \( \s* "(?P<link>mailto:[^"]*)" \s* (?: [;,] \s* "(?P<shown>[^"]*)" \s* )? \)""",
    re.IGNORECASE | re.VERBOSE,
)
_AT_IN_WORDS = re.compile(
    r"[(\[{<]\s*(?:at|a|arroba|chez|chiocciola|ätt?|klammeraffe)\s*[)\]}>]|\w\s+at\s+\w|&#0*64;|&#x0*40;|&commat;|%40",
    re.IGNORECASE,
)
_DIRECTORY_NAME = re.compile(r"(?:ex:\s*)?/o=", re.IGNORECASE)

_BEFORE = "'`´"
_BEHIND = ".,:;!?'`´…。｡"


def addresses_in(cell: str) -> list[str]:
    """What is meant as an address in a cell, without what stands around it, in the order in which it counts.

    Each has an @ and still may be none: see `refuse_rest`, and it is not validated yet. Raises AddressError where the
    cell as a whole cannot be read.
    """
    if len(cell) > _LONGEST:
        raise AddressError("the cell is much too long for an address")
    text = _plain(cell).strip()
    if not text:
        raise AddressError("the address is missing")
    if text.startswith("="):
        text = _link_in_formula(text)
    _refuse_control(text)
    text = _LABELLED.sub(" ", _MAILTO.sub(_unlinked, text))
    _refuse_control(text)
    if "@" not in text:
        raise AddressError(_why_no_at(text))
    return [_trimmed(each) for each in meant_in(text)]


def refuse_rest(candidate: str) -> None:
    """Raise AddressError where other words stand in what was found, or the beginning of a formula."""
    if len(candidate.split()) != 1:
        raise AddressError(OTHER_TEXT)
    if candidate.startswith("="):
        raise AddressError(_FORMULA)


def _plain(cell: str) -> str:
    """The cell without what nobody sees, and with one spelling of what has several."""
    if cell.isascii():
        return cell
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", cell).translate(_WRITTEN_OTHERWISE))
    return _JOINER.sub(_permitted_joiner, text) if _JOINER.search(text) else text


def _permitted_joiner(found: re.Match[str]) -> str:
    """A joiner where RFC 5892 (A.1, A.2) permits it: there it makes another domain; elsewhere it came by copying."""
    import idna

    in_domain = "@" in found.string[: found.start()]
    try:
        return found[0] if in_domain and idna.valid_contextj(found.string, found.start()) else ""
    except ValueError:  # It stands behind a character that Unicode does not know.
        return ""


def _refuse_control(text: str) -> None:
    if _HEADER.search(text):
        raise AddressError(_HEADER_LINE)
    if _CONTROL.search(text):
        raise AddressError(_CONTROL_CHARACTERS)


def _link_in_formula(text: str) -> str:
    """The address in `=HYPERLINK("mailto:a@b", "Anna")`, whatever the function is called in a language."""
    found = _LINK_FORMULA.fullmatch(text)
    if found is None:
        raise AddressError(_FORMULA)
    return f'"{found["shown"] or ""}" <{found["link"]}>'


def _unlinked(found: re.Match[str]) -> str:
    """The address in a `mailto:` link (RFC 6068), percent-decoded, without what follows the question mark."""
    address, query = unquote(found["address"]), unquote(found["query"] or "")
    if re.search(LINE_BREAK, address):
        raise AddressError(_CONTROL_CHARACTERS)
    _refuse_control(query)
    return f" {address} "


def _why_no_at(text: str) -> str:
    if _DIRECTORY_NAME.match(text):
        return "there is no @ in the address: this is a name in Exchange’s directory"
    if _AT_IN_WORDS.search(text):
        return "there is no @ in the address: it is written in another way, which programs must not guess"
    return "there is no @ in the address"


def _trimmed(candidate: str) -> str:
    """Without quotation marks and the punctuation of the sentence around it."""
    return candidate.strip().lstrip(_BEFORE).rstrip(_BEHIND)
