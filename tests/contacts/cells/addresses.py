"""Cells of address columns, in many scripts, and what each is read as."""

from dataclasses import dataclass

from mlgroup_mail.addresses import BEYOND_ASCII, LOOKS_LATIN, NOBODY_READS, SEVERAL, SHARED, SOME_UNREADABLE

ANNA = "anna@example.org"
BEN = "ben@example.net"


@dataclass(frozen=True, slots=True)
class AddressCell:
    """What stands in a cell, and what it is read as: an address, further ones, and a part of each remark; or an error.

    `error` is a part of the reason why nothing is read; then the rest is empty.
    """

    cell: str
    address: str = ""
    further: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    error: str = ""


def _plain(*cells: str) -> list[AddressCell]:
    """Cells that all mean one address and call for no remark."""
    return [AddressCell(cell, ANNA) for cell in cells]


def _wrong(error: str, *cells: str) -> list[AddressCell]:
    """Cells that cannot be read, for one reason."""
    return [AddressCell(cell, error=error) for cell in cells]


_COPIED = [
    *_plain(
        "anna@example.org",
        "  anna@example.org \n",
        "\tanna@example.org\r\n",
        "anna@EXAMPLE.org",
        "anna@Example.Org",
        "mailto:anna@example.org",
        "MAILTO:anna@example.org?subject=Hello",
        "mailto:anna@example.org?subject=Hello World, and more",
        "mailto:anna@example.org?body=One%0D%0ATwo",
        "mailto:anna%40example.org",
        "mailto:%61nna@example.org",
        "mailto://anna@example.org",
        "mailto: anna@example.org",
        "mailto:mailto:anna@example.org",
        "mailto:Anna%20Novak%20%3Canna@example.org%3E",
        "Anna Novak <anna@example.org>",
        "Anna Novak<anna@example.org>",
        "Anna Novak < anna@example.org >",
        '"Novak, Anna" <anna@example.org>',
        "Novak, Anna <anna@example.org>",
        "Novak; Anna <anna@example.org>",
        "'Novak, Anna' <anna@example.org>",
        "Anna\nNovak <anna@example.org>",
        "Dr. Anna Novak (Office) <anna@example.org>",
        "Anna @ work <anna@example.org>",
        "Anna <anna@example.org> (work)",
        "Anna <anna@example.org>, Head of Unit",
        "Anna Novak <anna@example.org> Head of Unit",
        "anna@example.org <work>",
        "anna@example.org (not ben@example.net any more)",
        "Anna <mailto:anna@example.org>",
        "Anna <mailto:anna@example.org?subject=a;b>",
        "anna@example.org <mailto:anna@example.org>",
        '"anna@example.org" <anna@example.org>',
        "'anna@example.org' <anna@example.org>",
        "[anna@example.org](mailto:anna@example.org)",
        "[Anna Novak](mailto:anna@example.org)",
        "[anna@example.org]",
        "(anna@example.org)",
        "<anna@example.org>",
        "<<anna@example.org>>",
        "<anna@example.org",
        "anna@example.org>",
        "Anna <anna@example.org",
        "anna@example.org (Anna Novak)",
        "anna@example.org (Anna Novak; Office, Unit)",
        "Anna Novak (anna@example.org)",
        "Anna Novak [anna@example.org]",
        '"Anna Novak" anna@example.org',
        '"anna@example.org"',
        "'anna@example.org'",
        "'anna@example.org",
        "“anna@example.org”",
        "„anna@example.org“",
        "«anna@example.org»",
        "« anna@example.org »",
        "anna@example.org;",
        "anna@example.org; ",
        "; anna@example.org",
        "anna@example.org,",
        "anna@example.org.",
        "anna@example.org...",
        "anna@example.org:",
        "SMTP:anna@example.org",
        "smtp:anna@example.org",
        "SMTP: anna@example.org",
        "E-mail: anna@example.org",
        "email:anna@example.org",
        "Courriel : anna@example.org",
        "Anna Novak\nE-Mail: <anna@example.org>",
        "- anna@example.org",
        "• anna@example.org",
        '=HYPERLINK("mailto:anna@example.org")',
        '=HYPERLINK("mailto:anna@example.org","Anna")',
        '=HYPERLINK("mailto:anna@example.org";"anna@example.org")',
        '=HIPERVINCULO("mailto:anna@example.org";"Anna")',
    ),
    AddressCell("anna@example.org <Anna@Example.Org>", "Anna@example.org"),
    AddressCell("anna+news@example.org", "anna+news@example.org"),
    AddressCell("o'rourke@example.org", "o'rourke@example.org"),
    AddressCell("o’rourke@example.org", "o'rourke@example.org"),
    AddressCell("Anna.Novak@Stats.CZ.Example", "Anna.Novak@stats.cz.example"),
    AddressCell("ANNA@EXAMPLE.ORG", "ANNA@example.org"),
    AddressCell("a/b@example.org", "a/b@example.org"),
    AddressCell("x_1-y=z%k@example.org", "x_1-y=z%k@example.org"),
    AddressCell("1234@example.org", "1234@example.org"),
    AddressCell("anna@sub.department.office.example", "anna@sub.department.office.example"),
    AddressCell("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    AddressCell("mailto:anna%2Bnews@example.org", "anna+news@example.org"),
]

_UNSEEN = [
    *_plain(
        "\u200banna@example.org\ufeff",
        "anna\u200b@example.org",
        "anna@exam\u00adple.org",
        "\u202aanna@example.org\u202c",
        "\u2068anna@example.org\u2069",
        "\u200eanna@example.org\u200e",
        "\u202eanna@example.org",
        "an\u200dna@example.org",
        "anna@exa\u200cmple.org",
        "anna@example.org\ufe0f",
        "anna\u2060@\u2060example.org",
        "anna@example.org\U000e0020\U000e007f",
        "\u115fanna@example.org\u3164",
        "\ufffcanna@example.org",
        "\u00a0anna@example.org\u00a0",
        "\u3000anna@example.org\u2003",
        "\u2800anna@example.org",
        "Anna\u00a0Novak\u00a0<anna@example.org>",
        "mail\u00adto:anna@example.org",
    ),
    *_wrong("a blank or line break", "anna\u00a0@example.org", "anna@example.\u3000org", "anna@\u2009example.org"),
]

_OTHER_KEYBOARDS = [
    *_plain(
        "anna＠example.org",
        "anna﹫example.org",
        "ａｎｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
        "anna@example。org",
        "anna@example．org",
        "anna@example｡org",
        "anna@example.org。",
        "anna@ｅｘａｍｐｌｅ.org",
        "〈anna@example.org〉",
        "ノヴァーク・アンナ＜anna@example.org＞",
        "电子邮件（anna@example.org）",
        "anna@ex\u1d43mple.org",
    ),
    AddressCell("ANNA＠EXAMPLE．ORG；", "ANNA@example.org"),
]

_SCRIPTS = [
    AddressCell("anna@münchen.example", "anna@xn--mnchen-3ya.example"),
    AddressCell("anna@MÜNCHEN.example", "anna@xn--mnchen-3ya.example"),
    AddressCell("anna@mu\u0308nchen.example", "anna@xn--mnchen-3ya.example"),
    AddressCell("anna@xn--mnchen-3ya.example", "anna@xn--mnchen-3ya.example"),
    AddressCell("anna@XN--MNCHEN-3YA.example", "anna@xn--mnchen-3ya.example"),
    AddressCell("anna@straße.example", "anna@xn--strae-oqa.example"),
    AddressCell("anna@STRASSE.example", "anna@strasse.example"),
    AddressCell("anna@école.example", "anna@xn--cole-9oa.example"),
    AddressCell("anna@İstatistik.example", "anna@xn--istatistik-n2f.example"),
    AddressCell("anna@col·legi.example", "anna@xn--collegi-xma.example"),
    AddressCell("anna@đường.example", "anna@xn--ng-pma05d708i.example"),
    AddressCell("anna@στατιστική.example", "anna@xn--jxafyaf4ccfbc.example"),
    AddressCell("anna@ΣΤΑΤΙΣΤΙΚΗ.example", "anna@xn--mxamfaf4ccfbc.example"),
    AddressCell("anna@βόλος.example", "anna@xn--nxasmm1c.example"),
    AddressCell("anna@статистика.example", "anna@xn--80aaxak2bcfbc.example"),
    AddressCell("anna@пример.example", "anna@xn--e1afmkfd.example"),
    AddressCell("anna@статистика-2.example", "anna@xn---2-6kca3bao6cchbc.example"),
    AddressCell("anna@україна.example", "anna@xn--80aa2annq7l.example"),
    AddressCell("anna@հայաստան.example", "anna@xn--y9aaa1d0ai1cq.example"),
    AddressCell("anna@საქართველო.example", "anna@xn--lodamdjuvtg5b.example"),
    AddressCell("anna@ישראל.example", "anna@xn--4dbrk0ce.example"),
    AddressCell("anna@إحصاء.example", "anna@xn--ggbhgx4b.example"),
    AddressCell("anna@نامه\u200cای.example", "anna@xn--mgba3gch31f060k.example"),
    AddressCell("anna@xn--mgba3gch31f060k.example", "anna@xn--mgba3gch31f060k.example"),
    AddressCell("anna@نامه‌ای.example\u200c", "anna@xn--mgba3gch31f060k.example"),
    AddressCell("anna@भारत.example", "anna@xn--h2brj9c.example"),
    AddressCell("anna@ভারত.example", "anna@xn--45brj9c.example"),
    AddressCell("anna@இந்தியா.example", "anna@xn--xkc2dl3a5ee0h.example"),
    AddressCell("anna@ශ්\u200dරී.example", "anna@xn--10cl1a0b660p.example"),
    AddressCell("anna@สถิติ.example", "anna@xn--m3cb3dxbb.example"),
    AddressCell("anna@ស្ថិតិ.example", "anna@xn--x2eb8bwfb2n.example"),
    AddressCell("anna@ኢትዮጵያ.example", "anna@xn--m0d3gwjla96a.example"),
    AddressCell("anna@統計.example", "anna@xn--4d0av1x.example"),
    AddressCell("anna@统计局.example", "anna@xn--dgtp91f7xi.example"),
    AddressCell("anna@ひらがな.example", "anna@xn--v8j0cwa6g.example"),
    AddressCell("anna@統計センター.example", "anna@xn--1cki9mlbx046es1p.example"),
    AddressCell("anna@データの統計ml.example", "anna@xn--ml-zb4aynjb6wr838bybva.example"),
    AddressCell("anna@통계청.example", "anna@xn--989a481dmod.example"),
    AddressCell("anna@統計통계.example", "anna@xn--4d0av1xg80a144a.example"),
    AddressCell("anna@पहला.भारत", "anna@xn--n2bquv.xn--h2brj9c"),
    AddressCell("anna@统计。中国", "anna@xn--lo0a64x.xn--fiqs8s"),
    AddressCell("anna@مثال.مصر", "anna@xn--mgbh0fb.xn--wgbh1c"),
    AddressCell("Анна Новак <anna@пример.рф>", "anna@xn--e1afmkfd.xn--p1ai"),
    AddressCell("Αννα (γραφείο) <anna@example.org>", ANNA),
    AddressCell("آنا <anna@example.org>", ANNA),
    AddressCell("安娜 <anna@example.org>", ANNA),
    AddressCell("안나 <anna@example.org>", ANNA),
]

_BEYOND_ASCII = [
    AddressCell(f"{local}@{host}", f"{local}@{domain}", remarks=(BEYOND_ASCII,))
    for local, host, domain in [
        ("jürgen", "example.org", "example.org"),
        ("françoise.noël", "example.org", "example.org"),
        ("łukasz", "example.org", "example.org"),
        ("ayşe", "example.org", "example.org"),
        ("анна", "пример.example", "xn--e1afmkfd.example"),
        ("анна.novak", "example.org", "example.org"),
        ("άννα", "example.org", "example.org"),
        ("אנה", "example.org", "example.org"),
        ("آنا", "example.org", "example.org"),
        ("अन्ना", "example.org", "example.org"),
        ("安娜", "统计局.example", "xn--dgtp91f7xi.example"),
        ("アンナ", "example.org", "example.org"),
        ("안나", "example.org", "example.org"),
        ("แอนนา", "example.org", "example.org"),
        ("ანა", "example.org", "example.org"),
        ("安娜ml", "example.org", "example.org"),
    ]
] + [
    AddressCell("ju\u0308rgen@example.org", "jürgen@example.org", remarks=(BEYOND_ASCII,)),
    AddressCell("mailto:j%C3%BCrgen@example.org", "jürgen@example.org", remarks=(BEYOND_ASCII,)),
    AddressCell("büro@example.org", "büro@example.org", remarks=(BEYOND_ASCII, SHARED)),
]

_TWO = AddressCell("", ANNA, (BEN,), (SEVERAL,))

_SEVERAL = [
    *(
        AddressCell(cell, _TWO.address, _TWO.further, _TWO.remarks)
        for cell in (
            "anna@example.org; ben@example.net",
            "anna@example.org;ben@example.net;",
            "anna@example.org, ben@example.net",
            "anna@example.org,ben@example.net",
            "anna@example.org ben@example.net",
            "anna@example.org\nben@example.net",
            "anna@example.org\r\nben@example.net",
            "anna@example.org\nmailto:ben@example.net",
            "anna@example.org or ben@example.net",
            "anna@example.org and ben@example.net",
            "anna@example.org ou ben@example.net",
            "anna@example.org und ben@example.net",
            "anna@example.org и ben@example.net",
            "anna@example.org & ben@example.net",
            "anna@example.org / ben@example.net",
            "anna@example.org/ben@example.net",
            "anna@example.org | ben@example.net",
            "anna@example.org|ben@example.net",
            "anna@example.org、ben@example.net",
            "anna@example.org；ben@example.net",
            "anna@example.org، ben@example.net",
            "anna@example.org (work), ben@example.net (home)",
            "anna@example.org (ben@example.net)",
            "- anna@example.org\n- ben@example.net",
            "Anna <anna@example.org>, Ben <ben@example.net>",
            '"Novak, Anna" <anna@example.org>; Ben <ben@example.net>',
            "Anna <anna@example.org> ben@example.net",
            "Anna <anna@example.org> Ben <ben@example.net>",
            "ben@example.net or <anna@example.org>",
            "ben@example.net <anna@example.org>",
            '"ben@example.net" <mailto:anna@example.org>',
            "[anna@example.org](mailto:ben@example.net)",
            "mailto:anna@example.org,ben@example.net",
            "mailto:anna@example.org?cc=all@example.org; ben@example.net",
            '=HYPERLINK("mailto:anna@example.org";"ben@example.net")',
            "anna@example.org; ben@example.net; ANNA@example.org",
        )
    ),
    AddressCell("anna@example.org; ben@example.net; cleo@example.com", ANNA, (BEN, "cleo@example.com"), (SEVERAL,)),
    AddressCell("info@example.org; ben@example.net", "info@example.org", (BEN,), (SEVERAL, SHARED)),
    *_plain(
        "anna@example.org; anna@example.org", "anna@example.org, anna@EXAMPLE.ORG", "anna@example.org\nanna@example.org"
    ),
    AddressCell("ben@example.net Anna <anna@example.org>", ANNA, remarks=(SOME_UNREADABLE,)),
    AddressCell("anna@example.org; ben@", ANNA, remarks=(SOME_UNREADABLE,)),
    AddressCell("ben@@example.net; anna@example.org", ANNA, remarks=(SOME_UNREADABLE,)),
    AddressCell("anna@example.org; ben smith@example.net", ANNA, remarks=(SOME_UNREADABLE,)),
    AddressCell("anna@example.org, @anna", ANNA, remarks=(SOME_UNREADABLE,)),
    AddressCell(
        "anna@example.org; ben@localhost; cleo@example.com", ANNA, ("cleo@example.com",), (SEVERAL, SOME_UNREADABLE)
    ),
]

_NOTHING = [
    *_wrong("missing", "", "   ", "\u200b", "\u00a0", "\u3164\ufeff", "\n"),
    *_wrong("no @", "anna", "anna.example.org", "n/a", "-", "none yet", "+44 20 7946 0000", "Анна", "#N/A"),
    *_wrong(
        "written in another way",
        "anna at example.org",
        "anna at example dot org",
        "anna (at) example.org",
        "anna[at]example.org",
        "anna(AT)example.org",
        "anna{at}example.org",
        "anna&#64;example.org",
        "anna%40example.org",
        "anna (arroba) example.org",
    ),
    *_wrong("Exchange’s directory", "/o=Office/ou=Unit/cn=Recipients/cn=anna", "EX:/o=Office/cn=anna"),
]

_UNCERTAIN = _wrong(
    "a blank or line break stands inside the address, or other text beside it",
    "anna novak@example.org",
    "Anna Novak anna@example.org",
    "anna@ example.org",
    "anna @example.org",
    "anna @ example.org",
    "anna@example .org",
    "anna@example. org",
    "anna@example.org work",
    "anna@example.org\nTelephone 123",
    "anna@exam\nple.org",
    "anna@office.exam\nple.org",
    "anna\n@example.org",
    "anna\u2028@example.org",
    "anna,novak@example.org",
    "anna, novak@example.org",
    "anna;novak@example.org",
    "anna@office.example,org",
    "Novak, Anna, anna@example.org",
    "{anna,ben}@example.org",
    "<anna novak@example.org>",
    "anna(work)@example.org",
    "anna,novak@example.org; Ben <ben@example.net>",
    "Ben <ben@example.net>, anna,novak@example.org",
    "(ask anna@example.org or Ben)",
    "Anna (ask anna@example.org or Ben)",
)

_HOSTILE = [
    *_wrong(
        "mail header",
        "anna@example.org\r\nBcc: everybody@example.net",
        "anna@example.org\nBcc: everybody@example.net",
        "anna@example.org\rBcc: everybody@example.net",
        "anna@example.org\u2028Bcc: everybody@example.net",
        "anna@example.org\x85Bcc: everybody@example.net",
        "Anna\r\nBcc: everybody@example.net <anna@example.org>",
        '"Anna\nX-Header: 1" <anna@example.org>',
        "mailto:anna@example.org?subject=x%0D%0ABcc:%20everybody@example.net",
        "Anna\n Content-Type : text/html <anna@example.org>",
    ),
    *_wrong(
        "control characters",
        "mailto:anna@example.org%0D%0ABcc:everybody@example.net",
        "mailto:anna%0a@example.org",
        "mailto:Anna%0D%0ABcc%3A%20x%20%3Canna@example.org%3E",
        "mailto:anna@example.org%00",
        "anna\x00@example.org",
        "anna@example.org\x1b",
        "Anna\x07 <anna@example.org>",
        "anna@example.org\x7f",
        "anna@\x9bexample.org",
    ),
    *_wrong(
        "a formula",
        '=A1&"@example.org"',
        '=CONCATENATE("anna";"@example.org")',
        '=HYPERLINK("https://example.org/?a=anna@example.org")',
        '=HYPERLINK("mailto:"&A1;"anna@example.org")',
        "=anna@example.org",
        "=1+1",
    ),
]

_NO_ADDRESS = [
    *_wrong("quotation marks", '"anna novak"@example.org', '"anna"@example.org'),
    *_wrong("before the @", "@example.org", "<@example.org>"),
    *_wrong("after the @", "anna@", "anna@."),
    *_wrong(
        "invalid characters", "anna@@example.org", "anna@exa_mple.org", "anna@it’s.example", "sip:anna@example.org"
    ),
    *_wrong("invalid", "anna@☃.example", "anna@exa!mple.org"),
    *_wrong("two periods", "anna..b@example.org", "anna@example..org"),
    *_wrong(
        "period",
        ".anna@example.org",
        "anna.@example.org",
        "anna@statistics",
        "anna@test",
        "anna@.example.org",
        "https://example.org/@anna",
    ),
    *_wrong("hyphen", "anna@-a.example", "anna@a-.example"),
    *_wrong("IP address", "anna@[192.0.2.1]", "anna@[IPv6:2001:db8::1]"),
    *_wrong("top-level domain", "anna@192.0.2.1"),
    *_wrong("special-use", "anna@printer.local", "anna@example.invalid", "anna@a.localhost"),
    *_wrong("too long", "a" * 65 + "@example.org", "anna@" + "b." * 130 + "example"),
    *_wrong("too many", "anna@" + "b" * 64 + ".example"),
    *_wrong("longer than 254", "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".exampleee"),
    *_wrong("much too long", "anna@example.org; " * 300),
    *_wrong("was lost when the file was written", "j\ufffdrgen@example.org", "mailto:j%FCrgen@example.org"),
]

_LOOK_ALIKES = [
    *_wrong(
        "letters of several scripts",
        "anna@ex\u0430mple.org",
        "anna@\u0435xample.org",
        "anna@examp\u04cfe.org",
        "anna@ex\u03b1mple.org",
        "anna@\u043f\u03c1имер.example",
        "anna@ραypal.example",
        "anna@b\u0585nk.example",
        "anna@xn--exmple-4nf.org",
        "anna@статистикаμ.example",
        "anna@stat.exаmple.org",
        "anna@ひら한글.example",
        "anna@ไทยlao.example",
    ),
    AddressCell("anna@пример.example.org", "anna@xn--e1afmkfd.example.org"),
    AddressCell("anna@\u0441\u043e\u0441\u043e.example", "anna@xn--n1aahb.example", remarks=(LOOKS_LATIN,)),
    AddressCell("anna@\u0430\u0440\u0440\u04cf\u0435.example", "anna@xn--80ak6aa92e.example", remarks=(LOOKS_LATIN,)),
    AddressCell("anna@xn--80ak6aa92e.example", "anna@xn--80ak6aa92e.example", remarks=(LOOKS_LATIN,)),
    AddressCell("anna@\u0441\u043e\u0441\u043e.рф", "anna@xn--n1aahb.xn--p1ai"),
    AddressCell("anna@ονον.example", "anna@xn--yxaaeb.example", remarks=(LOOKS_LATIN,)),
    AddressCell("anna@օոսո.example", "anna@xn--mbbao4a.example", remarks=(LOOKS_LATIN,)),
    *_wrong(
        "Cyrillic or Greek ones",
        "\u0430nna@example.org",
        "ann\u0430.novak@example.org",
        "anna.n\u03bfvak@example.org",
        "\u0410nna@example.org",
    ),
]

_ROLES = [
    *(
        AddressCell(f"{local}@example.org", f"{local}@example.org", remarks=(SHARED,))
        for local in (
            "info", "Info", "INFO", "office", "contact", "admin", "postmaster", "webmaster", "secretariat", "press",
            "info2", "presse", "poststelle", "sekretariat", "estadistica", "segreteria", "biuro", "kirjaamo", "koho",
        )
    ),
    *(
        AddressCell(f"{local}@example.org", f"{local}@example.org", remarks=(NOBODY_READS,))
        for local in ("noreply", "no-reply", "No.Reply", "donotreply", "mailer-daemon", "ne-pas-repondre")
    ),
    AddressCell("Press Office <press@example.org>", "press@example.org", remarks=(SHARED,)),
    *(
        AddressCell(f"{local}@example.org", f"{local}@example.org")
        for local in ("info-stat", "anna.office", "infos.novak", "office22", "contact+anna", "presseisen", "noreplyton")
    ),
]  # fmt: skip

ADDRESS_CELLS: list[AddressCell] = [
    *_COPIED,
    *_UNSEEN,
    *_OTHER_KEYBOARDS,
    *_SCRIPTS,
    *_BEYOND_ASCII,
    *_SEVERAL,
    *_NOTHING,
    *_UNCERTAIN,
    *_HOSTILE,
    *_NO_ADDRESS,
    *_LOOK_ALIKES,
    *_ROLES,
]
