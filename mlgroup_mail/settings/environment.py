"""The settings of section 5: environment, `NAME_FILE`, `.env`, and `[settings]` of `mlgroup.toml`, in this order."""

import difflib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from mlgroup_mail.documents import matching, reason_of
from mlgroup_mail.errors import ConfigurationError, Problem

PREFIX = "MLGROUP_"


class TransportName(StrEnum):
    """How messages leave."""

    OUTBOX = "outbox"
    """They do not: each becomes a file."""
    SMTP = "smtp"
    """To a mail server."""
    SENDGRID = "sendgrid"
    """To SendGrid's interface."""


class Tls(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    """It is not: only for a relay on the same machine."""
    STARTTLS = "starttls"
    """It begins in the open and must be protected before anything else is said."""
    IMPLICIT = "implicit"
    """It is protected from the first byte."""


class Environment(StrEnum):
    """Where this runs."""

    DEVELOPMENT = "development"
    """Only allowed domains are written to."""
    PRODUCTION = "production"
    """Everybody may be."""


class SmtpProfile(StrEnum):
    """Limits that a known mail service sets."""

    EXCHANGE_ONLINE = "exchange-online"
    """Three connections, under 30 messages a minute, 10,000 recipients a day."""

    @property
    def connections(self) -> int:
        """How many connections the service takes at once (Exchange Online limits, "Concurrent connections")."""
        return 3

    @property
    def messages_per_minute(self) -> int:
        """The rate that the service allows (Exchange Online limits, "Message rate limit")."""
        return 29

    @property
    def messages_per_day(self) -> int:
        """How many the service takes from one mailbox in 24 hours (Exchange Online limits, "Recipient rate limit")."""
        return 10_000


RESERVED_DOMAINS = ("example.org", "example.com", "example.net", "example", "test", "invalid", "localhost")
"""Domains that can never be anybody's (RFC 2606): all that is written to until somebody says otherwise."""

Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Every setting, each under its name in capitals with MLGROUP_ before it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = None
    transport: TransportName = TransportName.OUTBOX
    environment: Environment = Environment.DEVELOPMENT
    allowed_domains: Words = RESERVED_DOMAINS
    public_url: Annotated[
        str | None,
        Field(max_length=200),
        matching(
            r"https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~/-]*)?", "must be an address such as https://mail.example.org"
        ),
    ] = None
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    erasure_key: SecretStr | None = None
    batch_size: int = Field(default=500, ge=1, le=100_000)
    batch_spacing: int = Field(default=0, ge=0, le=1440)
    domain_per_minute: int | None = Field(default=None, ge=1)
    pause_after: int = Field(default=20, ge=1, le=1000)
    pause_percent: int = Field(default=30, ge=1, le=100)
    now: AwareDatetime | None = None

    smtp_host: str = "localhost"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Tls = Tls.STARTTLS
    smtp_ca_file: Path | None = None
    smtp_oauth_tenant: str | None = None
    smtp_oauth_client_id: str | None = None
    smtp_oauth_client_secret: SecretStr | None = None
    smtp_oauth_certificate: Path | None = None
    smtp_oauth_authority: Annotated[
        str,
        matching(r"https://[A-Za-z0-9.-]+(:[0-9]+)?", "must be an address such as https://login.microsoftonline.com"),
    ] = "https://login.microsoftonline.com"
    smtp_connections: int | None = Field(default=None, ge=1, le=50)
    smtp_messages_per_connection: int = Field(default=100, ge=1)
    smtp_per_minute: int | None = Field(default=None, ge=1)
    smtp_per_day: int | None = Field(default=None, ge=1)
    smtp_profile: SmtpProfile | None = None
    smtp_timeout: float = Field(default=300.0, gt=0)
    smtp_answer_timeout: float = Field(default=600.0, gt=0)

    sendgrid_api_key: SecretStr | None = None
    sendgrid_url: Annotated[
        str | None,
        matching(
            r"https?://([A-Za-z0-9.-]+|\[::1\])(:[0-9]+)?", "must be an address such as https://api.eu.sendgrid.com"
        ),
    ] = None
    sendgrid_ca_file: Path | None = None
    sendgrid_per_minute: int | None = Field(default=None, ge=1)
    sendgrid_per_day: int | None = Field(default=None, ge=1)
    sendgrid_timeout: float = Field(default=30.0, gt=0)
    sendgrid_answer_timeout: float = Field(default=300.0, gt=0)
    sendgrid_webhook_keys: Words = ()
    sendgrid_sandbox: bool = False
    sendgrid_pull: bool = False
    sendgrid_push: bool = False

    soft_bounces: int = Field(default=3, ge=1, le=100)
    soft_bounce_days: int = Field(default=120, ge=1, le=3650)

    @property
    def connections(self) -> int:
        """How many connections to the mail server may stand at once; a profile's number is both default and limit."""
        if self.smtp_profile is None:
            return self.smtp_connections or 1
        return min(self.smtp_connections or self.smtp_profile.connections, self.smtp_profile.connections)

    @property
    def messages_per_minute(self) -> int | None:
        """The rate to keep to: the smaller of what is set and what the profile allows; None for no limit."""
        profile = self.smtp_profile.messages_per_minute if self.smtp_profile else None
        return min((rate for rate in (self.smtp_per_minute, profile) if rate), default=None)

    @property
    def messages_per_day(self) -> int | None:
        """How many may go in any 24 hours, as `messages_per_minute`; None for no limit."""
        profile = self.smtp_profile.messages_per_day if self.smtp_profile else None
        return min((rate for rate in (self.smtp_per_day, profile) if rate), default=None)

    @field_validator("allowed_domains", "secret_keys", "sendgrid_webhook_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Several values stand apart by commas or blanks."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _leads_to_no_page(cls, value: str | None) -> str | None:
        """Links append the page's own name: whoever has it here already sends dead ones."""
        own = re.search(r"/(opt-out|preferences)/*$", value or "")
        if own:
            raise ValueError(f"leave “{own[0]}” out: it is the address before it, and links add their own pages")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < 32 for key in value):
            raise ValueError("each key needs at least 32 characters")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then files named by the environment, then `.env`, then what `mlgroup.toml` gave."""
        return (env_settings, _NamedFiles(settings_cls), dotenv_settings, init_settings)


class _NamedFiles(PydanticBaseSettingsSource):
    """`MLGROUP_SMTP_PASSWORD_FILE=/run/secrets/smtp` gives smtp_password, as container platforms hand out secrets."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        name = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path} cannot be read: {error}", where=name) from None

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


def read_settings(root: Path, table: Mapping[str, Any]) -> Settings:
    """Read every setting once for the project at `root`; `table` is `[settings]` of its `mlgroup.toml`.

    Raises ConfigurationError naming the place, the key and the mend. Values of secrets are never shown.
    """
    values = {key.removeprefix(PREFIX).lower(): value for key, value in table.items()}
    for key in values.keys() - Settings.model_fields.keys():
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        raise ConfigurationError(
            f"the key “{key}” is not known here",
            where=f"{root / 'mlgroup.toml'}, [settings]",
            mend=f"Did you mean “{near[0]}”?" if near else "See docs/settings.md for all of them.",
        )
    try:
        return Settings(_env_file=root / ".env", **values)
    except ValidationError as error:
        names = {str(entry["loc"][0]): entry for entry in error.errors(include_url=False, include_input=False)}
    raise ConfigurationError.of(_problem(root, name, entry, table) for name, entry in names.items())


def _problem(root: Path, name: str, error: Any, table: Mapping[str, Any]) -> Problem:
    """What is wrong with a setting, and in which of the places it was read from."""
    variable, file = PREFIX + name.upper(), root / "mlgroup.toml"
    if variable in os.environ or f"{variable}_FILE" in os.environ:
        where = "environment"
    elif name in {key.removeprefix(PREFIX).lower() for key in table}:
        where = f"{file}, [settings]"
    else:
        where = str(root / ".env")
    elsewhere = f"in the environment, in {root / '.env'}, or as “{name}” under [settings] of {file}"
    # What is secret must not come into a file that is committed.
    places = f"in the environment or in {root / '.env'}" if is_secret(name) else elsewhere
    return Problem(message=f"{variable}: {reason_of(error)}", where=where, mend=f"Set it {places}.")


def is_secret(name: str) -> bool:
    """Whether a setting holds what nobody else may see; a database's address may hold a password."""
    field = Settings.model_fields.get(name)
    return field is not None and "SecretStr" in str(field.annotation)
