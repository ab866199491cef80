"""/preferences/TOKEN: the topics of the group, each to be turned on or off. The opt-out page and the welcome lead here.

Looking changes nothing. What is saved is what somebody changed on the page they saw: an opt-out that came in since, by
another road or in another window, is never undone by a page that did not know of it.
"""

import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.preferences import Choices, choices_of, choose
from mlgroup_mail.consent.readers_own import NOBODYS
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.web.pages.forms import Fields, read_form
from mlgroup_mail.web.pages.limits import Pace, Turns, later
from mlgroup_mail.web.pages.look import Look, shown_address
from mlgroup_mail.web.pages.reader_language import reader_language
from mlgroup_mail.web.pages.wrong_links import WrongLinks

PATH = "/preferences/{token}"
LEFT_ALL = "left-all"
"""The field of a page that says that they have left everything: who turns topics on knows it."""


class PreferencePages:
    """The page of topics of one project."""

    def __init__(
        self,
        project: Project,
        *,
        tokens: OptOutTokens,
        opt_outs: OptOutTokens,
        look: Look,
        store: Store,
        clock: Clock,
        turns: Turns,
    ) -> None:
        """`tokens` are those of this page, `opt_outs` make the link back."""
        self._tokens, self._opt_outs, self._look = tokens, opt_outs, look
        self._project, self._store, self._clock, self._turns = project, store, clock, turns
        self._pace = Pace()
        self._wrong = WrongLinks()

    def route(self) -> Route:
        """The one route."""
        return Route(PATH, self._answer, methods=["GET", "POST"])

    async def _answer(self, request: Request) -> Response:
        said = self._tokens.read(request.path_params["token"])
        if said is None and not self._wrong.take():
            return later()
        if self._turns.full:
            return later()
        if request.method != "POST":
            return await self._page(request, said)
        fields = await read_form(request)
        if isinstance(fields, Response):
            return fields
        asked = asked_in(fields, self._project.topics)
        if asked is None:
            return await self._page(request, said, done="unclear", status=400)
        knowing = fields.get(LEFT_ALL) == "yes"
        await self._choose(said or NOBODYS, asked, knowing=knowing)
        wanted_some = any(asked.values())
        return await self._page(request, said, done="saved", may_be_older=wanted_some and not knowing)

    async def _choose(self, said: TokenContent, asked: Mapping[str, bool], *, knowing: bool) -> None:
        """Do it, durably; for a link that is nobody's take the time that it would take."""
        begun = time.monotonic()
        topics, now = self._project.topics, self._clock.now()
        wrote = await self._turns.write(
            partial(choose, self._store, said.contact_id, asked, topics, knowing=knowing, now=now)
        )
        await self._pace.keep(time.monotonic() - begun, wrote=wrote)

    async def _page(
        self,
        request: Request,
        said: TokenContent | None,
        *,
        done: str = "",
        may_be_older: bool = False,
        status: int = 200,
    ) -> Response:
        choices = await self._turns.look(partial(self._choices, (said or NOBODYS).contact_id))
        language = reader_language(request, choices.language)
        mailto = self._look.mailto
        # An erased person's link, too: there is nothing to choose.
        if said is None or not choices.address:
            return self._look.page("invalid", language=language, status=status, mailto=mailto)
        every = TokenContent(contact_id=said.contact_id, mailing_id=said.mailing_id, topic=ALL_TOPICS)
        return self._look.page(
            "preferences",
            language=language,
            status=status,
            mailto=mailto,
            # Nothing was turned on for whoever has left everything since the page that they saw was made.
            done="older" if may_be_older and ALL_TOPICS in choices.left else done,
            shown_address=shown_address(choices.address),
            rows=self._rows(choices, of_an_office=False),
            office_rows=self._rows(choices, of_an_office=True),
            none_on=not any(map(choices.is_on, choices.topics)),
            shown=",".join(quote(topic, safe="") for topic in choices.topics),
            was=",".join(quote(topic, safe="") for topic in choices.topics if choices.is_on(topic)),
            stopped=choices.stopped,
            left_all=LEFT_ALL if ALL_TOPICS in choices.left else "",
            opt_out_page=f"../opt-out/{self._opt_outs.make(every)}",
        )

    def _rows(self, choices: Choices, *, of_an_office: bool) -> list[dict[str, object]]:
        """The topics that belong to an office, or the others."""
        return [
            {
                "field": field_of(topic),
                "title": self._project.topic_title(topic),
                "on": choices.is_on(topic),
                "theirs": choices.is_theirs(topic),
            }
            for topic in choices.topics
            if (topic in self._project.statutory_topics) is of_an_office
        ]

    def _choices(self, contact_id: int) -> Choices:
        with self._store.reading() as connection:
            return choices_of(connection, contact_id, self._project.topics)


def field_of(topic: str) -> str:
    """The name of a topic's field in the form."""
    return f"on-{quote(topic, safe='')}".lower()


def asked_in(fields: Fields, topics: Mapping[str, bool]) -> dict[str, bool] | None:
    """What somebody changed on the page that they saw: topic -> on or off; None for what is not our form."""
    if "shown" not in fields:
        return None
    shown, was = _listed(fields["shown"]), _listed(fields.get("was", ""))
    now_on = {topic for topic in topics if field_of(topic) in fields}
    return {topic: topic in now_on for topic in topics if topic in shown and (topic in was) is not (topic in now_on)}


def _listed(text: str) -> set[str]:
    return {unquote(part) for part in text.split(",")}
