"""In which language a page speaks: what the reader chose on it, what their browser asks for, what their list says."""

from collections.abc import Iterator

from starlette.requests import Request

from mlgroup_mail.content.language.catalogues import SOURCE_LANGUAGE, catalogue_language

_LONGEST = 200
"""Characters of the browser's header: it has ten languages at most."""


def reader_language(request: Request, listed: str) -> str:
    """A language that has a catalogue; `listed` is what the contact list says of the reader, "" for nothing."""
    wanted = (request.query_params.get("lang", ""), *_accepted(request.headers.get("accept-language", "")), listed)
    served = (catalogue_language(tag, "pages") for tag in wanted if len(tag) <= _LONGEST)
    return next(filter(None, served), SOURCE_LANGUAGE)


def _accepted(header: str) -> Iterator[str]:
    """The tags of Accept-Language, the one most wanted first (RFC 9110, section 12.5.4)."""
    weighed = []
    for place, part in enumerate(header[:_LONGEST].split(",")):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if tag.strip() and weight > 0:
            weighed.append((-weight, place, tag.strip()))
    return (tag for _, _, tag in sorted(weighed))


def _weight(parameter: str) -> float:
    name, _, number = parameter.partition("=")
    try:
        return float(number) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
