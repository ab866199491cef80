"""Which SendGrid account, and how it is reached."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.settings.environment import Settings

_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SendGridAccount:
    """An account and how it is reached.

    `url` has no path: `https://api.sendgrid.com`. `ca_file` names the certificates to trust instead of the system's.
    `timeout` is how many seconds a connection may take, `answer_timeout` how many a whole request, to the end of its
    answer, and with a connection that has to be made anew for it: whoever hangs up earlier makes it uncertain whether
    it was accepted. In the `sandbox` requests are checked, and nobody gets mail.
    """

    url: str
    key: str = field(repr=False)
    ca_file: Path | None = None
    timeout: float = 30.0
    answer_timeout: float = 300.0
    sandbox: bool = False

    @property
    def host(self) -> str:
        """Its name alone."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """As named, else as usual."""
        parts = urlsplit(self.url)
        return parts.port or (443 if self.protected else 80)

    @property
    def protected(self) -> bool:
        """Whether the connection is by TLS."""
        return self.url.startswith("https:")


def account_of(settings: Settings) -> SendGridAccount:
    """The account that the settings name; raises ConfigurationError where they do not suffice."""
    if settings.sendgrid_api_key is None:
        raise ConfigurationError(
            "there is no key for SendGrid",
            where="MLGROUP_SENDGRID_API_KEY",
            mend="Make one at Settings, API Keys (restricted: Mail Send), and put it into .env; see docs/sendgrid.md.",
        )
    key = settings.sendgrid_api_key.get_secret_value()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            "this is no key of SendGrid: it is one word of letters, digits, dots and dashes",
            where="MLGROUP_SENDGRID_API_KEY",
            mend="Copy it again: SG. and two parts with a dot between.",
        )
    account = SendGridAccount(
        url=settings.sendgrid_url or _default_url(),
        key=key,
        ca_file=settings.sendgrid_ca_file,
        timeout=settings.sendgrid_timeout,
        answer_timeout=settings.sendgrid_answer_timeout,
        sandbox=settings.sendgrid_sandbox,
    )
    if not account.protected and account.host not in _LOCAL:
        raise ConfigurationError(
            "the key would cross the network in the open",
            where="MLGROUP_SENDGRID_URL",
            mend="Write https://; http:// is for a server on this machine alone.",
        )
    return account


def _default_url() -> str:
    # Here and not above: the package brings a client of its own with it, and takes 0.1 s to load.
    from sendgrid.base_interface import region_host_dict

    return str(region_host_dict["global"])
