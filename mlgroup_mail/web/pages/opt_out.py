"""/opt-out/TOKEN: one click for mail programs (RFC 8058), and the page with its buttons for people.

Looking changes nothing (GET, HEAD): link scanners and previews follow every link. An answer to a POST means that the
opt-out is durable. A link that is not ours, or an erased person's, is answered alike, in the same time, and costs no
write.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.clicking import Click, Standing, Way, apply_clicks, standing, take_back
from mlgroup_mail.consent.readers_own import NOBODYS
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.web.pages.forms import Fields, read_form
from mlgroup_mail.web.pages.limits import Pace, Turns, later
from mlgroup_mail.web.pages.look import Look, apart, shown_address
from mlgroup_mail.web.pages.reader_language import reader_language
from mlgroup_mail.web.pages.together import Together
from mlgroup_mail.web.pages.wrong_links import WrongLinks

PATH = "/opt-out/{token}"


class OptOutPages:
    """The pages of one project."""

    def __init__(
        self,
        project: Project,
        *,
        tokens: OptOutTokens,
        preferences: OptOutTokens,
        look: Look,
        store: Store,
        clock: Clock,
        turns: Turns,
    ) -> None:
        """`preferences` makes the link to the page of topics."""
        self._preferences, self._turns = preferences, turns
        self._project, self._tokens, self._look, self._store, self._clock = project, tokens, look, store, clock
        self._clicks = Together[Click, bool](self._write)
        self._pace = Pace()
        self._wrong = WrongLinks()

    def route(self) -> Route:
        """The one route: what a mail's header and its footer lead to."""
        return Route(PATH, self._answer, methods=["GET", "POST"])

    async def _answer(self, request: Request) -> Response:
        said = self._tokens.read(request.path_params["token"])
        if said is None and not self._wrong.take():
            # Only here: a valid link is never one too many.
            return later()
        if request.method != "POST":
            return later() if self._turns.full else await self._page(request, said)
        fields = await read_form(request)
        if isinstance(fields, Response):
            return fields
        if is_one_click(fields):
            topic = said.topic if said else ALL_TOPICS
            await self._click(said, topic, Way.ONE_CLICK)
            return PlainTextResponse("Thank you. This has been taken in.\n")
        return await self._pressed(request, said, fields)

    async def _pressed(self, request: Request, said: TokenContent | None, fields: Fields) -> Response:
        """A button of the page."""
        topics = {"topic": said.topic if said else ALL_TOPICS, "all": ALL_TOPICS}
        if scope := topics.get(fields.get("scope", "")):
            await self._click(said, scope, Way.BUTTON)
            return await self._page(request, said, done="left", scope=scope)
        if scope := topics.get(fields.get("undo", "")):
            if self._turns.full:
                return later()
            taken_back = await self._take_back(said, scope)
            return await self._page(request, said, done="back", scope=scope, taken_back=taken_back)
        return await self._page(request, said, done="unclear", status=400)

    async def _click(self, said: TokenContent | None, topic: str, way: Way) -> None:
        """Opt out, durably; for a link that is not ours take the time that it would take."""
        begun = time.monotonic()
        new = False
        if said is not None:
            click = Click(
                contact_id=said.contact_id, mailing_id=said.mailing_id, topic=topic, at=self._clock.now(), way=way
            )
            new = await self._clicks.add(click)
        await self._pace.keep(time.monotonic() - begun, wrote=new)

    def _write(self, clicks: Sequence[Click]) -> list[bool]:
        return apply_clicks(self._store, clicks, now=self._clock.now)

    async def _take_back(self, said: TokenContent | None, topic: str) -> bool:
        begun = time.monotonic()
        contact_id = (said or NOBODYS).contact_id
        work = partial(take_back, self._store, contact_id, topic, now=self._clock.now())
        done = await self._turns.write(work)
        await self._pace.keep(time.monotonic() - begun, wrote=done)
        return done

    async def _page(
        self,
        request: Request,
        said: TokenContent | None,
        *,
        done: str = "",
        scope: str = "",
        taken_back: bool = False,
        status: int = 200,
    ) -> Response:
        found = await self._turns.look(partial(self._standing, (said or NOBODYS).contact_id))
        if done == "left" and not found.address:
            # Erased, and told what everybody is told: there is no mail for them anyway.
            found = replace(found, out_of=frozenset({scope}), own=frozenset({scope}))
        language = reader_language(request, found.language)
        mailto = self._look.mailto
        if said is None:
            return self._look.page("invalid", language=language, status=status, mailto=mailto)
        out_of_all, out_of_topic = ALL_TOPICS in found.out_of, said.topic in found.out_of
        offers_topic = said.topic != ALL_TOPICS
        return self._look.page(
            "opt-out",
            language=language,
            status=status,
            mailto=mailto,
            done=done,
            scope="all" if scope == ALL_TOPICS else "topic",
            taken_back=taken_back,
            address=found.address,
            shown_address=shown_address(found.address),
            offers_topic=offers_topic,
            shown_topic=apart(self._project.topic_title(said.topic)) if offers_topic else "",
            listed_topics=self._titles(statutory=False),
            office_topics=self._titles(statutory=True),
            of_an_office=said.topic in self._project.statutory_topics,
            out_of_all=out_of_all,
            out_of_topic=out_of_topic,
            stopped=out_of_all or out_of_topic,
            topics_page=f"../preferences/{self._preferences.make(said)}" if found.address else "",
            may_take_back=(ALL_TOPICS if out_of_all else said.topic) in found.own,
        )

    def _titles(self, *, statutory: bool) -> Markup:
        """The titles of the topics that belong to an office, or of the others; empty where there are none."""
        offices = self._project.statutory_topics
        titles = [self._project.topic_title(topic) for topic in self._project.topics if (topic in offices) is statutory]
        return apart(" · ".join(titles)) if titles else Markup()

    def _standing(self, contact_id: int) -> Standing:
        with self._store.reading() as connection:
            return standing(connection, contact_id)


def is_one_click(fields: Fields) -> bool:
    """Whether a mail program asks, and not a person on the page (RFC 8058, section 3.1)."""
    return fields.get("list-unsubscribe", "").lower() == "one-click"
