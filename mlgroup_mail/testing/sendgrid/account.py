"""The account behind the API key: what it may, how it is set up, whom it writes to no more. All of it is settable."""

from collections.abc import Mapping
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import MAIL_SEND, Answer, Request, answer_json, refuse
from mlgroup_mail.testing.sendgrid.suppressions import Suppressions

FAKE_KEY = "SG.fake-key-of-no-account.only-for-tests-on-loopback"
ALL_SCOPES = (
    "mail.send",
    "scopes.read",
    "tracking_settings.read",
    "sender_verification_eligible",
    "whitelabel.read",
    "suppression.read",
    "suppression.delete",
    "asm.groups.read",
    "asm.groups.suppressions.create",
    "asm.groups.suppressions.delete",
    "user.webhooks.event.settings.read",
)
# A path's beginning, and the scope that each method needs there.
_NEEDED: tuple[tuple[str, Mapping[str, str]], ...] = (
    (MAIL_SEND, {"POST": "mail.send"}),
    ("/v3/tracking_settings", {"GET": "tracking_settings.read"}),
    ("/v3/verified_senders", {"GET": "sender_verification_eligible"}),
    ("/v3/whitelabel/domains", {"GET": "whitelabel.read"}),
    ("/v3/suppression/", {"GET": "suppression.read", "DELETE": "suppression.delete"}),
    (
        "/v3/asm/suppressions/global",
        {
            "GET": "suppression.read",
            "POST": "asm.groups.suppressions.create",
            "DELETE": "asm.groups.suppressions.delete",
        },
    ),
    ("/v3/asm/groups", {"GET": "asm.groups.read"}),
    ("/v3/user/webhooks/event/settings", {"GET": "user.webhooks.event.settings.read"}),
)


class Account:
    """One account."""

    def __init__(self) -> None:
        self.key = FAKE_KEY
        self.scopes = list(ALL_SCOPES)
        self.tracking: dict[str, dict[str, Any]] = {
            "click": {"enabled": True, "enable_text": False},
            "open": {"enabled": True},
            "subscription": {"enabled": False, "html_content": "", "plain_content": "", "landing": "", "url": ""},
            "google_analytics": {"enabled": False},
        }
        self.domains: dict[str, bool] = {"example.org": True}
        """Authenticated domains: whether their DNS records were found right."""
        self.senders: dict[str, bool] = {}
        """Single senders by address: whether they were confirmed."""
        self.checks_sender = False
        """Whether a From that is neither of a valid domain nor a confirmed sender is refused with 403."""
        self.groups: list[dict[str, Any]] = []
        """Unsubscribe groups, as the service shows them."""
        self.webhooks: list[dict[str, Any]] = []
        """Event Webhooks, as the service shows them."""
        self.suppressions = Suppressions()

    def turns_away(self, request: Request) -> Answer | None:
        """401 for a wrong key, 403 for one that may not do this; None where the request may go on."""
        given = request.headers.get("authorization", "")
        if not given:
            return refuse(401, "Permission denied, wrong credentials")
        if given != f"Bearer {self.key}":
            return refuse(401, "The provided authorization grant is invalid, expired, or revoked")
        for start, needed in _NEEDED:
            scope = needed.get(request.method) if request.path.startswith(start) else None
            if scope and scope not in self.scopes:
                return refuse(403, "access forbidden")
        return None

    def refuses_sender(self, address: str) -> Answer | None:
        """403 for a From that this account has not shown to be its own."""
        domain = address.rpartition("@")[2].lower()
        known = self.senders.get(address.lower()) or any(
            valid and (domain == name or domain.endswith(f".{name}")) for name, valid in self.domains.items()
        )
        if known or not self.checks_sender:
            return None
        return refuse(
            403,
            "The from address does not match a verified Sender Identity. "
            "Mail cannot be sent until this error is resolved.",
            "from",
        )

    def answer(self, request: Request) -> Answer:
        """Everything but `/v3/mail/send`."""
        about_lists = self.suppressions.answer(request)
        if about_lists:
            return about_lists
        if request.method != "GET":
            return refuse(405, "method not allowed")
        shown = self._shown(request.path)
        return refuse(404, "not found") if shown is None else answer_json(200, shown)

    def _shown(self, path: str) -> object:
        match path.removeprefix("/v3/").split("/"):
            case ["scopes"]:
                return {"scopes": self.scopes}
            case ["tracking_settings"]:
                return {"result": [{"name": name, "enabled": each["enabled"]} for name, each in self.tracking.items()]}
            case ["tracking_settings", name]:
                return self.tracking.get(name)
            case ["verified_senders"]:
                return {"results": [_sender(number, *each) for number, each in enumerate(self.senders.items(), 1)]}
            case ["whitelabel", "domains"]:
                return [_domain(number, *each) for number, each in enumerate(self.domains.items(), 1)]
            case ["asm", "groups"]:
                return self.groups
            case ["user", "webhooks", "event", "settings", "all"]:
                return {"max_allowed": 5, "webhooks": self.webhooks}
            case ["user", "account"]:
                return {"type": "paid", "reputation": 100.0}
        return None


def _sender(number: int, address: str, verified: bool) -> dict[str, object]:
    return {"id": number, "nickname": "", "from_email": address, "from_name": "", "verified": verified, "locked": False}


def _domain(number: int, name: str, valid: bool) -> dict[str, object]:
    records = {
        record: {"valid": valid, "type": "cname", "host": f"{host}.{name}", "data": f"{host}.u{number}.sender.example"}
        for record, host in (("mail_cname", "em1"), ("dkim1", "s1._domainkey"), ("dkim2", "s2._domainkey"))
    }
    return {
        "id": number,
        "domain": name,
        "subdomain": "em1",
        "valid": valid,
        "default": number == 1,
        "legacy": False,
        "automatic_security": True,
        "dns": records,
    }
