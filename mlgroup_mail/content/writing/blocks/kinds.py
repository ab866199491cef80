"""The kinds of blocks, and the first line of a fence that names one."""

import difflib
from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.errors import CampaignError

MEMBERS_ONLY = "members_only"
"""Marks a block that stays out of public copies; as a kind of its own, it holds any text that does."""

_NEAR = 0.8
"""Nearer than this to a block's name, a word is a slip, not the name of a programming language."""


class BlockKind(StrEnum):
    """What a block is; names its templates, `blocks/<kind>.mjml.j2` and `.txt.j2`."""

    BUTTON = "button"
    """One link or several to follow, as buttons."""
    EVENT = "event"
    """An event of the calendar with all that is known of it."""
    EVENTS = "events"
    """Several events, a line or two each."""
    AGENDA = "agenda"
    """Times and what happens at them."""
    SPEAKER = "speaker"
    """Somebody who speaks: name, role, photo, words about them."""
    QUOTE = "quote"
    """What somebody said, and who."""
    FIGURE = "figure"
    """A picture with a caption."""
    NOTE = "note"
    """A paragraph or two set apart."""
    SIGNATURE = "signature"
    """Who signs, line by line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FenceHead:
    """The first line of a fence: the kind of block, None for `members_only` alone, and whether it is marked so."""

    kind: BlockKind | None
    members_only: bool


def read_head(info: str, where: str) -> FenceHead | None:
    """What stands behind the backquotes; None for ordinary code. Raises CampaignError for a near miss."""
    first, *rest = info.split() or [""]
    name = _name(first)
    if name == MEMBERS_ONLY and not rest:
        return FenceHead(kind=None, members_only=True)
    if name in list(BlockKind):
        if rest and [_name(word) for word in rest] != [MEMBERS_ONLY]:
            raise CampaignError(
                f"“{' '.join(rest)}” is not known behind “{name}”",
                where=where,
                mend=f"Only {MEMBERS_ONLY} may stand there; what the block holds begins on the next line.",
            )
        return FenceHead(kind=BlockKind(name), members_only=bool(rest))
    # "members only" would show its content to everybody, as code.
    if near := _near(name) or _near("_".join(map(_name, (first, *rest[:1])))):
        raise CampaignError(f"there is no block “{first}”", where=where, mend=f"Did you mean “{near}”?")
    return None


def _near(name: str) -> str:
    known = [*BlockKind, MEMBERS_ONLY]
    if name in {"member", "members"}:
        return MEMBERS_ONLY
    begun = [kind for kind in sorted(known, key=len, reverse=True) if name.startswith((f"{kind}_", f"{kind}:"))]
    return next(iter([*begun, *difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)]), "")


def _name(word: str) -> str:
    return word.casefold().replace("-", "_")
