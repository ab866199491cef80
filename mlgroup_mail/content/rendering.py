"""Jinja as this house uses it: sandboxed, strict, escaping where HTML is made; every error names file and line."""

import difflib
import functools
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mlgroup_mail.content.localised import time_filters
from mlgroup_mail.content.merge_fields import MergeField
from mlgroup_mail.errors import CampaignError

_NOT_HERE = ("safe", "tojson", "xmlattr", "attr", "pprint")
"""Filters that pass text on unescaped, or reach into what texts must not see."""


class Renderer:
    """Renders texts from memory by name.

    A name that ends with `.mjml.j2` is escaped as HTML. `place` makes a name what people are shown of it. `finalize`
    is applied to everything that is put into a text.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        language: str,
        place: Callable[[str], str] = str,
        finalize: Callable[[object], object] | None = None,
    ) -> None:
        self._place = place
        self._places = {place(name) for name in texts}
        self._environment = _environment(language, _Texts(texts, place), finalize)

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """The rendered text; raises CampaignError naming the file and line that went wrong."""
        try:
            return self._environment.get_template(name).render(context)
        except CampaignError:
            raise
        except Exception as error:  # A text may call whatever its filters and values raise.
            raise self._explained(error, name, context) from None

    def _explained(self, error: Exception, name: str, context: Mapping[str, object]) -> CampaignError:
        if isinstance(error, TemplateSyntaxError):
            return _syntax_error(error, self._place(error.name or name))
        # Jinja rewrites tracebacks so that their frames name the template and its line.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self._places]
        where = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else self._place(name)
        message = str(error).rstrip(".") or type(error).__name__
        if isinstance(error, UndefinedError):
            return _unknown_name(message, where, context)
        if isinstance(error, TemplateNotFound):
            return CampaignError(
                f"“{message}” cannot be included here",
                where=where,
                mend="A text stands for itself; templates include files of templates/.",
            )
        if isinstance(error, SecurityError):
            return CampaignError(f"this is not allowed here: {message}", where=where)
        return CampaignError(message, where=where)


def parse(text: str, *, place: str) -> nodes.Template:
    """The syntax tree of a text; raises CampaignError naming file and line."""
    try:
        return _parser().parse(text)
    except TemplateSyntaxError as error:
        raise _syntax_error(error, place) from None


class _Texts(BaseLoader):
    """Serves texts under the names people know, so that tracebacks show them."""

    def __init__(self, texts: Mapping[str, str], place: Callable[[str], str]) -> None:
        self._texts = texts
        self._place = place

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        if template not in self._texts:
            raise TemplateNotFound(template)
        return self._texts[template], self._place(template), lambda: True


@functools.cache
def _parser() -> Environment:
    return _environment("en", None, None)


def _environment(language: str, loader: BaseLoader | None, finalize: Callable[[object], object] | None) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=lambda name: bool(name and name.endswith(".mjml.j2")),
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in _NOT_HERE:
        del environment.filters[name]
    environment.filters |= time_filters(language)
    environment.filters["default"] = environment.filters["d"] = _default(environment.filters["default"])
    return environment


def _default(plain: Callable[..., Any]) -> Callable[..., Any]:
    def default(value: object, *args: Any, **named: Any) -> Any:
        if isinstance(value, MergeField):
            return value.with_fallback(str(args[0]))
        return plain(value, *args, **named)

    return default


def _syntax_error(error: TemplateSyntaxError, place: str) -> CampaignError:
    message = str(error.message or error).rstrip(".")
    return CampaignError(
        f"this is not valid Jinja: {message[:1].lower()}{message[1:]}",
        where=f"{place}, line {error.lineno}",
        mend="Values stand in {{ }}, conditions in {% %}; each {% if %} needs its {% endif %}.",
    )


def _unknown_name(message: str, where: str, context: Mapping[str, object]) -> CampaignError:
    """Jinja says "'grup' is undefined" or "'dict object' has no attribute 'membres'"."""
    wanted = message.split("'")[-2] if message.count("'") >= 2 else message
    tables = {name: table for name, table in context.items() if isinstance(table, Mapping)}
    inner = {key: f"{name}.{key}" for name, table in tables.items() for key in table}
    known = inner if "has no attribute" in message else {name: name for name in context}
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"Did you mean {known[near[0]]}? " if near else ""
    return CampaignError(
        f"“{wanted}” is not known here",
        where=where,
        mend=f"{hint}Known: {', '.join(sorted(context))}. Values of your own go under [values] of the front matter.",
    )
