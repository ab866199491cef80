"""How a provider fails over HTTP, and whether that leaves a whole request in doubt."""

from dataclasses import dataclass, replace

from mlgroup_mail.testing.sendgrid.faults import (
    Fault,
    Trouble,
    answers,
    bad_recipient,
    redirects,
    too_many_requests,
)

PATIENCE = 2.5
"""Seconds that an answer is awaited where it may come too late: longer than a busy machine keeps a living server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpTrouble:
    """One trouble. `doubtful`: nobody can know whether it was accepted; `late`: its sender gives up waiting."""

    fault: Fault
    doubtful: bool = False
    late: bool = False

    def at(self, request: int) -> "HttpTrouble":
        """The same at the request of that number."""
        return replace(self, fault=replace(self.fault, request=request))


def _broken(trouble: Trouble, *, taken: bool = False) -> HttpTrouble:
    return HttpTrouble(fault=Fault(trouble=trouble, taken=taken), doubtful=True)


def _said(fault: Fault, *, doubtful: bool = False) -> HttpTrouble:
    return HttpTrouble(fault=fault, doubtful=doubtful)


HTTP_TROUBLES: dict[str, HttpTrouble] = {
    "reset before reading": _broken(Trouble.RESETS_BEFORE),
    "reset in the middle of the request": _broken(Trouble.RESETS_DURING),
    "reset, not accepted": _broken(Trouble.RESETS_AFTER),
    "reset, accepted": _broken(Trouble.RESETS_AFTER, taken=True),
    "half a status line, not accepted": _broken(Trouble.CUTS_STATUS),
    "half a status line, accepted": _broken(Trouble.CUTS_STATUS, taken=True),
    "202 with half a body": _said(Fault(trouble=Trouble.CUTS_BODY, status=202, taken=True)),
    "202, then closed": _said(Fault(trouble=Trouble.CLOSES)),
    "202, slowly": _said(Fault(trouble=Trouble.WAITS, seconds=0.8)),
    "202, too late": HttpTrouble(fault=Fault(trouble=Trouble.WAITS, seconds=2 * PATIENCE), doubtful=True, late=True),
    "500 before acceptance": _said(answers(500, "not now"), doubtful=True),
    "500 after acceptance": _said(answers(500, "not now", taken=True), doubtful=True),
    "503 before acceptance": _said(answers(503), doubtful=True),
    "503 after acceptance": _said(answers(503, taken=True), doubtful=True),
    "429 with Retry-After": _said(too_many_requests(retry_after=1)),
    "429 with X-RateLimit-Reset": _said(too_many_requests(reset_in=2)),
    "429 without headers": _said(too_many_requests()),
    "400 for one recipient": _said(bad_recipient(0)),
    "413": _said(answers(413, "content too large", times=2)),
    "413 before it has read": _said(Fault(trouble=Trouble.ANSWERS_EARLY, status=413), doubtful=True),
    "302 to another place": _said(redirects(302, "http://elsewhere.example/v3/mail/send")),
    "307 to another place": _said(redirects(307, "http://elsewhere.example/v3/mail/send")),
    "401": _said(answers(401, "The provided authorization grant is invalid, expired, or revoked")),
}
