"""The words that a mailing's audience asks the list for, each with the place where somebody wrote it."""

from collections.abc import Iterator, Mapping

from mlgroup_mail.contacts.config import CONTACTS_FILE
from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.contacts.unmet_words import UnmetWords, Word, parts_of, words_of
from mlgroup_mail.content.campaigns.campaign import AudienceRule
from mlgroup_mail.delivery.approving import Files
from mlgroup_mail.documents.reading import read_text
from mlgroup_mail.documents.toml_lines import line_of
from mlgroup_mail.model import ContactStatus
from mlgroup_mail.preflight.subject import UnmetWord


class AskedWords:
    """What of an audience's words nobody on the list has, found while the list goes by."""

    def __init__(self, files: Files, audience: AudienceRule, *, where: str) -> None:
        self._places: dict[Word, str] = {}
        for place, rule in _written(files, audience, where=where):
            for word in words_of(rule):
                if _may_be_a_slip(word):
                    self._places.setdefault(word, place)
        self._unmet = UnmetWords(self._places)
        self.look = self._unmet.look

    @property
    def unmet(self) -> tuple[UnmetWord, ...]:
        """Those that nobody has; none where nobody is on the list."""
        words = self._unmet.words if self._unmet.listed else ()
        return tuple(UnmetWord(key=key, word=word, where=self._places[key, word]) for key, word in words)


def _may_be_a_slip(word: Word) -> bool:
    """Whether somebody may have misspelt it: not the word for "none at all", no known status, and no mailing."""
    key, text = word
    return bool(text) and key != "accepted" and not (key == "status" and text.casefold() in {*ContactStatus})


def _written(files: Files, audience: AudienceRule, *, where: str) -> Iterator[tuple[str, SegmentRule]]:
    """The rules behind an audience as they were written: its own table, and each segment that is named on the way."""
    segments = files.contacts.segment
    if isinstance(audience, Mapping):
        rule = SegmentRule.model_validate(audience)
        yield where, rule
        names = _named(rule)
    else:
        names = [audience]
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name in segments and name not in seen:
            seen.add(name)
            yield _place(files, name), segments[name]
            names += _named(segments[name])


def _named(rule: SegmentRule) -> list[str]:
    return [name for part in parts_of(rule) for name in part.segment or ()]


def _place(files: Files, segment: str) -> str:
    path = files.project.contacts / CONTACTS_FILE
    line = line_of(read_text(path), ("segment", segment))
    return f"{path.relative_to(files.project.root)}, line {line}"
