"""Write the fictional sample list: `python tools/make_sample_list.py [FILE]` renews contacts/sample-members.csv.

Nobody in it exists: usual given and family names are drawn together by a fixed seed, offices have generic names, and
every address lies under a domain that RFC 2606 reserves. The mess at the end of this file is what real lists hold.
"""

import csv
import io
import random
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, kw_only=True)
class Country:
    """How people of one country appear on the list.

    Names are written "own script=latin" where the two differ; `family_first` is the order of names in the own script.
    """

    code: str
    shown: tuple[str, ...]
    people: int
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    given: str
    family: str
    offices: tuple[str, ...]
    family_first: bool = False


COUNTRIES = (
    Country(
        code="gb",
        shown=("United Kingdom", "United Kingdom", "UK"),
        people=22,
        zones=("Europe/London",),
        languages=("en-GB", "en"),
        given="Amelia,Rhys,Priya,Callum,Eleanor,Yusuf,Niamh,Tobias,Grace,Oluwaseun",
        family="Ashworth,Pemberton,Llewellyn,Okafor,Fairclough,MacAulay,Hargreaves,Trevelyan,O’Rourke,Siddiqui",
        offices=(
            "National Statistics Office of the United Kingdom",
            "Ministry of Transport",
            "University of Sampleton",
        ),
    ),
    Country(
        code="us",
        shown=("United States", "USA", "United States of America"),
        people=15,
        zones=("America/New_York", "America/Chicago", "America/Los_Angeles"),
        languages=("en-US", "en"),
        given="Maya,Jackson,Alejandra,Ethan,Brooke,DeShawn,Hannah,Marcus",
        family="Whitfield,Delgado,Kowalski,Abernathy,Nguyen,Castellano,Holloway,Lindqvist",
        offices=("Federal Bureau of Sample Statistics", "Department of Example Affairs", "Example State University"),
    ),
    Country(
        code="ca",
        shown=("Canada", "Canada", "CAN"),
        people=12,
        zones=("America/Toronto", "America/Vancouver", "America/Halifax"),
        languages=("en-CA", "fr-CA", "en"),
        given="Geneviève,Liam,Simone,Étienne,Harpreet,Chloé,Owen",
        family="Tremblay,Beaulieu,MacDougall,Gagné,Sandhu,Fontaine,Archambault",
        offices=(
            "National Statistical Agency of Canada",
            "Ministry of Natural Resources",
            "University of the North Shore",
        ),
    ),
    Country(
        code="au",
        shown=("Australia",),
        people=9,
        zones=("Australia/Sydney", "Australia/Perth"),
        languages=("en-AU", "en"),
        given="Lachlan,Matilda,Kirra,Angus,Zara,Declan",
        family="Bannister,Wattleworth,Nakamura,Fitzgibbon,Marchetti,Hewson",
        offices=("Bureau of Statistics, Australia", "Sample Taxation Office", "University of the Southern Coast"),
    ),
    Country(
        code="ie",
        shown=("Ireland",),
        people=7,
        zones=("Europe/Dublin",),
        languages=("en-IE", "en"),
        given="Aoife,Cillian,Saoirse,Pádraig,Róisín",
        family="Ó Murchú,Brennan,Ní Dhomhnaill,Gallagher,Mac Carthaigh",
        offices=("Central Statistical Office of Ireland", "Department of Housing"),
    ),
    Country(
        code="fr",
        shown=("France",),
        people=10,
        zones=("Europe/Paris",),
        languages=("fr", "fr-FR"),
        given="Hélène,Mathieu,Anaïs,Benoît,Françoise,Rémi",
        family="Lefèvre,Garçon,Dubois-Martin,Chérif,de la Tour,Noël",
        offices=("Institut national de la statistique", "Ministère de l’Agriculture", "Université de l’Exemple"),
    ),
    Country(
        code="be",
        shown=("Belgium", "Belgique"),
        people=6,
        zones=("Europe/Brussels",),
        languages=("fr", "nl", "en"),
        given="Joëlle,Wouter,Margaux,Thijs",
        family="Vandenbroucke,Lemaître,Claes,Peeters",
        offices=("Office of Statistics, Belgium", "Hogeschool Voorbeeld"),
    ),
    Country(
        code="cn",
        shown=("China",),
        people=6,
        zones=("Asia/Shanghai",),
        languages=("zh-Hans", "en"),
        family_first=True,
        given="晓燕=Xiaoyan,志强=Zhiqiang,丽华=Lihua,建国=Jianguo",
        family="王=Wang,欧阳=Ouyang,陈=Chen,赵=Zhao",
        offices=("National Office of Statistics, China", "示例大学"),
    ),
    Country(
        code="de",
        shown=("Germany", "Germany", "Deutschland"),
        people=10,
        zones=("Europe/Berlin",),
        languages=("de", "en"),
        given="Jürgen,Käthe,Sören,Annegret,Özlem,Matthias",
        family="Müller-Groß,Weißenberger,Schröder,Yıldırım,Köhler,von der Heide",
        offices=("Statistisches Amt, Deutschland", "Landesamt für Statistik Musterland", "Universität Musterstadt"),
    ),
    Country(
        code="ch",
        shown=("Switzerland",),
        people=8,
        zones=("Europe/Zurich",),
        languages=("de-CH", "fr-CH", "it-CH"),
        given="Beat,Ladina,Clément,Chiara,Urs",
        family="Zürcher,Bünzli,Rochat,Bernasconi,Cadruvi",
        offices=("Bundesamt für Musterstatistik", "International Commission for Sample Statistics"),
    ),
    Country(
        code="nl",
        shown=("Netherlands", "The Netherlands"),
        people=8,
        zones=("Europe/Amsterdam",),
        languages=("nl", "en"),
        given="Sjoerd,Marijke,Femke,Joost",
        family="van ’t Hof,de Vries,Bakker,IJsselstein",
        offices=("Bureau voor de Statistiek", "Universiteit Voorbeeldstad"),
    ),
    Country(
        code="se",
        shown=("Sweden",),
        people=7,
        zones=("Europe/Stockholm",),
        languages=("sv", "en"),
        given="Åsa,Björn,Märta,Örjan",
        family="Sjöström,Ångström,Lindgren,Håkansson",
        offices=("Statistiska byrån", "Exempelhögskolan"),
    ),
    Country(
        code="no",
        shown=("Norway",),
        people=7,
        zones=("Europe/Oslo",),
        languages=("nb", "en"),
        given="Øystein,Solveig,Håkon,Ragnhild",
        family="Bjørnstad,Sæther,Kvåle,Haugen",
        offices=("Statistisk kontor", "Eksempeldepartementet"),
    ),
    Country(
        code="fi",
        shown=("Finland",),
        people=7,
        zones=("Europe/Helsinki",),
        languages=("fi", "sv-FI", "en"),
        given="Päivi,Jyrki,Äijö,Tuulikki",
        family="Hämäläinen,Mäkelä,Yrjölä,Nyström",
        offices=("Tilastovirasto", "Esimerkin yliopisto"),
    ),
    Country(
        code="dk",
        shown=("Denmark",),
        people=6,
        zones=("Europe/Copenhagen",),
        languages=("da", "en"),
        given="Søren,Bodil,Kåre,Mette",
        family="Sørensen,Nørgaard,Østergaard,Kjær",
        offices=("Statistikkontoret",),
    ),
    Country(
        code="pl",
        shown=("Poland",),
        people=8,
        zones=("Europe/Warsaw",),
        languages=("pl", "en"),
        given="Małgorzata,Łukasz,Zdzisław,Agnieszka,Bożena",
        family="Wójcik,Śliwińska,Żak,Dąbrowski,Błaszczyk",
        offices=("Urząd Statystyczny", "Uniwersytet Przykładowy"),
    ),
    Country(
        code="cz",
        shown=("Czechia", "Czech Republic"),
        people=5,
        zones=("Europe/Prague",),
        languages=("cs", "en"),
        given="Jiří,Květa,Ondřej,Žaneta",
        family="Dvořáček,Nováková,Šťastný,Říhová",
        offices=("Statistický úřad",),
    ),
    Country(
        code="it",
        shown=("Italy",),
        people=8,
        zones=("Europe/Rome",),
        languages=("it", "en"),
        given="Niccolò,Beatrice,Giosuè,Elisabetta",
        family="D’Angelo,Forlì,Quattrocchi,Zanetti",
        offices=("Istituto di Statistica", "Università dell’Esempio"),
    ),
    Country(
        code="es",
        shown=("Spain", "España"),
        people=8,
        zones=("Europe/Madrid", "Atlantic/Canary"),
        languages=("es", "ca", "en"),
        given="Begoña,Íñigo,Montserrat,Álvaro",
        family="Núñez,Echevarría,Puig i Serra,Ibáñez",
        offices=("Instituto de Estadística", "Universidad del Ejemplo"),
    ),
    Country(
        code="pt",
        shown=("Portugal",),
        people=6,
        zones=("Europe/Lisbon", "Atlantic/Azores"),
        languages=("pt-PT", "en"),
        given="João,Conceição,Inês,Tomás",
        family="Guimarães,Antunes,Simões,Lourenço",
        offices=("Instituto de Estatística",),
    ),
    Country(
        code="gr",
        shown=("Greece",),
        people=6,
        zones=("Europe/Athens",),
        languages=("el", "en"),
        given="Ελένη=Eleni,Γιώργος=Giorgos,Δήμητρα=Dimitra,Σπύρος=Spyros",
        family="Παπαδάκης=Papadakis,Οικονόμου=Oikonomou,Χατζής=Chatzis,Μαυρίδη=Mavridi",
        offices=("Στατιστική Υπηρεσία",),
    ),
    Country(
        code="rs",
        shown=("Serbia",),
        people=6,
        zones=("Europe/Belgrade",),
        languages=("sr", "sr-Latn", "en"),
        given="Драгана=Dragana,Ђорђе=Djordje,Љиљана=Ljiljana,Милош=Milos",
        family="Јовановић=Jovanovic,Стојковић=Stojkovic,Његош=Njegos,Ћирић=Ciric",
        offices=("Завод за статистику",),
    ),
    Country(
        code="ge",
        shown=("Georgia",),
        people=5,
        zones=("Asia/Tbilisi",),
        languages=("ka", "en"),
        given="ნინო=Nino,გიორგი=Giorgi,თამარ=Tamar,ლევან=Levan",
        family="ბერიძე=Beridze,კაპანაძე=Kapanadze,ლომიძე=Lomidze,წიკლაური=Tsiklauri",
        offices=("National Statistics Office of Georgia",),
    ),
    Country(
        code="tr",
        shown=("Türkiye", "Turkey"),
        people=6,
        zones=("Europe/Istanbul",),
        languages=("tr", "en"),
        given="Gülşen,Çağlar,İpek,Oğuz",
        family="Yılmaz,Şahin,Öztürk,Çelik",
        offices=("İstatistik Kurumu",),
    ),
    Country(
        code="ae",
        shown=("United Arab Emirates", "UAE"),
        people=5,
        zones=("Asia/Dubai",),
        languages=("ar", "en"),
        given="فاطمة=Fatima,خالد=Khalid,مريم=Maryam,سلطان=Sultan",
        family="المنصوري=Almansoori,الهاشمي=Alhashmi,السويدي=Alsuwaidi,الكعبي=Alkaabi",
        offices=("Centre for Competitiveness and Sample Statistics",),
    ),
    Country(
        code="il",
        shown=("Israel",),
        people=4,
        zones=("Asia/Jerusalem",),
        languages=("he", "en"),
        given="נועה=Noa,אורי=Uri,תמר=Tamar,איתן=Eitan",
        family="לוי=Levi,ברקוביץ=Berkovich,שפירא=Shapira,אלון=Alon",
        offices=("Central Office of Statistics, Israel",),
    ),
    Country(
        code="in",
        shown=("India",),
        people=7,
        zones=("Asia/Kolkata",),
        languages=("hi", "en-IN", "en"),
        given="अनन्या=Ananya,विक्रम=Vikram,लक्ष्मी=Lakshmi,अर्जुन=Arjun",
        family="श्रीवास्तव=Srivastava,चतुर्वेदी=Chaturvedi,नायर=Nair,मुखर्जी=Mukherjee",
        offices=("Ministry of Sample Statistics, India",),
    ),
    Country(
        code="jp",
        shown=("Japan",),
        people=7,
        zones=("Asia/Tokyo",),
        languages=("ja", "en"),
        family_first=True,
        given="美咲=Misaki,健太=Kenta,さくら=Sakura,翔=Sho",
        family="山田=Yamada,小笠原=Ogasawara,斎藤=Saito,中村=Nakamura",
        offices=("統計局", "例示大学"),
    ),
    Country(
        code="kr",
        shown=("Korea, Republic of", "South Korea", "Republic of Korea"),
        people=6,
        zones=("Asia/Seoul",),
        languages=("ko", "en"),
        family_first=True,
        given="지민=Jimin,서연=Seoyeon,현우=Hyunwoo,수빈=Subin",
        family="김=Kim,남궁=Namgung,박=Park,최=Choi",
        offices=("통계청",),
    ),
    Country(
        code="th",
        shown=("Thailand",),
        people=4,
        zones=("Asia/Bangkok",),
        languages=("th", "en"),
        given="สมชาย=Somchai,กัญญา=Kanya,ปิยะ=Piya",
        family="ศรีสุข=Srisuk,วงศ์ทอง=Wongthong,จันทร์เพ็ญ=Chanphen",
        offices=("สำนักงานสถิติ",),
    ),
    Country(
        code="mx",
        shown=("Mexico", "México"),
        people=7,
        zones=("America/Mexico_City", "America/Tijuana"),
        languages=("es-MX", "en"),
        given="Guadalupe,Joaquín,Ximena,Germán",
        family="Peña Hernández,Orozco,Zúñiga,Cárdenas López",
        offices=("Instituto de Estadística y Geografía del Ejemplo",),
    ),
    Country(
        code="br",
        shown=("Brazil", "Brasil"),
        people=7,
        zones=("America/Sao_Paulo", "America/Manaus"),
        languages=("pt-BR", "en"),
        given="Antônia,Márcio,Luíza,Caetano",
        family="Gonçalves,Araújo,Nascimento,Brandão",
        offices=("Instituto de Geografia e Estatística do Exemplo",),
    ),
    Country(
        code="za",
        shown=("South Africa",),
        people=6,
        zones=("Africa/Johannesburg",),
        languages=("en-ZA", "en"),
        given="Thandiwe,Pieter,Sipho,Annelize",
        family="Mkhize,van Rensburg,Dlamini,Naidoo",
        offices=("Statistics Office, South Africa",),
    ),
)


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
        ["g.aydin@stats.tr.example; gokhan.aydin@uni.tr.example", "Gökhan Aydın", "Gökhan", "İstatistik Kurumu", "Turkey", "Europe/Istanbul", "tr", "member", "", ""],
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
