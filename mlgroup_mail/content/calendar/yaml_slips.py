"""What the YAML reader stumbled over, in our words."""

from typing import Any

from mlgroup_mail.errors import CampaignError

_QUOTES = 'A text with “: ” or “ #” in it, or one that begins with a sign, stands in quotes: title: "Talk: what next?".'
_FORM = "Each event begins with “- id: ...”; its other keys stand below that one, two blanks further in than the “-”."

_SLIPS = (
    ("mapping values are not allowed here", "there is a second “:” on this line, or it is further in than its event",
     _QUOTES),
    ("could not find expected ':'", "a key has no “:” behind it", _FORM),
    ("found character '\\t'", "a tab stands here", "Write blanks instead of it."),
    ("expected <block end>", "this line is not as far in as the keys above it", _FORM),
    ("expected the node content", "something stands here that is neither a key nor a text", _QUOTES),
    ("expected ',' or", "a bracket is not closed, or a comma is missing",
     "Close it on its line, or write one key a line."),
    ("found unexpected end of stream", "a text that begins with a quote has none at its end",
     "Write the quote behind it."),
    ("found unexpected document separator", "a text that begins with a quote has none at its end",
     "Write the quote behind it."),
    ("found undefined alias", "a text begins with “*”", _QUOTES),
    ("expected alphabetic or numeric character", "a text begins with “*”, “&” or “!”", _QUOTES),
    ("found character", "a text begins with a sign that means something else here", _QUOTES),
    ("found unknown escape character", "a \\ in a text in double quotes begins a sign of its own, and this is none",
     "Write it in single quotes."),
    ("special characters are not allowed", "a control character stands here", "Write the line anew."),
)  # fmt: skip
"""How PyYAML's sentences begin, what we say, and what helps."""


def yaml_slip(error: Any, *, place: str) -> CampaignError:
    """What a YAMLError means; `place` is the file as shown to people."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or ""
    known = next(((ours, mend) for begin, ours, mend in _SLIPS if str(reason).startswith(begin)), None)
    message, mend = known or ("this line cannot be read", f"See the events above it for the form. {_QUOTES}")
    where = f"{place}, line {mark.line + 1}" if mark else place
    return CampaignError(f"this is not valid YAML: {message}", where=where, mend=mend)
