"""Jinja's sandbox as this house sets it up: what a text may call and print, and how much of the machine it may take.

A slip costs an error, never a machine: texts are counted before they are made, rounds of loops before they are run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from datetime import date
from decimal import Decimal
from typing import Any

from jinja2 import Environment, Undefined, nodes, pass_context, pass_environment
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.content.merge_fields import MERGE_FIELDS, MergeField, placed

MAX_TEXT = 2_000_000
"""Characters of one value, of everything that is printed, and of what comes out. A mail has fifty thousand."""
MAX_ROUNDS = 20_000
"""Rounds of all loops of one rendering together."""
_MAX_BITS = 4_000
"""Of a whole number."""

_STRING_METHODS = frozenset(
    {"capitalize", "casefold", "count", "endswith", "find", "isalpha", "isdigit", "islower", "isnumeric", "isupper"}
    | {"lower", "lstrip", "partition", "removeprefix", "removesuffix", "rpartition", "rsplit", "rstrip", "split"}
    | {"splitlines", "startswith", "strip", "swapcase", "title", "upper"}
)
"""Those that make no text longer."""

REFUSED_FILTERS = {
    "safe": "What is put into a text is always escaped. Write Markdown, or put the markup into a template.",
    "tojson": "A mail has no use for JSON: write the value itself.",
    "xmlattr": "Write each attribute with its value in quotes.",
    "attr": "Write the name behind a point: {{ group.members }}.",
    "pprint": "Write the value itself.",
    "random": "Everybody gets what was approved: nothing in a mail is left to chance.",
    "format": "Write the value where it is to stand, or join texts with ~.",
    "batch": "Write a loop: {% for ... %}.",
    "slice": "Write a loop: {% for ... %}.",
    "center": "A template sets what stands in the middle.",
}
"""Filters of Jinja that texts go without, each with what to do instead."""


class RefusedError(Exception):
    """What a text asks for cannot be done; says what to write instead."""

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message, self.mend = message, mend


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one rendering at a time. `rules` says what is put into a text in place of a value."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, *, finalize: Callable[[object], object] | None, **options: Any) -> None:
        self._finalize_value = finalize or (lambda value: value)
        self.begin()
        super().__init__(finalize=self._printed, **options)
        for name in REFUSED_FILTERS:
            del self.filters[name]
        del self.globals["lipsum"]
        self.globals["range"] = _range
        self.filters |= {
            "indent": _bounded_indent(self.filters["indent"]),
            "join": _bounded_join(self.filters["join"]),
            "replace": _bounded_replace(self.filters["replace"]),
            "wordwrap": _bounded_wordwrap(self.filters["wordwrap"]),
            _ROUNDS: _rounds,
            _SIZE: _sized,
        }

    def begin(self) -> None:
        """Forget what an earlier rendering took."""
        self._rounds = self._characters = 0

    def collect(self, pieces: Iterable[str]) -> str:
        """A rendering's pieces as one text; raises RefusedError where they are too many."""
        found, size = [], 0
        for piece in pieces:
            size += len(piece)
            _refuse_above(size)
            found.append(piece)
        return "".join(found)

    def spend_rounds(self, number: int) -> None:
        """Count rounds of a loop; raises RefusedError above the limit."""
        self._rounds += number
        if self._rounds > MAX_ROUNDS:
            raise RefusedError(
                f"the loops here take more than {MAX_ROUNDS:,} rounds",
                "Count what they go through; loops within loops multiply.",
            )

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As in Jinja; of texts, only methods that make them no longer."""
        safe = super().is_safe_attribute(obj, attr, value)
        if safe and isinstance(obj, str) and callable(value) and attr not in _STRING_METHODS:
            raise RefusedError(f"“{attr}” cannot be called on a text here", "Use a filter instead: {{ text | upper }}.")
        return safe

    def wrap_str_format(self, value: Any) -> None:
        """As in Jinja, which lets texts be formatted; a width in a format makes them as long as it says."""
        if super().wrap_str_format(value) is not None:
            raise RefusedError("“format” cannot be called on a text here", REFUSED_FILTERS["format"])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """As in Jinja, where the result can be held."""
        _check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        bounded = _Bounds(filename or "").visit(source)
        return super()._generate(bounded, name, filename, defer_init)

    def _printed(self, value: object) -> object:
        _must_be_printable(value)
        shown = self._finalize_value(value)
        self._characters += len(shown) if isinstance(shown, str) else 0
        _refuse_above(self._characters)
        return shown


class _Bounds(NodeTransformer):
    """Puts counters into a tree: around what loops go through, and around texts that are joined.

    A merge field learns where it stands, so that an error found in the finished page can name its line.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja names it.
        """Count the rounds."""
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _ROUNDS)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja names it.
        """Measure the result."""
        self.generic_visit(node)
        return _filtered(node, _SIZE)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja names it.
        """Name the place of a merge field."""
        self.generic_visit(node)
        if isinstance(node.node, nodes.Name) and f"{node.node.name}.{node.attr}" in MERGE_FIELDS:
            node.attr = placed(node.attr, f"{self._place}, line {node.lineno}")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - Jinja names it.
        """Name the place of a merge field."""
        self.generic_visit(node)
        if isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
            name = str(node.arg.value)
            if f"{node.node.name}.{name}" in MERGE_FIELDS:
                node.arg = nodes.Const(placed(name, f"{self._place}, line {node.lineno}"), lineno=node.lineno)
        return node


_ROUNDS, _SIZE = "rounds of a loop", "size of a text"
"""Names that no text can write."""


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    filtered = nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
    filtered.set_environment(node.environment)  # type: ignore[arg-type]
    return filtered


@pass_context
def _rounds(context: Context, value: Iterable[Any]) -> Iterable[Any]:
    environment = context.environment
    assert isinstance(environment, Sandbox)
    if isinstance(value, Undefined) or not isinstance(value, Sized):
        return _counted(environment, value)
    environment.spend_rounds(len(value))
    return value


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_ROUNDS:
        raise RefusedError(f"this counts further than {MAX_ROUNDS:,}", "Count what the loop is to go through.")
    return found


def _counted(environment: Sandbox, value: Iterable[Any]) -> Iterator[Any]:
    for entry in value:
        environment.spend_rounds(1)
        yield entry


def _sized(value: str) -> str:
    _refuse_above(len(value))
    return value


def _bounded_indent(plain: Callable[..., Any]) -> Callable[..., Any]:
    def indent(text: str, width: int | str = 4, *args: Any, **named: Any) -> Any:
        longest = len(width) if isinstance(width, str) else abs(width)
        _refuse_above((text.count("\n") + 1) * longest + len(text))
        return plain(text, width, *args, **named)

    return indent


def _bounded_wordwrap(plain: Callable[..., str]) -> Callable[..., str]:
    # Without its own line break, which may be as long as one likes.
    @pass_environment
    def wordwrap(environment: Environment, value: str, width: int = 79, break_long_words: bool = True) -> str:
        return plain(environment, value, width, break_long_words)

    return wordwrap


def _bounded_replace(plain: Callable[..., Any]) -> Callable[..., Any]:
    from jinja2 import pass_eval_context

    @pass_eval_context
    def replace(context: Any, text: str, old: str, new: str, *args: Any, **named: Any) -> Any:
        _refuse_above(len(str(text)) + str(text).count(str(old)) * len(str(new)))
        return plain(context, text, old, new, *args, **named)

    return replace


def _bounded_join(plain: Callable[..., Any]) -> Callable[..., Any]:
    from jinja2 import pass_eval_context

    @pass_eval_context
    def join(context: Any, value: Iterable[Any], between: str = "", *args: Any, **named: Any) -> Any:
        entries = list(value)
        _refuse_above(sum(len(entry) for entry in entries if isinstance(entry, str)) + len(entries) * len(str(between)))
        return plain(context, entries, between, *args, **named)

    return join


def _check_operands(operator: str, left: Any, right: Any) -> None:
    if operator == "%" and isinstance(left, str):
        raise RefusedError("texts are not put together with % here", "Join them with ~, or write {{ }} in the text.")
    if operator == "+" and isinstance(left, Sized) and isinstance(right, Sized):
        _refuse_above(len(left) + len(right))
    if operator == "*":
        for text, times in ((left, right), (right, left)):
            if isinstance(text, Sized) and isinstance(times, int):
                _refuse_above(len(text) * times)
    if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _MAX_BITS:
            raise RefusedError("this number is too large to be written down", "Look at what is multiplied.")


def _refuse_above(size: int) -> None:
    if size > MAX_TEXT:
        raise RefusedError(
            f"this makes a text of more than {MAX_TEXT:,} characters",
            "A mail has some ten thousand: look at what repeats.",
        )


def _must_be_printable(value: object) -> None:
    """Refuse what would be read as Python: None, True, a list in brackets, the name of a method."""
    kind = type(value)
    if isinstance(value, WallTime | date):
        raise RefusedError(
            "a moment of the calendar is printed by a filter",
            'Write {{ events["..."].start | date }}, | time or | zone; {{ events["..."] | when }} says all of it.',
        )
    if isinstance(value, str | int | float | Decimal | MergeField | Undefined) and not isinstance(value, bool):
        return
    if hasattr(kind, "__html__") or kind.__str__ is not object.__str__:
        return
    if value is None:
        raise RefusedError("there is nothing here to be printed", "Ask first: {% if x %}{{ x }}{% endif %}.")
    if isinstance(value, bool):
        raise RefusedError(
            f"this would be printed as “{value}”", "Write it as a condition: {% if x %}yes{% else %}no{% endif %}."
        )
    if isinstance(value, Mapping):
        raise RefusedError("a table cannot be printed", f"Name one of its entries: {', '.join(map(str, value))}.")
    if isinstance(value, list | tuple | set | frozenset):
        raise RefusedError("a list cannot be printed as it is", 'Join it: {{ x | join(", ") }}.')
    if callable(value):
        raise RefusedError("a method cannot be printed", "Use a filter instead: {{ text | upper }}.")
    parts = [name for name in dir(value) if not name.startswith("_")]
    raise RefusedError("this has several parts", f"Name one of them: {', '.join(parts)}." if parts else "")
