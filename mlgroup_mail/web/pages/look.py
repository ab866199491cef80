"""What the pages look like: the project's theme, its own templates before the shipped ones, and no foreign resource."""

import base64
import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from mlgroup_mail.content.language.catalogues import catalogue_languages, direction_of, words_in
from mlgroup_mail.content.language.localised import locale_of
from mlgroup_mail.content.pictures.picture_formats import PictureError, check_whole, media_type_of
from mlgroup_mail.content.templates.template_files import template_folders
from mlgroup_mail.content.templates.theming import theme_context, theme_pictures
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.settings.project import Project

FOLDER = "pages"
"""Of `templates/`: a project's files there come before those of the same name that are shipped."""
STYLE = f"{FOLDER}/style.css.j2"
_FITS = 22
"""Letters that a line of 320 pixels has room for."""


class Look:
    """Makes pages. Each is whole in itself but for the theme's logos, which lie beside it."""

    def __init__(self, project: Project, public_url: str | None) -> None:
        """`public_url`: its path is where the pages lie. Raises ConfigurationError where a template cannot be used."""
        self._project = project
        self._base = urlsplit(public_url or "").path.rstrip("/")
        self._logos = _Logos(project, self._base)
        folders = [folder for folder in template_folders(project) if folder.is_dir()]
        files = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
        self._environment = ImmutableSandboxedEnvironment(
            # As in templates of mails: `shipped/` is the one that comes with the software.
            loader=ChoiceLoader([files, PrefixLoader({"shipped": FileSystemLoader(folders[-1])})]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        try:
            for name in self._environment.list_templates(filter_func=_is_page):
                self._environment.get_template(name)
            theme = theme_context(project.theme.model_dump(mode="json"), self._logos.pictures, "ltr")
            self._style = self._environment.get_template(STYLE).render(theme=theme)
        except TemplateError as error:
            raise _unusable(error) from None
        self._theme = theme

    @cached_property
    def headers(self) -> dict[str, str]:
        """What goes with every page: the style by its hash, nothing from elsewhere, no script, no trace."""
        style = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        return {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        }

    @property
    def mailto(self) -> Markup:
        """The address to write to, as a link."""
        address = self._project.group.opt_out_address
        return Markup('<a href="mailto:{}">{}</a>').format(quote(address, safe="@"), apart(address))

    def page(self, name: str, *, language: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page of the template `pages/NAME.html.j2`, in a language that has a catalogue."""
        content = self._environment.get_template(f"{FOLDER}/{name}.html.j2").render(
            _=_translator(language),
            language=language,
            direction=direction_of(language),
            languages=[(tag, _own_name(tag)) for tag in catalogue_languages("pages")],
            # From templates and checked colours alone.
            style=Markup(self._style),  # noqa: S704
            theme=self._theme,
            group=self._project.group,
            **values,
        )
        return HTMLResponse(content, status_code=status, headers=self.headers)

    def logo_route(self) -> Route:
        """The theme's logos, each under a name that is its content's."""
        return Route("/look/{name}", self._logos.show, methods=["GET"])


def apart(text: str) -> Markup:
    """A text of its own direction within a sentence: a name or an address in an Arabic one."""
    return Markup("<bdi>{}</bdi>").format(text)


def shown_address(masked: str) -> Markup:
    """Whose a link is. What fits on a line of any telephone is not broken."""
    style = "whole" if len(masked) <= _FITS else "long"
    return Markup('<strong class="{}">{}</strong>').format(style, apart(masked))


class _Logos:
    def __init__(self, project: Project, base: str) -> None:
        self._by_name: dict[str, tuple[bytes, str]] = {}
        self.pictures: dict[str, _Logo] = {}
        for name in theme_pictures(project.theme.model_dump(mode="json")):
            content, media_type, width, height = _read_logo(project, name)
            file = f"{hashlib.sha256(content).hexdigest()[:32]}.{media_type.removeprefix('image/')}"
            self._by_name[file] = (content, media_type)
            self.pictures[name] = _Logo(f"{base}/look/{file}", width, height)

    async def show(self, request: Request) -> Response:
        found = self._by_name.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("There is no such picture.\n", status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found[0], media_type=found[1], headers=headers)


class _Logo:
    def __init__(self, src: str, width: int, height: int) -> None:
        self.src, self.width, self.height = src, width, height


def _read_logo(project: Project, name: str) -> tuple[bytes, str, int, int]:
    """The bytes of a logo, its type, and its size in pixels."""
    inner = Path(name).relative_to("templates")
    path = next((folder / inner for folder in template_folders(project) if (folder / inner).is_file()), None)
    content = path.read_bytes() if path else b""
    media_type = media_type_of(content)
    try:
        if media_type is not None:
            return content, media_type, *check_whole(content, media_type)
    except PictureError:
        pass
    raise ConfigurationError(
        "this logo is missing, or is no PNG, JPEG or GIF picture", where=name, mend="Put the file there again."
    )


def _translator(language: str) -> Callable[..., Markup]:
    """`_` of the templates: values come by name, and are escaped."""
    words = words_in(language, "pages")

    def say(message: str, **values: object) -> Markup:
        return escape(words.gettext(message)) % values if values else escape(words.gettext(message))

    return say


def _own_name(language: str) -> str:
    """What a language calls itself: "français"."""
    return str(locale_of(language).get_language_name())


def _is_page(name: str) -> bool:
    return name.startswith(f"{FOLDER}/") and name.endswith(".j2")


def _unusable(error: TemplateError) -> ConfigurationError:
    line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
    name = (isinstance(error, TemplateSyntaxError) and error.name) or FOLDER
    return ConfigurationError(
        f"this template of a page cannot be used: {error.message}",
        where=f"templates/{name}{line}",
        mend="Mend it, or take your own file away: the shipped one serves then.",
    )
