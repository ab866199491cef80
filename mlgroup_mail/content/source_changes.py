"""What changed between two frozen sources, in words."""

import json

from mlgroup_mail.content.frozen import FrozenSource

_WORDS = {
    "kind": "the kind",
    "topic": "the topic",
    "topic_title": "the topic's title",
    "topic_default": "whether those who have chosen no topics get this one",
    "language": "the language",
    "subject": "the subject",
    "title": "the title",
    "preheader": "the preheader",
    "text": "the text",
    "sender": "the sender",
    "audience": "the audience rule",
    "send_at": "the sending time",
    "send_written": "the sending time as written",
    "stop_at": "the stop time",
    "stop_written": "the stop time as written",
    "template": "the template's name",
    "theme": "the theme",
    "group": "the group's entry in mlgroup.toml",
    "opt_out_page": "whether opting out has a page",
    "event": "the event that the mail invites to",
    "event_sequence": "the event's number in calendars",
    "canaries": "who of the team rides along ([canaries])",
    "images_url": "where pictures are hosted",
    "campaign": "the campaign's id",
    "mailing": "the mailing's name",
}
_WORDS_EACH = {
    "templates": "the template {}",
    "events": "the event {}",
    "figures": "the figure {}",
    "values": "the value {}",
    "translations": "the translation {}",
    "images": "the picture {}",
}


def differences(old: FrozenSource, new: FrozenSource) -> list[str]:
    """What changed between two sources, in words, one change a line; empty exactly when the digests agree."""
    before, after = (json.loads(source.hashed()) for source in (old, new))
    changes = [f"{words} changed" for key, words in _WORDS.items() if before[key] != after[key]]
    for key, words in _WORDS_EACH.items():
        for name in sorted(before[key].keys() | after[key].keys()):
            if before[key].get(name) != after[key].get(name):
                verb = "is new" if name not in before[key] else "is gone" if name not in after[key] else "changed"
                changes.append(f"{words.format(name)} {verb}")
    return changes
