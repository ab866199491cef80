"""Compile once, merge many, against building every message by itself."""

import tempfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from benchmarks.measuring import Figure, Way, compare
from benchmarks.project import sample_source
from mlgroup_mail.content.compiling import compile_message
from mlgroup_mail.content.merging import merge_html, merge_subject, merge_text
from mlgroup_mail.content.message import MessageTemplate
from mlgroup_mail.model.message import MergeValues

MERGED, BUILT, COMPILED = 5000, 100, 5
_AT = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)


def run() -> list[Figure]:
    """Messages a second: merged from segments, built by `email`, compiled from MJML."""
    with tempfile.TemporaryDirectory() as folder:
        source = sample_source(Path(folder))
    compiled = compile_message(source, {})
    template = MessageTemplate.build(compiled, sender=source.sender, list_id="newsletter.example.org", one_click=False)
    people = [_values(number) for number in range(MERGED)]

    def merge() -> None:
        for number, values in enumerate(people):
            template.fill(values, message_id=f"<{number}@example.org>", date=_AT)

    def build() -> None:
        for values in people[:BUILT]:
            message = EmailMessage()
            message["To"] = values.address
            message["Subject"] = merge_subject(compiled, values)
            message.set_content(merge_text(compiled, values))
            message.add_alternative(merge_html(compiled, values), subtype="html")
            message.as_bytes()

    def compile_each() -> None:
        for _ in range(COMPILED):
            compile_message(source, {})

    return compare(
        [
            Way(name="messages merged from segments", count=MERGED, work=merge),
            Way(name="messages built one by one with email", count=BUILT, work=build),
            Way(name="messages compiled one by one", count=COMPILED, work=compile_each),
        ]
    )


def _values(number: int) -> MergeValues:
    return MergeValues(
        address=f"person{number}@example.org",
        name=f"Persön Number{number}",
        first_name="Persön",
        organisation="Office of Statistics",
        opt_out="https://news.example.org/opt-out/abc",
        opt_out_all="https://news.example.org/opt-out/def",
        opt_out_mail="mailto:ml-group@example.org?subject=opt%20out%20abc",
    )
