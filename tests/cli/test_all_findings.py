"""`check` tells all that can be found at once, each thing with its line; `preview` writes what can be written."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.acceptance.projects import CAMPAIGN, LETTER
from tests.cli.conftest import Run
from tests.cli.test_translations import FRENCH, project, write

__all__ = ["project"]

SPANISH = FRENCH.replace("Nouvelles", "Noticias")
HERE = "campaigns/letter"


@pytest.fixture(autouse=True)
def pulled(run: Run, project: Path) -> None:
    assert run("contacts", "pull").code == 0


def found(run: Run, *, level: str = "error") -> list[tuple[str, str]]:
    """The places and messages of a level's findings, without the folder that all have."""
    result = run("check", "letter", "--json")
    findings = [finding for finding in result.json["findings"] if finding["level"] == level]
    assert result.code == int(result.json["errors"] > 0)
    return [(finding["where"].removeprefix(f"{HERE}/"), finding["message"]) for finding in findings]


def told(findings: list[tuple[str, str]], *expected: tuple[str, str]) -> None:
    """Exactly these: each place once, with these words in its message."""
    assert sorted(place for place, _ in findings) == sorted(place for place, _ in expected)
    for place, words in expected:
        assert any(words in message for where, message in findings if where == place), (place, words, findings)


def front(old: str, new: str) -> str:
    assert old in CAMPAIGN
    return CAMPAIGN.replace(old, new)


def test_slips_in_front_matter_do_not_hide_each_other(run: Run, project: Path) -> None:
    text = front('subject = "News"', 'subjct = "News"').replace("send_at =", "sent_at =").replace('"What is new"', "3")
    write(project, {"campaign.md": f"{text}\n{{{{ recipient.nam }}}}\n", "campaign.fr.md": FRENCH + "\n{{ x.y"})
    told(
        found(run),
        ("campaign.md, line 4", "the key “subjct” is not known"),
        ("campaign.md, line 5", "“preheader” must be a text in quotes"),
        ("campaign.md, line 11", "the key “sent_at” is not known"),
        ("campaign.md, line 15", "no field recipient.nam"),
        ("campaign.fr.md, line 8", "“{{” is not closed"),
    )


def test_a_misspelt_key_is_told_instead_of_the_one_that_is_missing(run: Run, project: Path) -> None:
    write(project, {"campaign.md": front('subject = "News"', 'subjct = "News"')})
    result = run("check", "letter")
    assert "the key “subjct” is not known here. Did you mean “subject”?" in result.text
    assert "missing" not in result.text


def test_names_that_are_not_known_hide_nothing(run: Run, project: Path) -> None:
    text = front('kind = "newsletter"', 'kind = "newsleter"').replace('topic = "newsletter"', 'topic = "newsleter"')
    text = text.replace('sender = "newsletter"', 'sender = "newsleter"').replace('"members"', '"membrs"')
    write(project, {"campaign.md": f"{text}\n{{{{ evnts }}}} TODO\n"})
    told(
        found(run),
        ("campaign.md, line 2", "no kind “newsleter”"),
        ("campaign.md, line 3", "no topic “newsleter”"),
        ("campaign.md, line 6", "no sender “newsleter”"),
        ("campaign.md, line 7", "no segment “membrs”"),
        ("campaign.md, line 15", "“evnts” is not known here"),
        ("campaign.md, line 15", "“TODO” is left over"),
    )


def test_a_slip_in_one_language_hides_nothing_in_another(run: Run, project: Path) -> None:
    write(
        project,
        {
            "campaign.md": f"{CAMPAIGN}\n{{{{ recipient.nam }}}}\n",
            "campaign.fr.md": f"{FRENCH}\n```buton\n```\n",
            "campaign.es.md": f"{SPANISH}\n[aqui](pagina) TODO\n",
            "campaign.is.md": "+++\nsubjct = 'x'\n+++\nHalló",
            "campaign.pt.md": "+++\nsubject = “x”\n+++\nOla",
        },
    )
    told(
        found(run),
        ("campaign.md, line 15", "no field recipient.nam"),
        ("campaign.fr.md, line 8", "no block “buton”"),
        ("campaign.es.md, line 8", "“pagina”"),
        ("campaign.es.md, line 8", "“TODO”"),
        ("campaign.is.md, line 2", "“subjct” is not known"),
        ("campaign.pt.md, line 2", "the quotes are curly"),
    )


def test_each_slip_of_one_text_is_told(run: Run, project: Path) -> None:
    text = "\n{{ recipient.nam }}\n\n{{ recipient.fist }}\n\n{{ grup.name }}\n\n{{ 1 / 0 }}\n\n{{ evnts }}\n\n[x](y)\n"
    write(project, {"campaign.md": front('"News"', '"News {{ nothing }}"') + text})
    told(
        found(run),
        ("campaign.md (subject), line 4", "“nothing” is not known"),
        ("campaign.md, line 15", "no field recipient.nam"),
        ("campaign.md, line 17", "no field recipient.fist"),
        ("campaign.md, line 19", "“grup” is not known"),
        ("campaign.md, line 21", "a division by zero"),
        ("campaign.md, line 23", "“evnts” is not known"),
        ("campaign.md, line 25", "leads to “y”"),
    )


def test_a_slip_in_one_mailing_hides_nothing_in_another(run: Run, project: Path) -> None:
    again = '\n[[mailing]]\nname = "again"\nsend_at = "2021-11-09 09:00 UTC"\ntext = "again.md"\n'
    lost = '\n[[mailing]]\nname = "lost"\nsend_at = "2021-11-09 09:00 UTC"\ntext = "agian.md"\n+++\nDear'
    write(project, {"campaign.md": front("+++\nDear", again + lost), "again.md": "Again. [x](y)\n"})
    told(
        found(run),
        ("campaign.md, line 21", "no text “agian.md”"),
        ("again.md, line 1", "leads to “y”"),
    )


def test_a_slip_in_the_calendar_hides_nothing_and_each_is_told(run: Run, project: Path) -> None:
    write(project, {"campaign.md": f"{CAMPAIGN}\n{{{{ recipient.nam }}}} TODO\n"})
    (project / "campaigns" / "events.yaml").write_text(
        "- id: one\n  titel: One\n  start: 2021-11-19\n- id: two\n  title: Two\n  start: noon\n- id: Three\n", "utf-8"
    )
    findings = [(place.removeprefix("campaigns/"), message) for place, message in found(run)]
    told(
        findings,
        ("campaign.md, line 15", "no field recipient.nam"),
        ("campaign.md, line 15", "“TODO”"),
        ("events.yaml, line 2", "the key “titel” is not known"),
        ("events.yaml, line 6", "“noon” is not a date"),
        ("events.yaml, line 7", "“id” is made of small letters"),
        ("events.yaml, line 7", "“title” is missing"),
        ("events.yaml, line 7", "“start” is missing"),
    )


def test_what_only_the_list_knows_is_told_beside_a_slip_of_the_text(run: Run, project: Path) -> None:
    write(project, {"campaign.md": front('"members"', '{ status = "friend" }') + "\n{{ evnts }}\n"})
    told(found(run), ("campaign.md, line 7", "nobody would get this"), ("campaign.md, line 15", "“evnts” is not known"))


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("2021-11-02 09:00 Europe/London", "2021-11-02 09:00 Europe/London", "past-stop-at", 11),
        ('London"', 'London"\nstop_at = "2099-01-01 09:00 UTC"', "past-send-at", 11),
        ('London"', 'London"\n\nstop_at = "2021-11-02 08:00 UTC"', "stop-before-send", 13),
        ("[[mailing]]", '[values]\nperiod = "TODO"\n[[mailing]]', "left-overs", 10),
        ("[[mailing]]", "[values]\nnote = '''\nsend_at = TBC\n'''\n[[mailing]]", "left-overs", 10),
        ('"News"', '"TODO"', "left-overs", 4),
        ('"What is new"', '"TODO"', "left-overs", 5),
        ('"News"', f'"{"News " * 25}"', "long-subject", 4),
        ('"members"', '{ status = "friend" }', "empty-audience", 7),
        ('London"', 'London"\naudience = { status = "friend" }', "empty-audience", 12),
        ('"members"', '"accepted:letter/other"', "not-readable", 7),
        ("Dear {{", "Dear [x](y) {{", "missing-link-target", 13),
        ("Dear {{", "one\n\nDear [x](y) {{", "missing-link-target", 15),
        ("Dear {{", "one\nDear <b>x</b> {{", "html-as-text", 14),
    ],
)
def test_each_rule_names_the_line_on_which_it_is_mended(
    run: Run, project: Path, old: str, new: str, rule: str, line: int
) -> None:
    write(project, {"campaign.md": front(old, new)})
    findings = run("check", "letter", "--json").json["findings"]
    places = [finding["where"] for finding in findings if finding["rule"] == rule]
    assert places == [f"{HERE}/campaign.md, line {line}"], findings


def written(project: Path) -> set[str]:
    folder = project / "var" / "preview" / "letter"
    return {path.name for path in folder.glob("*.txt")}


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"campaign.fr.md": f"{FRENCH}\n{{{{ x.y }}}}"}, {"issue.txt", "issue.es.txt"}),
        ({"campaign.fr.md": "+++\nsubjct = 'x'\n+++\nx"}, {"issue.txt", "issue.es.txt"}),
        ({"campaign.md": f"{CAMPAIGN}\n{{{{ x.y }}}}"}, {"issue.fr.txt", "issue.es.txt"}),
        (
            {"campaign.md": front('topic = "newsletter"', 'topic = "newsleter"')},
            {"issue.txt", "issue.fr.txt", "issue.es.txt"},
        ),
        ({"campaign.md": front("kind =", "kid =")}, set()),
    ],
)
def test_preview_writes_what_it_can_and_tells_the_rest(
    run: Run, project: Path, files: Mapping[str, str], left: set[str]
) -> None:
    write(project, {"campaign.md": CAMPAIGN, "campaign.fr.md": FRENCH, "campaign.es.md": SPANISH})
    write(project, files)
    result = run("preview", "letter")
    assert (result.code, written(project)) == (1, left)
    assert f"{HERE}/{next(iter(files))}, line " in result.err
    assert result.err.count("error:") == 1


def test_preview_as_somebody_leaves_the_other_previews_alone(run: Run, project: Path) -> None:
    write(project, {"campaign.md": CAMPAIGN, "campaign.fr.md": FRENCH})
    assert run("preview", "letter").code == 0
    before = (project / "var/preview/letter/issue.txt").read_bytes()
    assert run("preview", LETTER, "--as", "canadian@office.example").code == 0
    assert run("preview", LETTER, "--as", "silent@office.example").code == 0
    assert (project / "var/preview/letter/issue.txt").read_bytes() == before
    assert len(written(project)) == 4, "the two texts, and what two people get of them"


def test_all_that_a_translation_lacks_is_told_where_programs_read(run: Run, project: Path) -> None:
    links = [f"https://example.org/{number}" for number in range(14)]
    write(project, {"campaign.md": CAMPAIGN + "".join(f"\n[x]({link})" for link in links), "campaign.fr.md": FRENCH})
    (message,) = [text for _, text in found(run, level="warning") if "lacks" in text]
    assert all(f"the link {link}" in message for link in links)
    shown = run("check", "letter").text
    assert "https://example.org/0, the link" in shown
    assert "and 11 more" in shown
    assert "All of them: mlgroup-mail check letter --json" in shown


def test_a_plain_picture_from_the_web_gets_advice_that_a_text_can_follow(run: Run, project: Path) -> None:
    (project / "templates").mkdir()
    (project / "templates" / "newsletter.mjml.j2").write_text(
        '{% extends "shipped/newsletter.mjml.j2" %}\n{% block lead %}<mj-section><mj-column>'
        '<mj-image src="chart.png" alt="x"/></mj-column></mj-section>{% endblock %}',
        encoding="utf-8",
    )
    write(project, {"campaign.md": CAMPAIGN})
    finding = next(each for each in run("check", "letter", "--json").json["findings"] if "chart.png" in each["message"])
    assert "https://" not in finding["mend"]
    assert "campaign's folder" in finding["mend"]
