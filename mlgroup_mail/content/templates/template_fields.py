"""What templates and texts name, read from their syntax trees before anything is compiled.

A merge field may stand alone in `{{ }}`, with `default("...")` at most: everything else would look at a value that is
not there yet. Shared fields may be used freely; which of them are named anywhere decides the variants.
"""

import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import nodes

from mlgroup_mail.content.merge_fields import LINK_FIELDS, RECIPIENT_FIELDS, SHARED_FIELDS, SHARED_SETS
from mlgroup_mail.content.templates.rendering import known_names, parse
from mlgroup_mail.content.templates.sandbox import REFUSED_FILTERS
from mlgroup_mail.errors import CampaignError, Collected

_MERGE = {"recipient": RECIPIENT_FIELDS, "links": LINK_FIELDS}
_KNOWN = {"recipient": (*RECIPIENT_FIELDS, *SHARED_FIELDS), "links": LINK_FIELDS}
_DEFAULTS = ("default", "d")
_TESTS = ("If", "CondExpr", "Test", "Compare", "Operand", "And", "Or", "Not")
_JOINS = ("Concat", "Add", "Mod", "Mul")
_CAPTURES = {
    "FilterBlock": "{% filter %}",
    "AssignBlock": "{% set %}",
    "CallBlock": "{% call %}",
    "Macro": "{% macro %}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldUse:
    """What is named: merge fields (`recipient.name`), shared fields (`timezone`, `themes:ethics`), events by id.

    `events` is None where the calendar is used as a whole, `event_times` whether an event's time on the reader's clock
    is asked for (the filter `your_time`). The names are sorted.
    """

    merge: tuple[str, ...]
    shared: tuple[str, ...]
    events: tuple[str, ...] | None
    event_times: bool


def field_use(templates: Mapping[str, str]) -> FieldUse:
    """Read texts by their place as shown to people.

    Raises CampaignError, naming file, line and what to write instead, for Jinja that cannot be read, an unknown
    field, or a merge field where none can stand.
    """
    found = _Found()
    problems = Collected()
    # A title that is the subject stands on its line too: what is wrong with both is told once.
    places: dict[str, str] = {}
    for place, text in templates.items():
        places.setdefault(text, place)
    for text, place in places.items():
        with problems:
            found.add(_found_in(place, text))
    problems.refuse()
    shared = {name for name in found.shared if name.partition(":")[0] not in found.shared or ":" not in name}
    return FieldUse(
        merge=tuple(sorted(found.merge)),
        shared=tuple(sorted(shared)),
        events=None if found.whole_calendar else tuple(sorted(found.events)),
        event_times=found.event_times,
    )


class _Found:
    def __init__(self) -> None:
        self.merge: set[str] = set()
        self.shared: set[str] = set()
        self.events: set[str] = set()
        self.whole_calendar = False
        self.event_times = False

    def add(self, other: "_Found") -> None:
        """Count in what another text names."""
        self.merge |= other.merge
        self.shared |= other.shared
        self.events |= other.events
        self.whole_calendar |= other.whole_calendar
        self.event_times |= other.event_times


@functools.lru_cache(maxsize=512)
def _found_in(place: str, text: str) -> _Found:
    """What one text names. Most texts are templates, which all mailings of a kind share."""
    found = _Found()
    reader = _Reader(place, found)
    reader.read(parse(text, place=place), ())
    reader.problems.refuse()
    return found


class _Reader:
    """Walks one tree; `above` are the nodes around the one being read, the nearest last."""

    def __init__(self, place: str, found: _Found) -> None:
        self._place = place
        self._found = found
        self.problems = Collected()

    def read(self, node: nodes.Node, above: tuple[nodes.Node, ...]) -> None:
        match node:
            case nodes.ScopedEvalContextModifier():
                raise self._error(
                    node, "{% autoescape %} cannot be used here", "Escaping is always on where it must be."
                )
            case nodes.Name(name="recipient" | "links" as name):
                raise self._error(
                    node,
                    f"“{name}” can only be used with one of its fields",
                    f"Write {{{{ {name}.FIELD }}}}, FIELD being one of {', '.join(_KNOWN[name])}.",
                )
            case nodes.Name(name="events"):
                self._found.whole_calendar = True
            case nodes.Filter(name=name) | nodes.Test(name=name) if name not in known_names(type(node)):
                raise self._unknown_name(node, name)
            case nodes.For(recursive=True):
                raise self._error(node, "a loop cannot call itself here", "Write one loop within the other.")
            case nodes.Filter(name="your_time"):
                self._found.event_times = True
            case nodes.Getattr() | nodes.Getitem() if base := _base(node):
                self._field(node, base, _constant_name(node), above)
                if isinstance(node, nodes.Getitem):
                    self.read(node.arg, (*above, node))
                return
        for child in node.iter_child_nodes():
            with self.problems:
                self.read(child, (*above, node))

    def _field(self, node: nodes.Node, base: str, name: str | None, above: tuple[nodes.Node, ...]) -> None:
        if base == "events":
            self._event(name)
        elif name is None or name not in _KNOWN[base]:
            raise self._unknown(node, base, name)
        elif name in _MERGE[base]:
            self._check_position(node, f"{base}.{name}", above)
            self._found.merge.add(f"{base}.{name}")
        else:
            self._found.shared.add(_shared_name(name, node, above))

    def _event(self, name: str | None) -> None:
        if name is None or name in ("items", "keys", "values", "get"):
            self._found.whole_calendar = True
        else:
            self._found.events.add(name)

    def _check_position(self, node: nodes.Node, name: str, above: tuple[nodes.Node, ...]) -> None:
        for outer in above:
            if block := _CAPTURES.get(type(outer).__name__):
                raise self._error(
                    node,
                    f"{name} cannot stand inside {block}",
                    f"It is filled in after compiling: write {{{{ {name} }}}} where it is to be read.",
                )
        parent, *rest = reversed(above)
        if isinstance(parent, nodes.Output):
            return
        if not isinstance(parent, nodes.Filter) or parent.name not in _DEFAULTS:
            raise self._misuse(node, name, parent)
        if not (
            len(parent.args) >= 1 and isinstance(parent.args[0], nodes.Const) and isinstance(parent.args[0].value, str)
        ):
            raise self._error(
                node,
                f"the default of {name} must be a text in quotes",
                f'Write {{{{ {name} | default("colleague") }}}}.',
            )
        if not isinstance(rest[0], nodes.Output):
            raise self._misuse(node, name, rest[0])

    def _misuse(self, node: nodes.Node, name: str, parent: nodes.Node) -> CampaignError:
        kind = type(parent).__name__
        plain = f'Write {{{{ {name} }}}} or {{{{ {name} | default("...") }}}}'
        if kind == "Filter":
            return self._error(
                node,
                f"the filter “{getattr(parent, 'name', '')}” cannot be used on {name}",
                f"It is filled in for each recipient after compiling. {plain}.",
            )
        if kind in _TESTS:
            return self._error(
                node,
                f"{name} cannot be tested: it is filled in for each recipient after compiling",
                f"{plain}: the default stands where the value is empty.",
            )
        if kind in _JOINS:
            return self._error(
                node, f"{name} cannot be joined to other text in an expression", f"{plain}, with the text around it."
            )
        return self._error(node, f"{name} cannot be used in an expression", f"{plain}.")

    def _unknown(self, node: nodes.Node, base: str, name: str | None) -> CampaignError:
        if name is None:
            return self._error(node, f"a field of “{base}” must be named directly", f"Write {{{{ {base}.FIELD }}}}.")
        known = _KNOWN[base]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {base}.{near[0]}? " if near else ""
        return self._error(node, f"there is no field {base}.{name}", f"{hint}Known fields: {', '.join(known)}.")

    def _unknown_name(self, node: nodes.Node, name: str) -> CampaignError:
        noun, known = type(node).__name__.lower(), [name for name in known_names(type(node)) if name.isidentifier()]
        if mend := REFUSED_FILTERS.get(name, ""):
            return self._error(node, f"the filter “{name}” cannot be used here", mend)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean “{near[0]}”? " if near else ""
        return self._error(node, f"there is no {noun} “{name}”", f"{hint}Known {noun}s: {', '.join(sorted(known))}.")

    def _error(self, node: nodes.Node, message: str, mend: str) -> CampaignError:
        return CampaignError(message, where=f"{self._place}, line {node.lineno}", mend=mend)


def _base(node: nodes.Getattr | nodes.Getitem) -> str | None:
    name = node.node.name if isinstance(node.node, nodes.Name) else ""
    return name if name in ("recipient", "links", "events") else None


def _constant_name(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return str(node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _shared_name(name: str, node: nodes.Node, above: tuple[nodes.Node, ...]) -> str:
    """The set's name with the member asked for in `'ethics' in recipient.themes`, or the field as a whole."""
    if name in SHARED_SETS and len(above) > 1 and isinstance(above[-1], nodes.Operand):
        comparison = above[-2]
        if (
            above[-1].op in ("in", "notin")
            and isinstance(comparison, nodes.Compare)
            and len(comparison.ops) == 1
            and isinstance(comparison.expr, nodes.Const)
            and isinstance(comparison.expr.value, str)
            and comparison.expr is not node
        ):
            return f"{name}:{comparison.expr.value}"
    return name
