"""One finished message outside any mailing: a preview, or a test to the team. Its opt-out links lead nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.merging import merge_html, merge_subject, merge_text
from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.content.message.mime_tree import base64_lines
from mlgroup_mail.content.pictures.placing import with_pictures_inside
from mlgroup_mail.delivery.merging import Links, merge_values
from mlgroup_mail.model import Contact
from mlgroup_mail.model.message import BuildTemplate, MergeValues, Template

DEAD_TOKEN = "preview"  # noqa: S105
"""Stands where an opt-out token would: nobody can be opted out by a sample."""

TEST_MARK = "[Test] "


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A mailing as one person would get it; `html` has its pictures in it, so that a browser can show it alone.

    `content` is what `template` gave for that person.
    """

    subject: str
    html: str
    text: str
    calendar: str
    content: bytes
    template: Template


def make_sample(
    source: FrozenSource,
    reader: Contact,
    links: Links,
    *,
    message_id: str,
    at: datetime,
    pictures: Mapping[str, bytes],
    mark: str = "",
    build: BuildTemplate = MessageTemplate.build,
) -> Sample:
    """Compile and merge a mailing for `reader`; raises CampaignError.

    `pictures` are the bytes of the source's pictures by digest; `mark` goes before the subject; `build` is the
    transport's, where the sample is to be sent.
    """
    fields = variant_fields(source)
    compiled = compile_message(source, fields.shared(fields.key(reader)))
    compiled = replace(compiled, subject=mark + compiled.subject)
    https, mailto = links.https(DEAD_TOKEN), links.mailto(DEAD_TOKEN)
    values = MergeValues(
        address=reader.address,
        opt_out=https or mailto,
        opt_out_all=https or mailto,
        opt_out_mail=mailto,
        one_click="",
        **merge_values(reader),
    )
    template = build(
        compiled,
        sender=source.sender,
        list_id=f"{source.topic}.{source.group['list_id']}",
        one_click=False,
        pictures={digest: base64_lines(content) for digest, content in pictures.items()},
    )
    return Sample(
        subject=merge_subject(compiled, values),
        html=with_pictures_inside(merge_html(compiled, values), source, pictures),
        text=merge_text(compiled, values),
        calendar=compiled.calendar,
        content=template.fill(values, message_id=message_id, date=at),
        template=template,
    )
