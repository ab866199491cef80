"""Mail addresses: read from a cell, one spelling for sending, one key for comparing, a mask, look-alikes."""

from mlgroup_mail.addresses.domains import LOOKS_LATIN, CheckedDomain, checked_domain
from mlgroup_mail.addresses.lookalikes import near_misses
from mlgroup_mail.addresses.masking import mask, mask_name, mask_text
from mlgroup_mail.addresses.normalising import domain, is_allowed, key, normalise
from mlgroup_mail.addresses.reading import (
    BEYOND_ASCII,
    SEVERAL,
    SOME_UNREADABLE,
    USUAL_PATTERN,
    AddressReading,
    read,
    read_cell,
)
from mlgroup_mail.addresses.roles import NOBODY_READS, ROLE_LOCALS, SHARED, is_role, role_remark
from mlgroup_mail.addresses.validating import AddressError

__all__ = [
    "BEYOND_ASCII",
    "LOOKS_LATIN",
    "NOBODY_READS",
    "ROLE_LOCALS",
    "SEVERAL",
    "SHARED",
    "SOME_UNREADABLE",
    "USUAL_PATTERN",
    "AddressError",
    "AddressReading",
    "CheckedDomain",
    "checked_domain",
    "domain",
    "is_allowed",
    "is_role",
    "key",
    "mask",
    "mask_name",
    "mask_text",
    "near_misses",
    "normalise",
    "read",
    "read_cell",
    "role_remark",
]
