"""Old encodings: names as real lists have them, each in the encoding that programs of its country wrote."""

from pathlib import Path

import pytest

from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import source

LISTS: dict[str, tuple[str, str]] = {
    "German": ("cp1252 iso8859_15 iso8859_2 cp1250 mac_roman cp850", "Jörg Müller;Zürich\nUte Groß;Köln"),
    "one German name": ("cp1252 iso8859_15 iso8859_2 cp1250 cp850", "Müller;Zürich"),
    "French": (
        "cp1252 iso8859_15 mac_roman",
        "Zoé Lefèvre;Office fédéral de la statistique\nFrançois Noël;Ministère\nAnaïs Cœur;Côte d'Ivoire",
    ),
    "French with apostrophes": ("cp1252 mac_roman", "Zoé Noël;Ministère de l’Économie\nAnaïs Cœur;Côte d’Ivoire"),
    "Spanish": ("cp1252 iso8859_15 mac_roman cp850", "José Núñez;Instituto de Estadística\nMaría García;México"),
    "Portuguese": ("cp1252 iso8859_15 mac_roman cp850", "João Simões;Portugal\nConceição Gonçalves;Moçambique"),
    "Italian": ("cp1252 iso8859_15 mac_roman cp850", "Nicolò D'Angelò;Forlì\nLibertà Rossi;Università di Roma"),
    "Nordic": ("cp1252 iso8859_15 mac_roman cp850", "Søren Kjær;Ålborg\nÅsa Öberg;Malmö\nBjørn Sætre;Tromsø"),
    "Icelandic": ("cp1252 iso8859_15 cp850", "Þórður Guðrúnarson;Ísafjörður\nJóhanna Sigurðardóttir;Akureyri"),
    "Estonian": ("cp1252 cp1257 iso8859_15", "Jüri Põld;Tõrva\nÜlle Kõiv;Põltsamaa\nTõnis Mägi;Võru"),
    "Polish": (
        "cp1250 iso8859_2 cp852 mac_latin2",
        "Łukasz Wałęsa;Główny Urząd Statystyczny\nAgnieszka Śliwińska;Kraków\nZbigniew Żółć;Łódź",
    ),
    "Czech": (
        "cp1250 iso8859_2 cp852 mac_latin2",
        "Jiří Dvořák;Český statistický úřad\nŠárka Němcová;Plzeň\nTomáš Žižka;Zlín",
    ),
    "Slovene": ("cp1250 iso8859_2", "Žiga Kovač;Špela Čeh"),
    "Croatian": ("cp1250 iso8859_2", "Željko Kovačević;Đurđa Šarić\nMarko Čović;Šibenik"),
    "Hungarian": ("cp1250 iso8859_2 cp852", "Erdős Pál;Győr\nSzűcs Győző;Szőreg\nFekete Áron;Pécs"),
    "Romanian": ("cp1250 iso8859_2", "Ştefan Brătianu;Iaşi\nIoana Ţepeş;Constanţa"),
    "Russian": (
        "cp1251 iso8859_5 koi8_r cp866 mac_cyrillic",
        "Анна Иванова;Росстат\nПётр Ильич;Министерство",
    ),
    "one Russian name": ("cp1251 iso8859_5 koi8_r cp866 mac_cyrillic", "Анна Иванова;Moscow"),
    "Ukrainian": ("cp1251 koi8_u", "Оксана Їжакевич;Київ\nЄвген Ґудзь;Львів"),
    "Bulgarian": ("cp1251 iso8859_5", "Георги Димитров;София"),
    "Greek": (
        "cp1253 iso8859_7 cp737",
        "Γιώργος Παπαδόπουλος;Ελληνική Στατιστική Αρχή\nΆννα Ιωάννου;Αθήνα",
    ),
    "Turkish": ("cp1254 iso8859_9 cp857", "Çağlar Yılmaz;İzmir\nAyşe Öztürk;Muğla\nİbrahim Şahin;Eskişehir"),
    "one Turkish name": ("cp1254 iso8859_9", "Ayşe Yıldırım;Ankara"),
    "Latvian": ("cp1257 iso8859_13", "Jānis Bērziņš;Rīga\nIlze Kļaviņa;Jūrmala"),
    "Lithuanian": ("cp1257 iso8859_13", "Žydrūnas Šarūnas;Šiauliai\nRūta Ąžuolaitė;Kėdainiai"),
    "Hebrew": ("cp1255 iso8859_8", "יעל כהן;חיפה\nמשה לוי;תל אביב"),
    "Arabic": ("cp1256 iso8859_6", "محمد علي;القاهرة\nفاطمة حسن;بيروت"),
    "Japanese": ("cp932 euc_jp", "山田 花子;統計局\n鈴木 一郎;総務省"),
    "Chinese": ("gb18030", "王小明;国家统计局\n李华;财政部"),
    "Korean": ("cp949", "김민수;통계청\n이영희;기획재정부"),
    "Western, mixed": ("cp1252", "Zoë Müller;Genève\nJosé Núñez;São Tomé\nSøren Kjær;Århus\nŠárka;Þórshöfn"),
    "capitals": ("cp1252 mac_roman cp850", "JÖRG MÜLLER;ZÜRICH\nCHLOÉ DÉSIRÉ;GENÈVE"),
    "marks": ("cp1252 mac_roman", "Ben O’Neill;The “Office” – national\nAnna;The group’s office"),
}


def _list(rows: str) -> str:
    people = "\n".join(f"p{number}@example.org;{row}" for number, row in enumerate(rows.split("\n")))
    return f"Email;Name;Institution\n{people}\n"


@pytest.mark.parametrize(
    ("encoding", "rows"),
    [
        pytest.param(encoding, rows, id=f"{name}, {encoding}")
        for name, (encodings, rows) in LISTS.items()
        for encoding in encodings.split()
    ],
)
def test_names_in_an_old_encoding_are_read_right_and_the_guess_is_told(
    tmp_path: Path, encoding: str, rows: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(_list(rows).encode(encoding))
    table = read_source(path, source())
    assert table.frame[["name", "organisation"]].to_numpy().tolist() == [row.split(";") for row in rows.split("\n")]
    assert table.encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("rows", [rows for _, rows in LISTS.values()], ids=list(LISTS))
def test_what_a_file_tells_itself_is_no_guess(tmp_path: Path, encoding: str, rows: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(_list(rows).encode(encoding))
    table = read_source(path, source())
    assert table.frame[["name", "organisation"]].to_numpy().tolist() == [row.split(";") for row in rows.split("\n")]
    assert table.encoding == ""


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("rows", [rows for _, rows in LISTS.values()], ids=list(LISTS))
def test_utf16_without_a_mark_is_known_by_its_zeros(tmp_path: Path, encoding: str, rows: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(_list(rows).encode(encoding))
    table = read_source(path, source())
    assert table.frame[["name", "organisation"]].to_numpy().tolist() == [row.split(";") for row in rows.split("\n")]
    assert table.encoding == encoding


def test_a_guess_looks_at_names_far_down_a_long_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    plain = "".join(f"p{number}@example.org;Anna;Office\n" for number in range(60_000))
    path.write_bytes(f"Email;Name;Institution\n{plain}last@example.org;Łukasz;Główny Urząd\n".encode("cp1250"))
    assert read_source(path, source()).frame.iloc[-1].tolist() == ["last@example.org", "Łukasz", "Główny Urząd"]


def test_one_row_that_is_not_utf8_among_others_that_are_is_told_by_its_number(tmp_path: Path) -> None:
    """Read as anything else, all the other names would be spoilt."""
    path = tmp_path / "list.csv"
    rows = [
        "Email;Name",
        "a@example.org;Zoë Müller",
        "b@example.org;José Núñez",
        "c@example.org;Jörg",
        "d@example.org;X",
    ]
    path.write_bytes("\n".join(rows).encode().replace("Jörg".encode(), "Jörg".encode("cp1252")))
    with pytest.raises(ContactSourceError, match="row 4 is not UTF-8, and the rows around it are"):
        read_source(path, source())


def test_an_encoding_that_is_given_is_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("Email;Name\na@example.org;Ayþe\n".encode("cp1252"))
    table = read_source(path, source(encoding="cp1252"))
    assert (table.frame["name"].tolist(), table.encoding) == (["Ayþe"], "")


def test_a_guess_that_fails_further_down_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = "".join(f"p{number}@example.org;김민수;통계청\n" for number in range(5_000))
    path.write_bytes(f"Email;Name;Institution\n{rows}".encode("cp949") + b"x@example.org;\xff\xff;\n")
    with pytest.raises(ContactSourceError, match="this text is not in"):
        read_source(path, source())
