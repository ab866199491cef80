"""Compile once, merge many, against building every message by itself."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from benchmarks.measuring import Figure, Way, compare
from benchmarks.project import sample_source
from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.merging import merge_html, merge_subject, merge_text
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.delivery.merging import Links, Merge, merge_values
from mlgroup_mail.model import CompiledMessage, Contact, MailingState
from mlgroup_mail.model.message import MergeValues
from mlgroup_mail.settings.project import Group
from mlgroup_mail.store.claims import Claimed
from mlgroup_mail.store.mailings import MailingRow

MERGED, BUILT, COMPILED = 5000, 100, 50
_AT = datetime(2021, 10, 20, 8, 0, tzinfo=UTC)
_GROUP = Group(name="G", list_id="g.example.org", opt_out_address="g@example.org")


def run() -> list[Figure]:
    """Messages a second: merged from segments, made by `email`; and variants compiled from MJML.

    The messages are those of the sample newsletter without its logos, which cost both ways next to nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = sample_source(Path(folder))
    compiled = replace(_compiled(source), images=())
    template = MessageTemplate.build(compiled, sender=source.sender, list_id="newsletter.example.org", one_click=True)
    people = [_values(number) for number in range(MERGED)]
    size = len(template.fill(people[0], message_id="<0@example.org>", date=_AT)) // 1000

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

    one_by_one = compare(
        [
            Way(name=f"messages of {size} kB merged from segments", count=MERGED, work=merge),
            Way(name="the same with links, as dispatch makes them", count=MERGED, work=_dispatching(source, compiled)),
            Way(name=f"messages of {size} kB made with email", count=BUILT, work=build),
        ]
    )
    variants = Way(name=f"variants compiled, {COMPILED} of one text", count=COMPILED, work=lambda: _compile_all(source))
    return [*one_by_one, *compare([variants])]


def _compiled(source: FrozenSource) -> CompiledMessage:
    fields = variant_fields(source)
    return compile_message(source, fields.shared(fields.key(Contact(address="reader@example.org"))))


def _compile_all(source: FrozenSource) -> None:
    """Variants by the reader's status, of which there are as many as are asked for."""
    by_status = replace(source, text=source.text + "\n\n{{ recipient.status }}\n")
    fields = variant_fields(by_status)
    for number in range(COMPILED):
        reader = Contact(address="reader@example.org", status=f"status {number}")
        compile_message(by_status, fields.shared(fields.key(reader)))


def _dispatching(source: FrozenSource, compiled: CompiledMessage) -> Callable[[], None]:
    """Everything that dispatch does for a message before it hands it over."""
    mailing = MailingRow(
        mailing_id=1,
        ref=source.ref,
        topic=source.topic,
        state=MailingState.SENDING,
        state_reason="",
        send_at=_AT,
        stop_at=_AT,
        token="0123456789abcdef",
        digest=source.digest,
        source=source.to_json(),
        approved_by="",
        approved_at=_AT,
        plan_cursor=0,
        audience=None,
        resumed_at=None,
    )
    tokens = OptOutTokens(["k" * 32], topics=[source.topic])
    links = Links(tokens, _GROUP, public_url="https://news.example.org", topic=source.topic)
    merge = Merge(
        mailing,
        {1: compiled.to_json()},
        pictures={},
        links=links,
        clock=FixedClock(_AT),
        keys={},
        build=MessageTemplate.build,
    )
    fields = merge_values(Contact(address="", name="Persön Number", first_name="Persön", organisation="Office"))
    claimed = [
        Claimed(
            attempt_id=number,
            delivery_id=number,
            contact_id=number,
            variant_id=1,
            address=f"person{number}@example.org",
            fields=fields,
        )
        for number in range(MERGED)
    ]

    def work() -> None:
        for each in claimed:
            merge(each)

    return work


def _values(number: int) -> MergeValues:
    return MergeValues(
        address=f"person{number}@example.org",
        name=f"Persön Number{number}",
        first_name="Persön",
        organisation="Office of Statistics",
        opt_out="https://news.example.org/opt-out/abc",
        opt_out_all="https://news.example.org/opt-out/def",
        opt_out_mail="mailto:ml-group@example.org?subject=opt%20out%20abc",
        one_click="https://news.example.org/opt-out/abc",
    )
