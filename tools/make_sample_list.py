"""Write the fictional sample list: `python tools/make_sample_list.py [FILE]` renews contacts/sample-members.csv.

Nobody in it exists: usual given and family names are drawn together by a fixed seed, offices have generic names, and
every address lies under a domain that RFC 2606 reserves. The mess at the end of this file is what real lists hold.
"""

import csv
import io
import random
import sys
import unicodedata
from pathlib import Path

from sample_countries import COUNTRIES, Country

# ruff: noqa: E501 (a row of the list is easiest to read on one line)

HEADER = [
    "Email",
    "Name",
    "First name",
    "Organisation",
    "Country",
    "Time zone",
    "Language",
    "Status",
    "Topics",
    "Themes",
]
THEMES = (
    "Text classification",
    "Imagery",
    "Editing and imputation",
    "MLOps",
    "Ethics and governance",
    "Quality of training data",
    "Web data",
    "Forecasting",
)
SAMPLE = Path(__file__).parent.parent / "contacts" / "sample-members.csv"


def main(path: Path) -> None:
    """Write the list to `path`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(HEADER)
    text.write(with_mess(people(random.Random(2022))))  # noqa: S311 (names, not secrets)
    path.write_bytes(text.getvalue().encode())


def people(chance: random.Random) -> list[list[str]]:
    """The list without its mess: one row a person, in no order."""
    rows = [row for country in COUNTRIES for row in _of(country, chance)]
    chance.shuffle(rows)
    return rows


def _of(country: Country, chance: random.Random) -> list[list[str]]:
    given = [name.partition("=") for name in country.given.split(",")]
    family = [name.partition("=") for name in country.family.split(",")]
    pairs = chance.sample([(g, f) for g in given for f in family], country.people)
    rows = []
    for place, ((g, _, g_latin), (f, _, f_latin)) in enumerate(pairs):
        latin_only = bool(g_latin) and place % 2 == 1
        first = g_latin if latin_only else g
        last = f_latin if latin_only else f
        if country.family_first and not latin_only:
            name = f"{last}{first}" if country.code in {"cn", "kr"} else f"{last} {first}"
        else:
            name = f"{first} {last}"
        office = chance.randrange(len(country.offices))
        host = ("stats", "research", "uni")[office]
        rows.append(
            [
                f"{_ascii(g_latin or g)}.{_ascii(f_latin or f)}@{host}.{country.code}.example",
                name,
                first if chance.random() < 0.9 else "",
                country.offices[office],
                chance.choice(country.shown),
                chance.choice(country.zones),
                chance.choice(country.languages),
                "lead" if chance.random() < 0.05 else "member" if chance.random() < 0.8 else "",
                chance.choices(("", "newsletter; meetings", "newsletter; calls; webinar"), (92, 5, 3))[0],
                "; ".join(chance.sample(THEMES, chance.choice((0, 1, 1, 2, 2, 3)))),
            ]
        )
    return rows


def _ascii(name: str) -> str:
    spelled = name.translate(
        str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "ı": "i", "đ": "d"})
    )
    bare = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(char for char in bare.lower() if char.isalnum())


def with_mess(rows: list[list[str]]) -> str:
    """The rows as CSV, with what two people add to a list over the years."""
    board = [
        ["ingrid.halvorsen@board.example.org", "Ingrid Halvorsen", "Ingrid", "Statistisk kontor", "Norway", "Europe/Oslo", "en", "board", "board; newsletter; meetings", ""],
        ["r.castellanos@board.example.org", "Rodrigo Castellanos", "Rodrigo", "Instituto de Estadística", "Spain", "Europe/Madrid", "es", "board", "board", ""],
        ["amara.nwosu@board.example.org", "Prof. Amara Nwosu", "Amara", "University of Sampleton", "United Kingdom", "Europe/London", "en", "Board", "board; newsletter", "Ethics and governance"],
        ["henrik.lauridsen@board.example.org", "Henrik Lauridsen", "Henrik", "Statistikkontoret", "Denmark", "Europe/Copenhagen", "en", "board", "board; meetings", ""],
        ["keiko.tanabe@board.example.org", "田辺 恵子", "恵子", "統計局", "Japan", "Asia/Tokyo", "ja", "board", "board", ""],
        ["m.desrosiers@board.example.org", "Marguerite Desrosiers", "Marguerite", "National Statistical Agency of Canada", "Canada", "America/Toronto", "fr-CA", "board", "board; newsletter; calls", ""],
    ]  # fmt: skip
    gone = [
        ["colin.brathwaite@stats.gb.example", "Colin Brathwaite", "Colin", "Ministry of Transport", "UK", "Europe/London", "en", "left", "", ""],
        ["ulrike.sommer@stats.de.example", "Ulrike Sommer", "Ulrike", "Statistisches Amt, Deutschland", "Germany", "Europe/Berlin", "de", "ausgetreten", "", ""],
        ["pierre.vasseur@stats.fr.example", "Pierre Vasseur", "Pierre", "Institut national de la statistique", "France", "Europe/Paris", "fr", "désabonné", "", ""],
        ["dana.whitlock@stats.us.example", "Dana Whitlock", "Dana", "Example State University", "USA", "America/Chicago", "en", "Unsubscribed", "", "MLOps"],
        ["teemu.rantanen@stats.fi.example", "Teemu Rantanen", "Teemu", "Tilastovirasto", "Finland", "Europe/Helsinki", "en", "inactive", "", ""],
    ]  # fmt: skip
    odd = [
        ["fia.brennan@stats.ie.example", "Brennan, Aoife \"Fía\"", "Aoife", "Central Statistical Office; Methodology Division", "Ireland", "Europe/Dublin", "en", "member", "", "Imagery"],
        ["HANA.SVOBODOVA@STATS.CZ.EXAMPLE", "SVOBODOVÁ Hana", "", "Statistický úřad", "CZ", "Europe/Prague", "cs", "Member", "", ""],
        ["Wendy Osgood <w.osgood@stats.gb.example>", "Wendy Osgood", "Wendy", "National Statistics Office of\nthe United Kingdom", "Untied Kingdom", "Europe/London", "en", "member", "", "Forecasting"],
        ["  teresa.quintela@stats.pt.example ", "Teresa  Quintela ", "Teresa", "Instituto de Estatística", "Portugal", "WET summer", "pt", "member", "", ""],
        ["mailto:bram.kuiper@stats.nl.example", "Bram Kuiper", "Bram", "Bureau voor de Statistiek", "Holland", "Europe/Amsterdam", "Dutch", "member", "Newslettr; Coffee & Coding", "MLOps"],
        ["press-desk@stats.ca.example", "", "", "National Statistical Agency of Canada", "Canada", "America/Toronto", "en", "member", "newsletter", ""],
        ["lebo.khumalo@stats.za.example", "Lebo Khumalo", "Lebo", "", "South Africa", "Africa/Johannesburg", "en", "lead", "", "Web data"],
    ]  # fmt: skip
    twice = [
        [rows[12][0].upper(), rows[12][1], *rows[12][2:7], "member", "", "Forecasting"],
        [f" {rows[31][0]}", rows[31][1].upper(), "", "", rows[31][4], "", "", "", "", ""],
        [f"{rows[77][1]} <{rows[77][0].title()}>", *rows[77][1:]],
        [rows[140][0], rows[140][1], "", "", "", "", "", "lead", "", ""],
        ["Colin.Brathwaite@stats.gb.example", "Colin Brathwaite", "Colin", "Ministry of Transport", "UK", "Europe/London", "en", "member", "", ""],
    ]  # fmt: skip
    unusable = [
        ["marta.kowalczyk.stats.pl.example", "Marta Kowalczyk", "Marta", "Urząd Statystyczny", "Poland", "Europe/Warsaw", "pl", "member", "", ""],
        ["g.aydin@st\u0430ts.tr.example", "Gökhan Aydın", "Gökhan", "İstatistik Kurumu", "Turkey", "Europe/Istanbul", "tr", "member", "", ""],
        ["lorenzo. bellini@stats.it.example", "Lorenzo Bellini", "Lorenzo", "Istituto di Statistica", "Italy", "Europe/Rome", "it", "member", "", ""],
        ["", "Samuel Adeyemi-Cole", "Samuel", "University of Sampleton", "United Kingdom", "Europe/London", "en", "member", "", "Web data"],
        ["petra..lindholm@stats.se.example", "Petra Lindholm", "Petra", "Statistiska byrån", "Sweden", "Europe/Stockholm", "sv", "member", "", ""],
        ["a.papadopoulou@statistics", "Αγγελική Παπαδοπούλου", "Αγγελική", "Στατιστική Υπηρεσία", "Greece", "Europe/Athens", "el", "member", "", ""],
    ]  # fmt: skip
    rows = list(rows)
    for place, row in zip(range(9, 10_000, 9), [*board, *gone, *odd, *unusable], strict=False):
        rows.insert(place, row)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(rows + twice)
    # Somebody typed this line in an editor and forgot the quotes.
    text.write("o.bergeron@stats.ca.example,Odile Bergeron,Odile,Ministry of Natural Resources, Forestry Branch,")
    text.write("Canada,America/Toronto,fr-CA,member,,\n")
    return text.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE)
