"""/join and /join/TOKEN: a form that asks, and the button that confirms it.

The form's answer is the same for every address, in the same time. Looking changes nothing: a link scanner that opens
what the mail shows joins nobody.
"""

import logging
import time
from dataclasses import asdict, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mlgroup_mail import addresses
from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.joining import JoinTerms, ask_to_join, confirm, find_joining
from mlgroup_mail.consent.preferences import Choices
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.texts import TextError, one_line
from mlgroup_mail.content.language.localised import locale_of
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.join_requests import AboutThem, Applicant, JoinRequest
from mlgroup_mail.store.readers import OF_THE_WELCOME
from mlgroup_mail.web.pages.forms import Fields, read_form
from mlgroup_mail.web.pages.limits import WRONG_A_SECOND, WRONG_AT_ONCE, Allowance, Pace, Turns, later
from mlgroup_mail.web.pages.look import Look, apart, shown_address
from mlgroup_mail.web.pages.reader_language import reader_language
from mlgroup_mail.web.postman import Postman

log = logging.getLogger(__name__)

FORM_PATH, LINK_PATH = "/join", "/join/{token}"
TRAP = "website"
"""A field that people do not see."""
ASKED_A_SECOND, ASKED_AT_ONCE = 2, 30
"""Forms that are taken in, in the whole process."""
LONGEST = 200
"""Characters of each field."""
_ABOUT = ("name", "organisation", "country")


class JoinPages:
    """The pages of one project that people can join."""

    def __init__(
        self,
        project: Project,
        terms: JoinTerms,
        *,
        preferences: OptOutTokens,
        look: Look,
        store: Store,
        clock: Clock,
        turns: Turns,
        postman: Postman,
    ) -> None:
        """`preferences` makes the link to the page of topics; `postman` is told when a mail is due."""
        self._project, self._terms, self._preferences, self._look = project, terms, preferences, look
        self._store, self._clock, self._turns, self._postman = store, clock, turns, postman
        self._pace = Pace()
        self._asked = Allowance(per_second=ASKED_A_SECOND, burst=ASKED_AT_ONCE)
        self._wrong = Allowance(per_second=WRONG_A_SECOND, burst=WRONG_AT_ONCE)

    def start(self) -> None:
        """The server starts: what was due when the last one ended is sent."""
        self._postman.wake()

    def routes(self) -> list[Route]:
        """The form and the link."""
        return [
            Route(FORM_PATH, self._form, methods=["GET", "POST"]),
            Route(LINK_PATH, self._link, methods=["GET", "POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        language = reader_language(request, "")
        if request.method != "POST":
            return self._form_page(language)
        if self._turns.full or not self._asked.take():
            return later()
        fields = await read_form(request)
        if isinstance(fields, Response):
            return fields
        applicant = applicant_of(fields, language)
        if applicant is None:
            return self._form_page(language, done="unclear", filled=fields, status=400)
        taken = await self._ask(applicant) if not fields.get(TRAP) else False
        if taken is None:
            return self._form_page(language, done="full", status=429)
        return self._form_page(language, done="asked")

    async def _ask(self, applicant: Applicant) -> bool | None:
        begun = time.monotonic()
        work = partial(ask_to_join, self._store, applicant, self._terms, now=self._clock.now())
        taken = await self._turns.write(work)
        await self._pace.keep(time.monotonic() - begun, wrote=bool(taken))
        if taken:
            self._postman.wake()
        return taken

    def _form_page(self, language: str, *, done: str = "", filled: Fields | None = None, status: int = 200) -> Response:
        shown = {name: (filled or {}).get(name, "")[:LONGEST] for name in ("address", *_ABOUT)}
        return self._look.page(
            "join",
            language=language,
            status=status,
            mailto=self._look.mailto,
            done=done,
            filled=shown,
            joined=apart(self._joined()),
        )

    async def _link(self, request: Request) -> Response:
        if self._turns.full:
            return later()
        token = request.path_params["token"]
        now = self._clock.now()
        found, choices = await self._turns.look(partial(find_joining, self._store, token, self._terms, now=now))
        if found is None:
            # Only here: a link of ours is never one too many.
            return self._invalid_page(request) if self._wrong.take() else later()
        language = reader_language(request, found.language)
        if request.method != "POST" or choices is not None:
            return self._link_page(language, found, choices)
        fields = await read_form(request)
        if isinstance(fields, Response):
            return fields
        if fields.get("join") != "yes":
            return self._link_page(language, found, status=400)
        about = _as_confirmed(fields, found, language)
        choices = await self._turns.write(partial(confirm, self._store, token, about, self._terms, now=now))
        if choices is None:
            return self._invalid_page(request)
        self._postman.wake()
        return self._link_page(language, found, choices)

    def _invalid_page(self, request: Request) -> Response:
        return self._look.page("invalid", language=reader_language(request, ""), mailto=self._look.mailto)

    def _link_page(
        self, language: str, found: JoinRequest, choices: Choices | None = None, *, status: int = 200
    ) -> Response:
        content = TokenContent(
            contact_id=choices.contact_id if choices else 0, mailing_id=OF_THE_WELCOME, topic=ALL_TOPICS
        )
        on = [self._project.topic_title(topic) for topic in choices.topics if choices.is_on(topic)] if choices else []
        return self._look.page(
            "joined",
            language=language,
            status=status,
            mailto=self._look.mailto,
            done="joined" if choices else "",
            filled={
                "name": found.name,
                "organisation": found.organisation,
                "country": _country_name(found.country, language),
            },
            shown_address=shown_address(addresses.mask(found.address)),
            joined=apart(self._joined()),
            topics_on=apart(" · ".join(on)) if on else "",
            stopped=choices.stopped if choices else False,
            topics_page=f"../preferences/{self._preferences.make(content)}",
        )

    def _joined(self) -> str:
        return " · ".join(map(self._project.topic_title, self._terms.joined))


def applicant_of(fields: Fields, language: str) -> Applicant | None:
    """What somebody has filled in; None where there is no address in it. What cannot be read is left out."""
    try:
        address = addresses.normalise(fields.get("address", ""))
    except addresses.AddressError:
        return None
    return Applicant(address=address, language=language, **asdict(about_them(fields)))


def about_them(fields: Fields) -> AboutThem:
    """What somebody says of themselves. What cannot be read is left out."""
    name, organisation, country = (_line(fields.get(each, "")) for each in _ABOUT)
    return AboutThem(name=name, organisation=organisation, country=find_country(country))


def _as_confirmed(fields: Fields, found: JoinRequest, language: str) -> AboutThem:
    """The same of whoever confirms it. Not every language's countries are read: one left as it stood is what it was."""
    about = about_them(fields)
    as_it_stood = fields.get("country", "") == _country_name(found.country, language)
    return replace(about, country=found.country) if as_it_stood else about


def _country_name(code: str, language: str) -> str:
    return str(locale_of(language).territories.get(code, code))


def _line(text: str) -> str:
    try:
        return one_line(text) if len(text) <= LONGEST else ""
    except TextError:
        return ""
