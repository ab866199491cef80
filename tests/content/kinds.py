"""A sample of each kind as one reader gets it, for golden files, accessibility checks and pictures."""

import base64
import re
import shutil
from dataclasses import replace
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign import CampaignKind, read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.merging import merge_html, merge_text
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.model.message import CompiledMessage, MergeValues
from mlgroup_mail.settings.project import Project, read_project
from tests.content.projects import FIGURES, values

PROJECT = read_project(Path(__file__).parents[2])
SAMPLES = {
    CampaignKind.NEWSLETTER: "2021-10-newsletter/issue",
    CampaignKind.CALL: "2022-call/invitation",
    CampaignKind.INVITATION: "2021-10-all-group-invitation/invitation",
    CampaignKind.BOARD_UPDATE: "2021-10-board-update/update",
}
READER = Contact(address="ana.silva@office.example", country="PT", timezone="Europe/Lisbon", language="en")
"""Her clock is the organisers'; other readers are told their own time."""
ELSEWHERE = replace(READER, country="JP", timezone="Asia/Tokyo")

ARABIC = """\
السلام عليكم {{ recipient.first_name | default("زميلنا") }}،

نلتقي في **27 أكتوبر 2021**. سيكون هناك عرضان وحلقة نقاش، ووقت لأسئلتكم: [صفحة البرنامج](https://www.example.org/).

## برنامج الاجتماع

- تصنيف النصوص دون فك تشفيرها، سعيد مولادوودي (Statistics Canada)
- MLOps في مكتب الضرائب الأسترالي

> للإحصاءات الرسمية معضلاتها الخاصة.

| متى | ماذا |
|---|---|
| فبراير | بداية العمل |
| يوليو | تقارير منتصف العام |

1. أولاً
2. ثانيًا

```events
all-group-2021-10
webinar-2021
```

```agenda
event: all-group-2021-10
14:00-14:30 العرض الأول
  سعيد مولادوودي
14:30-15:30 حلقة نقاش
```

```button
[اكتبوا إلينا](mailto:ml-group@example.org)
```

```note
title: ملاحظة
الاجتماع مفتوح لجميع الأعضاء.
```

```signature
مع أطيب التحيات
فريق التنسيق
```
"""
LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzesausführungsverordnung"
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaft"
HOSTILE = f"""\
Dear {{{{ recipient.name }}}}, of {{{{ recipient.organisation }}}},

{LONG_WORD} and [{LONG_WORD}](https://www.example.org/{LONG_WORD.lower().replace("ü", "ue")}) and `{LONG_WORD}`

## {LONG_WORD}

- {LONG_WORD}

> {LONG_WORD}

| {LONG_WORD} | B | C | D | E |
|---|---|---|---|---|
| a | {LONG_WORD} | c | https://www.example.org/{"x" * 80} | 1234567890 |

```note
title: {LONG_WORD}
{LONG_WORD} {{{{ recipient.name }}}}
```

```agenda
14:00-14:30 {LONG_WORD}
  {LONG_WORD}
```

```button
[{LONG_WORD}](https://www.example.org/)
```

```quote
{LONG_WORD}
-- {LONG_WORD}
```

```speaker
name: {LONG_WORD}
role: {LONG_WORD}
{LONG_WORD}
```

```signature
{LONG_WORD}
```
"""


def source_of(kind: CampaignKind, *, project: Project = PROJECT) -> FrozenSource:
    """The sample of a kind, with an opt-out page."""
    campaign, _, mailing = SAMPLES[kind].partition("/")
    return freeze(project, read_campaign(project, campaign), mailing, FIGURES, opt_out_page=True)


def rewritten(kind: CampaignKind, text: str, root: Path, *, language: str = "en", title: str = "") -> FrozenSource:
    """The sample of a kind with other words, from a project of its own in `root`."""
    shutil.copy(PROJECT.root / "mlgroup.toml", root)
    folder = root / "campaigns" / SAMPLES[kind].partition("/")[0]
    shutil.copytree(PROJECT.campaigns, root / "campaigns", dirs_exist_ok=True)
    front = (folder / "campaign.md").read_text(encoding="utf-8").split("+++\n")[1]
    front = front.replace('language = "en-GB"', f'language = "{language}"')
    if title:
        front = re.sub(r'^(subject|title|preheader) = ".*"', rf'\1 = "{title}"', front, flags=re.MULTILINE)
    (folder / "campaign.md").write_text(f"+++\n{front}+++\n{text}", encoding="utf-8")
    return source_of(kind, project=read_project(root))


def message_of(source: FrozenSource, reader: Contact = READER) -> CompiledMessage:
    """The message of the variant that a reader gets."""
    fields = variant_fields(source)
    return compile_message(source, fields.shared(fields.key(reader)))


def text_of(source: FrozenSource, reader: Contact = READER) -> str:
    """The plain-text part as a reader gets it."""
    return merge_text(message_of(source, reader), values())


def page_of(source: FrozenSource, reader: Contact = READER, recipient: MergeValues | None = None) -> str:
    """The page as a reader gets it: pictures by their content-ids."""
    return merge_html(message_of(source, reader), recipient or values())


def write_page(path: Path, source: FrozenSource, reader: Contact = READER, **changes: str) -> Path:
    """The page as a file in which a browser sees the pictures too."""
    message = message_of(source, reader)
    page = merge_html(message, values(**changes))
    content = read_pictures(PROJECT, source)
    for image in message.images:
        data = base64.b64encode(content[image.digest]).decode()
        page = page.replace(f"cid:{image.content_id.strip('<>')}", f"data:{image.media_type};base64,{data}")
    assert "cid:" not in page
    path.write_text(page, encoding="utf-8")
    return path


def without_pictures(page: Path) -> Path:
    """The same page as a mail program shows it that does not load pictures."""
    target = page.with_stem(f"{page.stem}-images-off")
    # A picture that nobody can load: the browser shows its words in its place.
    target.write_text(re.sub(r'src="data:[^"]*"', 'src="cid:none"', page.read_text(encoding="utf-8")), encoding="utf-8")
    return target
