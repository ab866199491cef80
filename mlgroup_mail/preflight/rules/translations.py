"""translation-older, -differs, -same and -missing: texts in several languages that must say the same."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from mlgroup_mail.content.writing.blocks.kinds import MEMBERS_ONLY
from mlgroup_mail.content.writing.blocks.naming import written_blocks
from mlgroup_mail.content.writing.every_branch import every_branch
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject

AT_ONCE = timedelta(seconds=2)
"""Files that were unpacked or copied together: their times lie so near each other, in any order."""

_TELLING = 25
"""So many letters tell a language."""
_WORD = re.compile(r"[^\W\d_]+")
_PRINTED_WHOLE = re.compile(r"\{[{%#].*?[}%#]\}|https?://\S+", re.DOTALL)
_PRINTED = re.compile(r"\{\{-?\s*([A-Za-z_]\w*(?:\.\w+|\[\s*(?:\"[^\"]*\"|'[^']*')\s*\])*)")
_LINK = re.compile(r"https?://[^\s<>()\[\]{}\"']+|(?<=\]\()mailto:[^\s<>()]+")


def check(subject: CheckSubject) -> Iterator[Finding]:
    """Warnings only: a translator may have a reason."""
    for text in subject.translations:
        yield from _older(subject.original, text)
        yield from _differs(subject.original, text)
        yield from _same(subject.original, text)
    yield from _missing(subject)


def _older(original: CheckedText, text: CheckedText) -> Iterator[Finding]:
    if original.changed and text.changed and text.changed < original.changed - AT_ONCE:
        yield Finding(
            level=Level.WARNING,
            rule="translation-older",
            where=text.words.text_file,
            message=f"the translation was last changed on {text.changed:%Y-%m-%d, %H:%M} UTC, "
            f"its original {original.words.text_file} on {original.changed:%Y-%m-%d, %H:%M} UTC",
            mend="See that it says the same still, and save or commit it again.",
        )


def _differs(original: CheckedText, text: CheckedText) -> Iterator[Finding]:
    lacking = tuple((_parts(original) - _parts(text)).keys())
    if lacking:
        yield Finding(
            level=Level.WARNING,
            rule="translation-differs",
            where=text.words.text_file,
            message="the translation lacks what its original has",
            details=lacking,
            mend="Add it, where it was not left out on purpose.",
        )


def _same(original: CheckedText, text: CheckedText) -> Iterator[Finding]:
    """Paragraphs that say much can be the same in two languages only where nobody translated them."""
    said = _paragraphs(text)
    kept = said & _paragraphs(original)
    if kept and 2 * len(kept) > len(said):
        yield Finding(
            level=Level.WARNING,
            rule="translation-same",
            where=text.words.text_file,
            message=f"the translation reads like the original: {len(kept)} of its {len(said)} paragraphs are the same",
            mend=f"Write it in “{text.words.language}”, or take the file away: its readers get the original then.",
        )


def _paragraphs(text: CheckedText) -> set[str]:
    """What stands between blank lines, in words alone; what has few of them tells no language."""
    words = (_WORD.findall(_PRINTED_WHOLE.sub(" ", part)) for part in re.split(r"\n\s*\n", text.words.text))
    return {" ".join(part) for part in words if sum(map(len, part)) >= _TELLING}


def _parts(text: CheckedText) -> Counter[str]:
    """What a text prints, its blocks, and where its links lead. Blocks are counted, names and links are not."""
    written = text.words.text
    named = {f"{{{{ {found} }}}}" for found in _PRINTED.findall(written)}
    links = {f"the link {found.rstrip('.,;:!?')}" for found in _LINK.findall(written)}
    return Counter([*sorted(named), *sorted(links)]) + Counter(
        f"a block “{block.head.kind or MEMBERS_ONLY}”" for block in written_blocks(every_branch(text.words))
    )


def _missing(subject: CheckSubject) -> Iterator[Finding]:
    """A language in which another mailing of the campaign speaks, and this one does not."""
    spoken = {words.language for mailing in subject.campaign.mailings for words in mailing.translations}
    for language in sorted(spoken - {words.language for words in subject.mailing.translations}):
        original = subject.original.words
        if f"{original.text_file.removesuffix('.md')}.{language}.md" in subject.campaign.unread:
            continue
        yield Finding(
            level=Level.WARNING,
            rule="translation-missing",
            where=original.text_file,
            message=f"there is no translation into “{language}”, and other mailings of this campaign have one",
            mend=f"Write {original.text_file.removesuffix('.md')}.{language}.md, or let its readers get this.",
        )
