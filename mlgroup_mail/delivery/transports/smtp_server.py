"""Which mail server, and how it is reached."""

from dataclasses import dataclass, field
from pathlib import Path

from mlgroup_mail.delivery.transports.oauth import OAuthClient, oauth_client_of
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.settings.environment import Settings, Tls


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """A mail server and how to reach it.

    `user` logs in with `password`, or with a token that `oauth` gets. `ca_file` names the certificates to trust
    instead of the system's. `timeout` is how many seconds each step may take, `answer_timeout` how many the answer to a
    finished message may: RFC 5321, 4.5.3.2 asks for five and for ten minutes, because whoever hangs up on a finished
    message earlier makes it uncertain whether it was taken. `connections` is how many may stand at once,
    `messages_per_connection` after how many messages one is made anew.
    """

    host: str
    port: int
    tls: Tls = Tls.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    oauth: OAuthClient | None = None
    ca_file: Path | None = None
    timeout: float = 300.0
    answer_timeout: float = 600.0
    connections: int = 1
    messages_per_connection: int = 100

    @property
    def place(self) -> str:
        """Which server, for people."""
        return f"{self.host}:{self.port}"


def server_of(settings: Settings) -> SmtpServer:
    """The mail server that the settings name; raises ConfigurationError where they do not fit together."""
    oauth = oauth_client_of(settings)
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    if oauth and password:
        raise ConfigurationError(
            "there is a password and there is OAuth: only one of them can log in",
            where="MLGROUP_SMTP_PASSWORD",
            mend="Exchange Online takes no password: leave it out. Elsewhere leave out MLGROUP_SMTP_OAUTH_*.",
        )
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user or "",
        password=password,
        oauth=oauth,
        ca_file=settings.smtp_ca_file,
        timeout=settings.smtp_timeout,
        answer_timeout=settings.smtp_answer_timeout,
        connections=settings.connections,
        messages_per_connection=settings.smtp_messages_per_connection,
    )
