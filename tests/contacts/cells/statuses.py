"""Statuses, and the columns that answer yes or no."""

from mlgroup_mail.contacts.fields import Field
from tests.contacts.cells.cell import Cell

_LEFT = """
    left; Left; LEFT; has left; left (2020); left in March 2020; left the group; Left the office
    unsubscribed; Unsubscribed 12/03/2020; inactive since 2019; Opted-out; opt out; OPT-OUT; do not contact; don’t email
    no longer active; no longer with us; retired; Retired (2021); deceased; bounced; invalid address
    former member; ex-member; former; please remove; resigned; not active; not a member; Unsubscribed: yes
    parti; partie en 2020; a quitté le groupe; désabonnée; désabonné(e); Désinscrit le 3 mars 2020; inactif
    retraité; décédée; ne plus contacter; n’est plus en poste
    ausgetreten; abgemeldet; Abgemeldet am 03.12.2020; inaktiv seit 2019; nicht mehr aktiv; im Ruhestand; verstorben
    keine Mails; ausgeschieden zum 31.12.2020
    baja; de baja; dado de baja (2020); inactivo; jubilada; falleció; ya no trabaja
    disiscritto; non più attivo; in pensione; inativa; falecido; uitgeschreven; vertrokken; niet meer actief
    wypisany; odeszła; nieaktywny; odhlášen; neaktivní; lämnat; ej aktiv; poistunut; eläkkeellä; afmeldt; sluttet
    ανενεργός; ΑΠΟΧΩΡΗΣΕ; συνταξιούχος; отписан(а); ушла; не активен; на пенсии; відписався; пішла
    ayrıldı; AYRILDI; pasif; aktif değil; kilépett; plecată; напуснал; otišla
    غادر; غير نشط; ألغى الاشتراك; متقاعد; لغو اشتراک; עזבה; לא פעיל; निष्क्रिय
    wants out; objected; GDPR deletion; DNC; moved to another job; dropped out; was a member; erased; pensioner
    on pension; exmiembro; former membre; lahkunud; cessato; διαγραφή; pensionat; důchod; †; † 2021; R.I.P.; cleaned
    退订; 已退订; 離職; 退会; 退会済み; 2020年3月退会; 配信停止; 탈퇴; 탈퇴함; 수신 거부; ลาออก
"""

_DOUBTFUL = """
    left?; active / left?; maybe left; unsubscribed from newsletter; vielleicht ausgetreten
    moved; alumni; emeritus; mailbox full; no longer at ONS; no longer wants e-mails; does not want newsletter
    no consent; ne souhaite plus recevoir; no desea recibir correos; sin interés; möchte keine Mails; non più socio
    wil geen mail meer; не хочет получать; non-member; member until 2019; Mitglied bis 31.12.2019; until 2020
    member until 31/12/2019
    left in 2019, came back; Observer (left IMF); no answer, left; left; see notes
"""

_DENIED = """
    not left; hasn’t left; has not unsubscribed; active, has not unsubscribed; never opted out; no longer unsubscribed
    n’est pas parti; nicht abgemeldet; no se ha dado de baja; не ушла; 未退订; 退会していない; 미탈퇴; Unsubscribed: no
"""

_OTHERS = """
    observer; guest; pending; maybe; on leave; maternity leave; left-handed; retirement office; left bank office
    non-voting member; no title; no plus one; new member; substitute for retired colleague; parti socialiste
    baja california; removed from waiting list; member until 2099; on leave until 2020
    former lead; moved to canada; 訪問者
"""

_MEMBERS = """
    member; Member; membre; Mitglied; miembro; membro; członek; член; μέλος; üye; عضو; 会员; 会員; 회원
    active; Aktiv; actif; active member; Member since 2015; Mitglied seit 2015; member since 2019
"""

_ANSWERS = {
    Field.OPTED_OUT: (
        "opted out",
        "yes; Y; TRUE; 1; x; X; ✓; ja; oui; Sí; да; はい; 예; 2020-03-12; 12.03.2020; 12/03/20; "
        "March 2020; unsubscribed; baja",
        "no; N; false; 0; nein; non; нет; いいえ; -; n/a; active; member; not yet unsubscribed; ; ✗; 0000-00-00",
    ),
    Field.SUBSCRIBED: (
        "unsubscribed",
        "no; No; nein; non; FALSE; 0; нет; ✗; unsubscribed; désabonné; withdrawn 2020",
        "yes; oui; ja; 1; x; ✓; ; -; n/a; 2018-05-25; 05/25/2018 3:45 PM; yes, since 2018; subscribed; active",
    ),
    Field.ACTIVE: ("inactive", "no; nein; 0; faux; left 2020; inactif; いいえ", "yes; ja; 1; x; oui; active; ; -"),
}


def _listed(text: str) -> list[str]:
    return [each.strip() for line in text.strip().splitlines() for each in line.split("; ")]


CELLS = [
    *(Cell(Field.STATUS, cell, cell.lower(), opts_out=True) for cell in _listed(_LEFT)),
    *(
        Cell(Field.STATUS, cell, cell.lower(), "taken as an opt-out, to be safe", dropped="", opts_out=True)
        for cell in _listed(_DOUBTFUL)
        if cell not in {"left", "see notes"}
    ),
    Cell(Field.STATUS, "left; see notes", "left; see notes", "to be safe", dropped="", opts_out=True),
    *(Cell(Field.STATUS, cell, cell.lower(), "taken as no opt-out", dropped="") for cell in _listed(_DENIED)),
    *(Cell(Field.STATUS, cell, cell) for cell in _listed(_OTHERS)),
    *(Cell(Field.STATUS, cell, "member") for cell in _listed(_MEMBERS)),
    Cell(Field.STATUS, "LEAD", "lead"),
    Cell(Field.STATUS, "Executive Board", "board"),
    Cell(Field.STATUS, "Comité exécutif", "board"),
    Cell(Field.STATUS, "-", ""),
    Cell(Field.STATUS, "observer " * 30, "", "longer than 200"),
    Cell(Field.STATUS, "left " + "and took everything along " * 10, "opted out", "to be safe", opts_out=True),
    *(
        Cell(field, cell.strip(), value, opts_out=True)
        for field, (value, out, _) in _ANSWERS.items()
        for cell in out.split("; ")
    ),
    *(Cell(field, cell.strip(), "") for field, (_, _, stays) in _ANSWERS.items() for cell in stays.split("; ")),
    Cell(Field.OPTED_OUT, "by telephone", "opted out", "to be safe", dropped="by telephone", opts_out=True),
    *(
        Cell(field, cell, value, "to be safe", dropped=cell, opts_out=True)
        for field, (value, _, _) in _ANSWERS.items()
        for cell in _listed("?; no longer; until 2020; yes until 2020; 2020?; left?; perhaps; newsletter only")
    ),
]
