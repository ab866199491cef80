"""Organisations, topics, themes, further addresses and ids."""

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.readings import NOTHING
from tests.contacts.cells.cell import WORDS, Cell

_ALL = tuple(WORDS.topics or ())

_ORGANISATIONS = [
    'Office; "Unit, A"',
    "Statistický úřad",
    "Główny Urząd",
    "Στατιστική Υπηρεσία",
    "Служба статистики",
    "Ազգային վիճակագրություն",
    "სტატისტიკის სამსახური",
    "לשכת הסטטיסטיקה",
    "مركز الإحصاء",
    "مرکز آمار",
    "सांख्यिकी कार्यालय",
    "পরিসংখ্যান ব্যুরো",
    "புள்ளியியல் துறை",
    "สำนักงานสถิติ",
    "វិទ្យាស្ថានស្ថិតិ",
    "የስታቲስቲክስ አገልግሎት",
    "统计局",
    "統計局",
    "통계청",
    "Tilastokeskus & Co. (R&D)",
]

CELLS = [
    *(Cell(Field.ORGANISATION, name, name) for name in _ORGANISATIONS),
    Cell(Field.ORGANISATION, "Office of\r\nStatistics", "Office of Statistics"),
    Cell(Field.ORGANISATION, "  Office\u00a0 A ", "Office A"),
    Cell(Field.ORGANISATION, "n.a.", ""),
    Cell(Field.ORGANISATION, "Office\x07", "", "control characters"),
    Cell(Field.ORGANISATION, "=A1&B1", "", "a formula"),
    Cell(Field.ORGANISATION, "#REF!", "", "gave an error"),
    Cell(Field.ORGANISATION, "Office " * 100, "", "longer than 500"),
    Cell(Field.ORGANISATION, "OficinÃ¡", "OficinÃ¡", "damaged", dropped=""),
    Cell(Field.TOPICS, "newsletter", ("newsletter",)),
    Cell(Field.TOPICS, "newsletter;calls", ("newsletter", "calls")),
    Cell(Field.TOPICS, "Newsletter, Calls", ("newsletter", "calls")),
    Cell(Field.TOPICS, "NEWSLETTER|call", ("newsletter", "calls")),
    Cell(Field.TOPICS, "Coffee & Coding; coffee and coding", ("coffee-coding",)),
    Cell(Field.TOPICS, "coffee_coding", ("coffee-coding",)),
    Cell(Field.TOPICS, "Coffee & Coding sessions", ("coffee-coding",)),
    Cell(Field.TOPICS, "Monthly Newsletter; all group meetings", ("newsletter", "meetings")),
    Cell(Field.TOPICS, "Coffee", ("coffee-coding",), "taken as coffee-coding", dropped=""),
    Cell(Field.TOPICS, "Updates", (), "so the default topics apply", dropped="Updates"),
    Cell(Field.TOPICS, "newsletter; gossip", ("newsletter",), "this topic is not known", dropped="gossip"),
    Cell(Field.TOPICS, "gossip", (), "so the default topics apply", dropped="gossip"),
    *(Cell(Field.TOPICS, word, _ALL) for word in ("all", "All topics", "tous", "alle Themen", "Todos", "全部", "все")),
    *(
        Cell(Field.TOPICS, word, NOTHING)
        for word in ("none", "Aucun", "keine", "ninguno", "nessuno", "なし", "없음", "无")
    ),
    Cell(Field.TOPICS, "no newsletter", ("meetings", "coffee-coding", "calls"), "taken as", dropped=""),
    Cell(Field.TOPICS, "all but calls", ("newsletter", "meetings", "coffee-coding"), "taken as", dropped=""),
    Cell(Field.TOPICS, "tout sauf newsletter; calls", ("meetings", "coffee-coding"), "taken as", dropped=""),
    Cell(Field.TOPICS, "alle außer Newsletter", ("meetings", "coffee-coding", "calls"), "taken as", dropped=""),
    Cell(Field.TOPICS, "no gossip", (), "what is not wanted", dropped="gossip"),
    Cell(Field.TOPICS, "newsletter; no calls", ("newsletter",)),
    Cell(Field.TOPICS, "-", ""),
    Cell(Field.THEMES, "MLOps; Web data", ("mlops", "web-data")),
    Cell(Field.THEMES, "mlops;MLOPS", ("mlops",)),
    Cell(Field.THEMES, "web-data; Images & maps", ("web-data", "imagery")),
    Cell(Field.THEMES, "MLOps; Astrology", ("mlops",), "this theme is not known", dropped="Astrology"),
    Cell(Field.THEMES, "x" * 300, "", "longer than 200"),
    Cell(Field.ALIASES, "A@Example.ORG; b@example.org", ("A@example.org", "b@example.org")),
    Cell(Field.ALIASES, "a@example.org; b; c@example.org", ("a@example.org", "c@example.org"), "@", dropped="b"),
    Cell(Field.ALIASES, "Anna Novak <anna@example.org>", ("anna@example.org",)),
    Cell(Field.ID, " 0042 ", "0042"),
    Cell(Field.ID, "M-2020/7", "M-2020/7"),
    Cell(Field.ID, "٤٢", "٤٢"),
    Cell(Field.ID, "9" * 300, "", "longer than 200"),
]
