"""Reading what people write in TOML: every error names file, line, key and mend, in words that are no programmer's."""

from mlgroup_mail.documents.reading import parse_toml, read_document, read_text
from mlgroup_mail.documents.slips import reason_of
from mlgroup_mail.documents.toml_lines import KeyPath, line_of
from mlgroup_mail.documents.validating import Document, Refusal, validate
from mlgroup_mail.documents.values import FilledLine, Line, matching, one_line, web_address

__all__ = [
    "Document",
    "FilledLine",
    "KeyPath",
    "Line",
    "Refusal",
    "line_of",
    "matching",
    "one_line",
    "parse_toml",
    "read_document",
    "read_text",
    "reason_of",
    "validate",
    "web_address",
]
