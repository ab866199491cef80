"""Jinja as this house uses it: sandboxed, strict, escaping where HTML is made; every error names file and line."""

import functools
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import BaseLoader, Environment, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension

from mlgroup_mail.content.language.catalogues import words_in
from mlgroup_mail.content.language.localised import language_filters
from mlgroup_mail.content.merge_fields import MergeField
from mlgroup_mail.content.templates.place_marks import PlaceMarks, place_at
from mlgroup_mail.content.templates.sandbox import RefusedError, Sandbox
from mlgroup_mail.content.templates.syntax_errors import syntax_error
from mlgroup_mail.content.templates.unknown_names import Unknown, UnknownNameError
from mlgroup_mail.content.templates.value_errors import value_error
from mlgroup_mail.errors import CampaignError


class Renderer:
    """Renders texts from memory by name.

    A name that ends with `.mjml.j2` is escaped as HTML. `place` makes a name what people are shown of it. `finalize`
    is applied to everything that is put into a text; `extensions` are Jinja's own kind.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        language: str,
        place: Callable[[str], str] = str,
        finalize: Callable[[object], object] | None = None,
        extensions: Iterable[type[Extension]] = (),
    ) -> None:
        self._names = frozenset(texts)
        self._place = place
        self._places = {place(name) for name in texts}
        self._language, self._finalize, self._texts = language, finalize, _Texts(texts, place)
        self._environment = self._made(extensions)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """The rendered text; raises CampaignError naming the file and line that went wrong."""
        try:
            self._environment.begin()
            return self._environment.collect(self._environment.get_template(name).generate(context))
        except CampaignError:
            raise
        except Exception as error:  # A text may call whatever its filters and values raise.
            raise self._explained(error, name, context) from None

    def place_at(self, name: str, context: Mapping[str, object], offset: int) -> str:
        """File and line of what stands at an offset of a text that has been rendered."""
        marked = self._made([PlaceMarks]).get_template(name).render(context)
        return place_at(marked, offset) or self._place(name)

    def _made(self, extensions: Iterable[type[Extension]]) -> Sandbox:
        environment = _environment(self._language, self._texts, self._finalize)
        for extension in extensions:
            environment.add_extension(extension)
        return environment

    def _explained(self, error: Exception, name: str, context: Mapping[str, object]) -> CampaignError:
        if isinstance(error, TemplateSyntaxError):
            return syntax_error(error, place=self._place(error.name or name))
        # Jinja rewrites tracebacks so that their frames name the template and its line.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in self._places]
        where = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else self._place(name)
        if isinstance(error, RefusedError):
            return CampaignError(error.message, where=where, mend=error.mend)
        if isinstance(error, RecursionError):
            return CampaignError(
                "this calls itself again and again", where=where, mend="A template or macro cannot use itself."
            )
        if isinstance(error, UnknownNameError):
            message, mend = error.explained(context)
            return CampaignError(message, where=where, mend=mend)
        if isinstance(error, TemplateNotFound):
            return CampaignError(
                f"“{error}” cannot be included here",
                where=where,
                mend="A text stands for itself; templates include files of templates/.",
            )
        if isinstance(error, SecurityError):
            return CampaignError("this is not allowed here", where=where, mend="A text only reads values.")
        message, mend = value_error(error)
        return CampaignError(message, where=where, mend=mend)


@functools.lru_cache(maxsize=512)
def parse(text: str, *, place: str) -> nodes.Template:
    """The syntax tree of a text, to be looked at only: the next one who asks gets the same tree.

    Jinja takes a second for the templates of sixty mailings, which are the same few. Raises CampaignError naming file
    and line.
    """
    try:
        return _parser().parse(text)
    except TemplateSyntaxError as error:
        raise syntax_error(error, place=place) from None
    except RecursionError:
        raise CampaignError("this is nested too deeply", where=place, mend="Take brackets or blocks apart.") from None


def jinja_tokens(text: str, *, place: str) -> Sequence[tuple[int, str, str]]:
    """A text's tokens as Jinja's lexer has them: line, kind, what is written; raises CampaignError."""
    try:
        return list(_parser().lex(text))
    except TemplateSyntaxError as error:
        error.source = text
        raise syntax_error(error, place=place) from None


def known_names(kind: type[nodes.Node]) -> Collection[str]:
    """The names of filters (`nodes.Filter`) or tests (`nodes.Test`) that a text can use."""
    return _parser().filters if kind is nodes.Filter else _parser().tests


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
def _parser() -> Sandbox:
    return _environment("en", None, None)


def _environment(language: str, loader: BaseLoader | None, finalize: Callable[[object], object] | None) -> Sandbox:
    environment = Sandbox(
        loader=loader,
        undefined=Unknown,
        autoescape=lambda name: bool(name and name.endswith(".mjml.j2")),
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= language_filters(language)
    environment.add_extension("jinja2.ext.i18n")
    words = words_in(language)
    # New style: values come by name, _("of %(group)s", group=...), and are escaped where HTML is made.
    environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["default"] = environment.filters["d"] = _default(environment.filters["default"])
    return environment


def _default(plain: Callable[..., Any]) -> Callable[..., Any]:
    def default(value: object, *args: Any, **named: Any) -> Any:
        if isinstance(value, MergeField):
            return value.with_fallback(str(args[0]))
        return plain(value, *args, **named)

    return default
