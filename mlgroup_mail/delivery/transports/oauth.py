"""Tokens for Exchange Online, which takes no password: OAuth 2.0 client credentials through Microsoft's own library.

The same registered application, and so the same source of tokens, serves mail that goes out (SMTP) and mailboxes that
are read (IMAP). A token is kept in memory alone.
"""

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mlgroup_mail.errors import ConfigurationError, RefusedByServerError, TransportError
from mlgroup_mail.settings.environment import Settings

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

log = logging.getLogger(__name__)

SCOPE = "https://outlook.office365.com/.default"
"""What a token is for: the mail protocols of Exchange Online, with the permissions that the application was given."""

_AZURE_ERROR = re.compile(r"AADSTS\d+")
_PATIENCE = 30.0
"""Seconds that the authority may take for one answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthClient:
    """A registered application that may use a mailbox. Proves who it is by `secret` or by the key in `certificate`.

    `authority` is the login service without the tenant. `certificate` is a PEM file with private key and certificate.
    """

    tenant: str
    client_id: str
    secret: str = field(default="", repr=False)
    certificate: Path | None = None
    authority: str = "https://login.microsoftonline.com"


def oauth_client_of(settings: Settings) -> OAuthClient | None:
    """The application that the settings name; None where there is none.

    Raises ConfigurationError where half of it is missing.
    """
    tenant, client_id = settings.smtp_oauth_tenant, settings.smtp_oauth_client_id
    secret, certificate = settings.smtp_oauth_client_secret, settings.smtp_oauth_certificate
    if not (tenant or client_id or secret or certificate):
        return None
    missing = [
        name
        for name, value in {
            "MLGROUP_SMTP_OAUTH_TENANT": tenant,
            "MLGROUP_SMTP_OAUTH_CLIENT_ID": client_id,
            "MLGROUP_SMTP_OAUTH_CLIENT_SECRET or MLGROUP_SMTP_OAUTH_CERTIFICATE": secret or certificate,
            "MLGROUP_SMTP_USER": settings.smtp_user,
        }.items()
        if not value
    ]
    if missing or not tenant or not client_id:
        raise ConfigurationError(
            f"{', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing",
            where="MLGROUP_SMTP_OAUTH_*",
            mend="OAuth needs the tenant, the application's id, its secret or certificate, and as user the mailbox.",
        )
    return OAuthClient(
        tenant=tenant,
        client_id=client_id,
        secret=secret.get_secret_value() if secret else "",
        certificate=certificate,
        authority=settings.smtp_oauth_authority,
    )


def xoauth2(user: str, token: str) -> str:
    """What a mailbox's `user` says with the SASL mechanism XOAUTH2, before it is put into base64."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


class TokenSource:
    """Access tokens of one application, each until shortly before it runs out. May be asked by several threads."""

    def __init__(self, client: OAuthClient) -> None:
        self._client = client
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token that is good for some minutes at least.

        Raises RefusedByServerError where the authority refuses, TransportError where it does not answer,
        ConfigurationError where the certificate cannot be used.
        """
        import requests
        from msal.exceptions import MsalError

        with self._lock:
            try:
                answer = self._application.acquire_token_for_client([SCOPE])
            except (requests.RequestException, MsalError, RuntimeError, ValueError) as error:
                log.info("no token: %s", type(error).__name__)
                self._unreachable(error)
        if token := answer.get("access_token"):
            return str(token)
        return self._refused(answer)

    def renew(self) -> str:
        """A token that was not handed out before: the server refuses the one that was. Raises as `token`."""
        with self._lock:
            self._application.remove_tokens_for_client()
        return self.token()

    @cached_property
    def _application(self) -> "ConfidentialClientApplication":
        from msal import ConfidentialClientApplication

        client = self._client
        try:
            return ConfidentialClientApplication(
                client.client_id,
                authority=f"{client.authority}/{client.tenant}",
                client_credential=_credential(client),
                # Nobody but the authority named is asked anything.
                instance_discovery=False,
                timeout=_PATIENCE,
            )
        except (ValueError, KeyError):
            raise self._error(
                RefusedByServerError,
                "the login service knows no such tenant",
                "Check MLGROUP_SMTP_OAUTH_TENANT: the directory's id, or a domain of it.",
            ) from None

    def _unreachable(self, error: Exception) -> NoReturn:
        import requests

        if isinstance(error, requests.exceptions.SSLError):
            raise self._error(
                TransportError,
                "the login service's certificate cannot be trusted",
                "Check MLGROUP_SMTP_OAUTH_AUTHORITY, and whether something in the network opens what is protected.",
            ) from None
        failure = self._error(
            TransportError, "the login service does not answer", "Try again later. Does a firewall stand between?"
        )
        failure.temporary = True
        raise failure from None

    def _refused(self, answer: Mapping[str, Any]) -> NoReturn:
        """Tell in our words why there is no token. The service's own name people, applications and times."""
        found = _AZURE_ERROR.search(str(answer.get("error_description", "")))
        code = found[0] if found else str(answer.get("error", ""))[:40]
        message, mend = REFUSALS.get(code, ("it gives no token", f"Ask who runs the tenant what {code} means here."))
        temporary = code in _FOR_NOW or answer.get("error") == "temporarily_unavailable"
        kind = TransportError if temporary else RefusedByServerError
        failure = self._error(kind, f"{message} ({code})", "Try again later." if temporary else mend)
        failure.temporary = temporary
        raise failure

    def _error(self, kind: type[TransportError], message: str, mend: str) -> TransportError:
        return kind(message, where=self._client.authority.removeprefix("https://"), mend=mend)


_FOR_NOW = frozenset({"AADSTS90033", "AADSTS50196", "AADSTS90055"})
"""The service is busy, or we ask too often."""

REFUSALS: dict[str, tuple[str, str]] = {
    "AADSTS7000222": (
        "the application's client secret has run out",
        "Make a new one in Entra ID and put it into MLGROUP_SMTP_OAUTH_CLIENT_SECRET.",
    ),
    "AADSTS7000215": (
        "the client secret is wrong",
        "MLGROUP_SMTP_OAUTH_CLIENT_SECRET is the secret's value, not its id.",
    ),
    "AADSTS700016": (
        "the tenant knows no such application",
        "Check MLGROUP_SMTP_OAUTH_CLIENT_ID and MLGROUP_SMTP_OAUTH_TENANT: are they of the same directory?",
    ),
    "AADSTS90002": ("the login service knows no such tenant", "Check MLGROUP_SMTP_OAUTH_TENANT."),
    "AADSTS900023": ("the login service knows no such tenant", "Check MLGROUP_SMTP_OAUTH_TENANT."),
    "AADSTS7000112": ("the application is switched off", "Ask who runs the tenant to enable it."),
    "AADSTS7000229": (
        "the application was never admitted to this tenant",
        "Ask who runs the tenant for admin consent to the application.",
    ),
    "AADSTS700027": (
        "the certificate is not one of the application's",
        "Upload the certificate of MLGROUP_SMTP_OAUTH_CERTIFICATE to the application in Entra ID.",
    ),
    "AADSTS1000502": (
        "the certificate has run out",
        "Make a new one, upload it to the application, and name it in MLGROUP_SMTP_OAUTH_CERTIFICATE.",
    ),
    "AADSTS500011": (
        "the tenant has no Exchange Online",
        "Check MLGROUP_SMTP_OAUTH_TENANT: the mailbox must be in that directory.",
    ),
    "AADSTS53003": (
        "a rule of the tenant (conditional access) forbids it from here",
        "Ask who runs the tenant to let this application in from this machine.",
    ),
}
"""What the codes of Entra ID mean here: what is wrong, and how to mend it."""


def _credential(client: OAuthClient) -> str | dict[str, str]:
    """The application's secret, or what msal needs to sign with its certificate."""
    if client.certificate is None:
        return client.secret
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mend = "MLGROUP_SMTP_OAUTH_CERTIFICATE names a PEM file with an RSA key, without a password, and its certificate."
    try:
        pem = client.certificate.read_text(encoding="ascii")
        x509.load_pem_x509_certificate(pem.encode())
        key = load_pem_private_key(pem.encode(), None)
    except (OSError, ValueError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "private key or certificate is missing in it"
        raise ConfigurationError(
            f"the certificate cannot be used: {why}", where=str(client.certificate), mend=mend
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the certificate's key is no RSA key", where=str(client.certificate), mend=mend)
    return {"private_key": pem, "public_certificate": pem}
