"""Words of a segment's rule that nobody on the list answers to: most often a slip of whoever wrote the rule."""

from collections.abc import Iterable, Iterator, Sequence

from mlgroup_mail.contacts.segment_rules import SegmentRule
from mlgroup_mail.contacts.segments import NO_ANSWERS, Answers, make_segment
from mlgroup_mail.model import Contact

Word = tuple[str, str]
"""A key of a rule, and one word of its list: `("status", "member")`."""

_COMBINING = frozenset({"any", "all", "not", "segment"})


class UnmetWords:
    """Those of some words that nobody has been found for; each is asked only until somebody answers to it."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._open = {word: make_segment("one word", SegmentRule.model_validate(dict([word]))) for word in words}
        self.listed = 0
        """How many people have been looked at."""

    def look(self, people: Sequence[Contact], answers: Answers = NO_ANSWERS) -> None:
        """Look at more of the list."""
        self.listed += len(people)
        self._open = {
            word: one for word, one in self._open.items() if not any(one.matches(person, answers) for person in people)
        }

    @property
    def words(self) -> tuple[Word, ...]:
        """Those that are still open, in the order given."""
        return tuple(self._open)


def words_of(rule: SegmentRule) -> Iterator[Word]:
    """The words of a rule and of all rules inside it, those of the segments that it only names left out."""
    for part in parts_of(rule):
        for key, words in part.written().items():
            if key not in _COMBINING:
                yield from ((key, word) for word in words)


def parts_of(rule: SegmentRule) -> Iterator[SegmentRule]:
    """The rule and all rules inside it."""
    yield rule
    for inner in (*(rule.any_of or ()), *(rule.all_of or ()), *([rule.excluded] if rule.excluded else ())):
        yield from parts_of(inner)
