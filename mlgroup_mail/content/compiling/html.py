"""MJML to HTML (mrml), and its styles into the tags (premailer)."""

import functools
import logging
import os
import re
from collections.abc import Callable, Mapping

from mlgroup_mail.content.compiling.mjml_structure import ELEMENTS, MjmlError, check_part, check_structure
from mlgroup_mail.errors import CampaignError

_REFUSED = {
    "mj-include": 'Include the file with Jinja: {% include "partials/name.mjml.j2" %}.',
    "mj-font": "Mail programs do not load fonts: name web-safe ones in [theme].",
}
_TAG = re.compile(r"<\s*/?\s*(mj[a-z-]*)", re.IGNORECASE)
_NOT_FROM_STYLES = ("width", "height", "bgcolor", "align", "valign")


def check_elements(templates: Mapping[str, str]) -> None:
    """Refuse MJML elements that mrml would let through in silence; `templates` maps places to their texts."""
    for place, text in templates.items():
        for found in _TAG.finditer(text):
            if (name := found[1].lower()) not in ELEMENTS:
                raise CampaignError(
                    f"there is no MJML element <{name}> here",
                    where=f"{place}, line {text.count(chr(10), 0, found.start()) + 1}",
                    mend=_REFUSED.get(name, f"Known elements: {', '.join(sorted(ELEMENTS))}."),
                )


def check_part_of_page(mjml: str, around: str, place_at: Callable[[int], str]) -> None:
    """Raise CampaignError where what is to stand in an element of that name is no MJML; `place_at` as below."""
    try:
        check_part(mjml, around=around)
    except MjmlError as error:
        raise CampaignError(str(error), where=place_at(error.offset), mend=error.mend) from None


def mjml_to_html(mjml: str, *, place_at: Callable[[int], str]) -> str:
    """A page with its styles in the tags, media queries kept; raises CampaignError where this is no MJML.

    `place_at` gives file and line of what stands at an offset.
    """
    from mjml import mjml2html

    try:
        check_structure(mjml)
    except MjmlError as error:
        raise CampaignError(str(error), where=place_at(error.offset), mend=error.mend) from None
    try:
        # With its own list of fonts, mrml links web fonts, and premailer would fetch them.
        page = mjml2html(mjml, fonts={})
    except Exception as error:  # The binding raises plain exceptions of several kinds.
        raise CampaignError(
            f"this is not valid MJML: {error}",
            where=place_at(0),
            mend="Check that every tag is closed and stands where MJML allows it.",
        ) from None
    return _inlined(page)


def _inlined(page: str) -> str:
    # It keeps the styles it has read, but too few for one mail, and reads most of them anew for each variant.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "2000")
    from premailer import Premailer

    _silence_cssutils()
    inlined = Premailer(
        page,
        allow_network=False,
        allow_loading_external_files=False,
        keep_style_tags=True,
        strip_important=False,
        disable_validation=True,
        # It would turn an image's width="550" into width="100%" where a style says so, and Outlook obeys that.
        disable_basic_attributes=list(_NOT_FROM_STYLES),
        cssutils_logging_level=logging.CRITICAL,
    ).transform()
    # premailer drops the doctype, and browsers would fall back to quirks mode.
    return f"<!doctype html>\n{inlined.removeprefix('<!DOCTYPE html>').lstrip()}"


@functools.cache
def _silence_cssutils() -> None:
    import cssutils  # type: ignore[import-untyped]

    cssutils.log.setLevel(logging.CRITICAL)
