"""What a person reads when something is wrong with what they wrote: what, where, and how to mend it."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings
from tests.acceptance.projects import CONTACTS_TOML, LETTER, person, small_project, through, write_list
from tests.cli.conftest import Result, Run
from tests.servers.smtp_sink import SmtpSink

CAMPAIGN_FILE = "campaigns/letter/campaign.md"


def told(result: Result, code: int, *words: str) -> None:
    """The exit code, the words on stderr, no traceback, and nothing for programs to stumble over."""
    assert (result.code, result.out) == (code, ""), result
    for word in words:
        assert word in " ".join(result.err.split()), result.err
    assert "Traceback" not in result.err


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project in the current directory that nothing was done with yet."""
    return small_project(tmp_path)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# No project, broken files


@pytest.mark.parametrize(
    "command",
    [
        ("status", "--json"),
        ("check", "letter", "--json"),
        ("contacts", "pull", "--json"),
        ("send", LETTER, "--live", "--json"),
        ("verify", "--json"),
        ("opt-out", "list", "--json"),
    ],
    ids=" ".join,
)
def test_where_no_project_is_every_command_says_so_and_how_to_make_one(run: Run, command: tuple[str, ...]) -> None:
    told(run(*command), 2, "there is no project here", "mlgroup.toml", "--project DIR", "mlgroup-mail init")


def test_broken_toml_in_the_project_file_is_told_with_its_line(run: Run, project: Path) -> None:
    rewrite(project / "mlgroup.toml", "[theme]", "[theme")
    line = (project / "mlgroup.toml").read_text(encoding="utf-8").splitlines().index("[theme") + 1
    told(run("status", "--json"), 2, "mlgroup.toml", f"line {line}", "not valid TOML")


def test_broken_toml_in_the_contacts_file_is_told_with_its_line(run: Run, project: Path) -> None:
    rewrite(project / "contacts" / "contacts.toml", 'path = "members.csv"', "path = members.csv")
    told(run("contacts", "pull", "--json"), 2, "contacts.toml, line 3", "not valid TOML")


def test_broken_toml_in_a_campaign_is_told_with_its_line_in_the_file(run: Run, project: Path) -> None:
    rewrite(project / CAMPAIGN_FILE, 'subject = "News"', 'subject = "News')
    told(run("preview", "letter"), 1, f"{CAMPAIGN_FILE}, line 4", "not valid TOML")
    checked = run("check", "letter", "--json")
    assert (checked.code, checked.json["errors"]) == (1, 1)
    assert checked.json["findings"][0]["where"] == f"{CAMPAIGN_FILE}, line 4"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[group]", "[groups]", ("mlgroup.toml", "group")),
        ('list_id = "', 'listid = "', ("mlgroup.toml, line ", "“group.listid” is not known", "Did you mean “list_id”")),
        ('accent = "#1f4e79"', 'accent = "blue"', ("mlgroup.toml", "theme.accent")),
        ('address = "newsletter@example.org"', 'address = "newsletter"', ("mlgroup.toml", "sender.newsletter.address")),
    ],
)
def test_a_wrong_key_in_the_project_file_is_named(
    run: Run, project: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    rewrite(project / "mlgroup.toml", old, new)
    told(run("status", "--json"), 2, *words)


# What a campaign names and nobody knows


NAMES = {
    "kind": (
        'kind = "newsletter"',
        'kind = "newsleter"',
        ("there is no kind “newsleter”", "Did you mean “newsletter”"),
    ),
    "topic": ('topic = "newsletter"', 'topic = "gossip"', ("there is no topic “gossip”", "coffee-coding")),
    "sender": ('sender = "newsletter"', 'sender = "nobody"', ("there is no sender “nobody”", "[sender.nobody]")),
    "template": (
        'audience = "members"',
        'audience = "members"\ntemplate = "nwsletter"',
        ("there is no template “nwsletter”", "newsletter"),
    ),
    "segment": ('audience = "members"', 'audience = "membres"', ("membres", "Did you mean “members”")),
    "merge field": (
        "{{ recipient.first_name",
        "{{ recipient.first_nam",
        ("first_nam", "first_name"),
    ),
    "value": ("{{ group.members }}", "{{ group.mebers }}", ("mebers",)),
    "event": ("{{ group.members }}", '{{ events["party"].start | date("d") }}', ("party",)),
    "broken Jinja": ("{{ group.members }}", "{{ group.members", ()),
    "key": ('preheader = "', 'prehader = "', ("prehader", "Did you mean “preheader”")),
    "time": ("09:00 Europe/London", "09:00 Europe/Londn", ("Londn",)),
}


@pytest.mark.parametrize(("old", "new", "words"), NAMES.values(), ids=NAMES)
def test_what_a_campaign_names_and_nobody_knows_is_an_error_with_its_line_and_a_mend(
    run: Run, project: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    assert run("contacts", "pull").code == 0
    rewrite(project / CAMPAIGN_FILE, old, new)
    checked = run("check", "letter", "--json")
    assert checked.code == 1
    (finding,) = [each for each in checked.json["findings"] if each["level"] == "error"]
    lines = (project / CAMPAIGN_FILE).read_text(encoding="utf-8").splitlines()
    wrong = next(number for number, text in enumerate(lines, 1) if new.splitlines()[-1] in text)
    assert finding["where"] in {CAMPAIGN_FILE, f"{CAMPAIGN_FILE}, line {wrong}"}
    for word in words:
        assert word in finding["message"] + finding["mend"]
    refused = run("approve", LETTER, "--by", "me", "--json")
    assert (refused.code, refused.json["approved"]) == (1, False)
    assert run("send", LETTER, "--live").code == 1
    assert run("log", LETTER, "--json").out == ""


@pytest.mark.parametrize(
    "command",
    [
        ("check", "leter", "--json"),
        ("preview", "leter"),
        ("approve", "leter/issue", "--by", "me", "--json"),
        ("plan", "leter/issue", "--json"),
        ("send", "leter/issue", "--json"),
        ("send", "leter/issue", "--live", "--json"),
        ("status", "leter/issue", "--json"),
        ("log", "leter/issue", "--json"),
        ("test-send", "leter", "--to", person(1)),
    ],
    ids=" ".join,
)
def test_a_campaign_that_is_not_there_is_a_slip_of_the_command(
    run: Run, project: Path, command: tuple[str, ...]
) -> None:
    told(run(*command), 2, "there is no campaign “leter”", "Did you mean “letter”")


@pytest.mark.parametrize(
    "command",
    [
        ("check", "letter/isue", "--json"),
        ("approve", "letter/isue", "--by", "me", "--json"),
        ("send", "letter/isue", "--live", "--json"),
        ("status", "letter/isue", "--json"),
        ("log", "letter/isue", "--json"),
    ],
    ids=" ".join,
)
def test_a_mailing_that_is_not_there_is_a_slip_of_the_command(
    run: Run, project: Path, command: tuple[str, ...]
) -> None:
    told(run(*command), 2, "there is no mailing “isue”", "Did you mean “issue”")


@pytest.mark.parametrize("order", ["pause", "resume", "cancel"])
def test_an_order_about_a_mailing_that_never_began_is_a_slip_of_the_command(
    run: Run, project: Path, order: str
) -> None:
    told(run(order, LETTER), 2, f"no mailing {LETTER}", "status")


@pytest.mark.parametrize("name", ["nothing", "/issue", "a/b/c", "../letter/issue"])
def test_what_does_not_name_a_mailing_is_told_how_to_write_one(run: Run, project: Path, name: str) -> None:
    told(run("send", name, "--live"), 2, "does not name a mailing", "<campaign>/<mailing>")


@pytest.mark.parametrize("name", ["letter", "letter/", "campaigns/letter"])
def test_a_campaign_without_a_mailing_is_told_which_there_are(run: Run, project: Path, name: str) -> None:
    told(run("send", name, "--live"), 2, "“letter” is a campaign", LETTER)


# The contact list


def test_a_mapped_column_that_is_missing_is_named_with_those_there_are(run: Run, project: Path) -> None:
    write_list(project, [])
    rewrite(project / "contacts" / "members.csv", "Email", "Contact")
    told(run("contacts", "pull", "--json"), 1, "members.csv", "Email", "Contact")


def test_a_list_that_is_missing_is_named(run: Run, project: Path) -> None:
    (project / "contacts" / "members.csv").unlink()
    told(run("contacts", "pull", "--json"), 1, "members.csv")


def test_an_audience_of_nobody_is_an_error_and_is_not_approved(run: Run, project: Path) -> None:
    assert run("contacts", "pull").code == 0
    rewrite(project / CAMPAIGN_FILE, 'audience = "members"', 'audience = "board"')
    checked = run("check", "letter", "--json")
    assert checked.code == 1
    (finding,) = [each for each in checked.json["findings"] if each["level"] == "error"]
    assert "audience" in finding["rule"]
    assert run("approve", LETTER, "--by", "me").code == 1
    told(run("send", LETTER, "--live", "--json"), 1, "is not approved", f"approve {LETTER}")


# Settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"MLGROUP_SMTP_PORT": "abc"}, ("MLGROUP_SMTP_PORT", ".env")),
        ({"MLGROUP_SMTP_PORT": "70000"}, ("MLGROUP_SMTP_PORT",)),
        ({"MLGROUP_TRANSPORT": "pigeon"}, ("MLGROUP_TRANSPORT", "smtp")),
        ({"MLGROUP_SMTP_TLS": "maybe"}, ("MLGROUP_SMTP_TLS", "starttls")),
        ({"MLGROUP_BATCH_SIZE": "0"}, ("MLGROUP_BATCH_SIZE",)),
        ({"MLGROUP_PUBLIC_URL": "office.example"}, ("MLGROUP_PUBLIC_URL",)),
        ({"MLGROUP_NOW": "noon"}, ("MLGROUP_NOW",)),
        ({"MLGROUP_NOW": "2021-11-02T09:00:00Z", "MLGROUP_TRANSPORT": "smtp"}, ("MLGROUP_NOW", "outbox")),
        ({"MLGROUP_SECRET_KEYS": "short-and-secret"}, ("MLGROUP_SECRET_KEYS", "32 characters")),
        ({"MLGROUP_SMTP_PASSWORD_FILE": "/nowhere/password"}, ("MLGROUP_SMTP_PASSWORD_FILE", "/nowhere/password")),
    ],
    ids=lambda value: " ".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else "",
)
def test_a_setting_that_cannot_be_is_named_with_where_to_set_it(
    run: Run, use: Settings, project: Path, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    use(settings)
    result = run("status", "--json")
    told(result, 2, *words)
    assert "short-and-secret" not in result.err


def test_an_unknown_setting_in_the_project_file_is_named(run: Run, project: Path) -> None:
    with (project / "mlgroup.toml").open("a", encoding="utf-8") as file:
        file.write('\n[settings]\nMLGROUP_TRANSPROT = "smtp"\n')
    told(run("status", "--json"), 2, "mlgroup.toml", "transprot", "Did you mean “transport”")


@pytest.mark.parametrize("command", [("approve", LETTER, "--by", "me"), ("send", LETTER, "--live", "--late", "x")])
def test_without_a_secret_key_nothing_is_approved_planned_or_sent(
    run: Run, letter: Path, command: tuple[str, ...]
) -> None:
    (letter / ".env").unlink()
    before = run("status", LETTER, "--json").json
    told(run(*command, "--json"), 2, "secret key", "MLGROUP_SECRET_KEYS", "init")
    after = run("status", LETTER, "--json").json
    assert (after["state"], after["audience"], after["stop_at"]) == ("expired", 0, before["stop_at"])
    assert not (letter / "ledger.toml").exists()


# Orders that do not fit


@pytest.mark.parametrize("flags", [(), ("--accepted", "--resend")], ids=["none", "both"])
def test_resolve_wants_exactly_one_decision(run: Run, letter: Path, flags: tuple[str, ...]) -> None:
    told(run("resolve", LETTER, *flags, "--reason", "asked"), 2, "exactly one of --accepted and --resend")


def test_resolve_wants_a_reason_and_something_to_resolve(run: Run, letter: Path) -> None:
    told(run("resolve", LETTER, "--accepted"), 2, "--reason")
    told(run("resolve", LETTER, "--accepted", "--reason", " "), 2, "--reason is empty")
    told(run("resolve", LETTER, "--accepted", "--reason", "x"), 2, "no delivery", "uncertain")
    told(run("resolve", LETTER, "--accepted", "--reason", "x", "--address", "nobody"), 2, "--address", "@")


def test_a_command_or_option_that_is_not_there_is_usage(run: Run, letter: Path) -> None:
    told(run("sned", LETTER), 2, "sned")
    told(run("send", LETTER, "--alive"), 2, "--alive")


def test_past_its_end_a_mailing_does_not_start_by_itself(run: Run, letter: Path) -> None:
    sent = run("send", LETTER, "--live", "--json")
    assert (sent.code, sent.json["state"]) == (1, "expired")
    assert "--late" in " ".join(sent.json["remarks"])
    dispatched = run("dispatch", "--live", "--json")
    assert (dispatched.code, dispatched.json["mailings"]) == (1, [])
    assert not (letter / "var" / "outbox").exists()
    assert run("send", LETTER, "--live", "--late", "the printer was down", "--json").json["state"] == "finished"


def test_what_was_changed_after_its_approval_does_not_go(run: Run, letter: Path) -> None:
    rewrite(letter / CAMPAIGN_FILE, "there is news", "there is no news")
    told(run("send", LETTER, "--live", "--late", "x", "--json"), 1, "has changed since its approval", "approve")
    assert run("approve", LETTER, "--by", "me").code == 0
    assert run("send", LETTER, "--live", "--late", "x").code == 0


def test_a_segment_changed_after_the_approval_voids_it_too(run: Run, letter: Path) -> None:
    (letter / "contacts" / "contacts.toml").write_text(
        CONTACTS_TOML.replace('[segment.members]\nstatus = "member"', '[segment.members]\nstatus = ["member", "lead"]'),
        encoding="utf-8",
    )
    told(run("send", LETTER, "--live", "--late", "x", "--json"), 1, "has changed since its approval")


def test_without_live_nothing_is_sent_or_written(run: Run, letter: Path) -> None:
    dry = run("send", LETTER, "--json")
    assert (dry.code, dry.json["live"], dry.json["would_send"]) == (0, False, 6)
    assert run("log", LETTER, "--json").out == ""
    assert not (letter / "ledger.toml").exists()
    assert not (letter / "var" / "outbox").exists()


def test_outside_production_only_allowed_domains_are_written_to(run: Run, project: Path, use: Settings) -> None:
    """With a transport that leaves the machine; the outbox takes everybody."""
    use({"MLGROUP_TRANSPORT": "smtp", "MLGROUP_ALLOWED_DOMAINS": "office.example"})
    write_list(project, [(person(1), "", ""), ("ana@other.example", "", ""), ("bo@team.office.example", "", "")])
    assert run("contacts", "pull").code == 0
    dry = run("send", LETTER, "--json").json
    assert (dry["would_send"], dry["excluded"]) == (2, {"not_allowed": 1})
    use({"MLGROUP_ENVIRONMENT": "production"})
    assert run("send", LETTER, "--json").json["would_send"] == 3


def test_one_run_that_forgets_the_environment_costs_nobody_their_mail(
    run: Run, letter: Path, use: Settings, smtp_sink: SmtpSink
) -> None:
    """As under cron, which does not read what a terminal reads: what was planned stays planned."""
    use(through(smtp_sink, allowed_domains="team.example", environment="production"))
    assert run("plan", LETTER).code == 0
    use({"MLGROUP_ENVIRONMENT": "development"})
    words = ("6 of those", "outside the domains that are allowed", "MLGROUP_ENVIRONMENT=production")
    told(run("send", LETTER, "--live", "--late", "trial"), 2, *words)
    dispatched = run("dispatch", "--live", "--json")
    assert dispatched.code == 2
    assert all(word in dispatched.json["hindered"][0] for word in words)
    assert "MLGROUP_ENVIRONMENT=production" in run("send", LETTER).text, "a dry run says so too"
    assert run("status", LETTER, "--json").json["counts"]["planned"] == 6
    assert smtp_sink.messages() == []
    use({"MLGROUP_ENVIRONMENT": "production"})
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    assert sum(smtp_sink.recipients().values()) == 6


def test_a_mailing_planned_under_the_allow_list_goes_to_those_it_allows(
    run: Run, project: Path, use: Settings, smtp_sink: SmtpSink
) -> None:
    use(through(smtp_sink, allowed_domains="office.example"))
    write_list(project, [(person(1), "", ""), ("ana@other.example", "", "")])
    assert run("contacts", "pull").code == 0
    assert run("approve", LETTER, "--by", "the editor").code == 0
    sent = run("send", LETTER, "--live", "--late", "trial", "--json")
    assert (sent.code, sent.json["counts"]["accepted"], sent.json["counts"]["excluded"]) == (0, 1, 1)
    assert list(smtp_sink.recipients()) == [person(1)]


def test_a_topic_or_an_address_that_is_none_is_a_slip_of_the_command(run: Run, letter: Path) -> None:
    told(run("opt-out", "add", person(1), "--topic", "gossip"), 2, "there is no topic “gossip”", "coffee-coding")
    told(run("opt-out", "add", "nobody"), 2, "nobody", "@")
    told(run("opt-out", "lift", person(1), "--reason", "x"), 2, "no standing opt-out")
    told(run("explain", "nobody", "--json"), 2, "@")
    told(run("test-send", "letter", "--to", "nobody"), 2, "--to")


def test_a_topic_s_default_changed_after_the_approval_voids_it_too(run: Run, letter: Path) -> None:
    rewrite(letter / "mlgroup.toml", "newsletter = { default = true", "newsletter = { default = false")
    told(
        run("send", LETTER, "--live", "--late", "trial"),
        1,
        "has changed since",
        "whether those who have chosen no topics",
    )


@pytest.mark.parametrize(
    "url", ["https://abmeldung.bücher.example", "https://lists.example.org/a b", "ftp://lists.example.org"]
)
def test_a_public_url_that_cannot_stand_in_a_mail_is_refused_at_once(
    run: Run, letter: Path, use: Settings, url: str
) -> None:
    use({"MLGROUP_PUBLIC_URL": url})
    told(run("send", LETTER, "--live", "--late", "trial"), 2, "MLGROUP_PUBLIC_URL")
