"""The allow-list against what is planned already: a setting that is missing must not cost anybody their mail.

Planning leaves out for good whom the allow-list of its day leaves out. Whoever is planned was allowed then; where the
list of now forbids them, the settings have changed in between, and that is a person's to judge.
"""

from collections.abc import Mapping

from mlgroup_mail import addresses
from mlgroup_mail.errors import MailingSetUpError


def require_allowed(planned: Mapping[str, int], allowed_domains: tuple[str, ...] | None, *, where: str = "") -> None:
    """Raise MailingSetUpError where people are planned whom the allow-list of now forbids.

    `planned` is how many are still to go at each receiving domain, `where` their mailing.
    """
    outside = sum(
        number for domain, number in planned.items() if not addresses.is_allowed(f"x@{domain}", allowed_domains)
    )
    if outside:
        raise MailingSetUpError(
            f"nothing of it is sent: {outside} of those it was planned for are outside the domains that are allowed "
            f"now ({', '.join(allowed_domains or ())}). They stay planned",
            where=where,
            mend="If it is to go out from here, set MLGROUP_ENVIRONMENT=production, for scheduled commands too; or add "
            "their domains to MLGROUP_ALLOWED_DOMAINS.",
        )
