"""Addresses that are an office's or a machine's and not a person's, told by what stands before the @."""

SHARED = "a shared mailbox, not a person"
NOBODY_READS = "nobody reads mail to this address"

# RFC 2142 (mailbox names for common services) and the words that offices use; exact, so that no person's name is
# taken for one. In several languages the same word serves: it stands where it was met first.
_SHARED = """
abuse accounting accounts admin administration administrator all all-staff analytics applications assistance billing
board booking bookings bureau cabinet careers census chair comms communication communications competition compliance
conference conferences consulting contact contact-us contactus coordination coordinator customer-service customercare
customerservice data data-protection dataprotection dataservice dataservices desk director directorate dissemination
dpo editor editorial editors enquiries enquiry events everyone feedback finance foi frontdesk ftp general
generalenquiries group hello help helpdesk hostmaster hotline hr human-resources humanresources info infodesk
information infos infoservice inquiries inquiry international invoice invoices invoicing it it-support itsupport jobs
legal library list listserv logistics mail mailbox mailing mailman management manager marketing media mediacentre
mediaoffice members membership metadata methodology moderator news newsdesk newsletter newsletters noc office
office-manager officemanager operations orders partners partnership partnerships postbox postmaster president press
press-office pressoffice privacy procurement programme programs project projects protocol publications publishing
purchasing reception recruitment register registrar registration registry reply reports research root sales
secretariat secretary secretary-general secretarygeneral security service servicedesk services shop staff statinfo
statistics stats subscribe subscription subscriptions support survey surveys sysadmin team tech technical techsupport
training translations travel treasurer unsubscribe usenet visit web webadmin webmaster website webteam welcome
workshop workshops www

accueil agence bibliotheque comite comptabilite conseil contacts coordonnateur courriel courrier demande-info
developpement diffusion direction direction-generale directiongenerale documentation donnees equipe facturation
formation greffe inscription inscriptions mairie ministere observatoire presidence presse publication recherche
redaction renseignement renseignements ressources-humaines rh secretaire secretariat-general secretariatgeneral
service-client service-presse serviceclient servicepresse siege statistique statistiques

allgemein anfrage anfragen anmeldung auskunft auskunftsdienst beratung bestellung bewerbung bibliothek buchhaltung
buero büro datenschutz dienst direktion einkauf empfang fortbildung geschaeftsfuehrung geschaeftsstelle
geschäftsstelle hauptgeschaeftsstelle hilfe informationen kanzlei kommunikation kontakt kundendienst kundenservice
leitung mitglieder oeffentlichkeitsarbeit personal personalabteilung post poststelle praesidium pressereferat
pressestelle präsidium rechnung rechnungen redaktion referat referate rektorat schulung sekretariat service-center
statistik technik termine veranstaltungen vertrieb verwaltung vorstand vorzimmer zentrale öffentlichkeitsarbeit

administracion administración administrador atencion atencion-al-cliente atencionalciudadano atencionalcliente
atención ayuda biblioteca buzon capacitacion ciudadano clientes comercial compras comunicacion comunicaciones
comunicación consulta consultas contabilidad contacto coordinacion correo cursos datos difusion direccion dirección
estadistica estadisticas eventos facturacion finanzas formacion gerencia gestion informacion informaciones información
informatica inscripcion inscripciones institucional mesadepartes ministerio oficina oirs participacion prensa
presidencia publicaciones quejas recepcion rectoria recursos-humanos recursoshumanos registro rrhh secretaria
secretaria-general secretariageneral secretario secretaría servicio servicios soporte sugerencias transparencia ventas

amministrazione archivio assistenza biglietteria comunicazione contatti contatto direzione formazione informazioni
ordini personale posta prenotazioni presidenza protocollo pubblicazioni relazioni-esterne ricerca segreteria
segreteria-generale segreteriagenerale servizi servizio stampa statistica statistiche ufficio ufficio-stampa
ufficiostampa urp vendite

administracao apoio assessoria atendimento comunicacao contato difusao diretoria duvidas faleconosco gabinete geral
imprensa informacao informacoes ouvidoria protocolo secretaria-geral sede suporte vendas

administratie afdeling algemeen bestellingen bestuur bibliotheek communicatie directie informatie inschrijving
klantenservice onderzoek opleiding pers persdienst redactie secretariaat statistiek verkoop voorlichting voorzitter

arkiv asiakaspalvelu bestilling bibliotek ekspedition expedition firmapost forening hallinto informasjon informasjonen
innkjop kansli kansliet kirjaamo kirjasto kommunikasjon kundeservice kundtjanst kundtjänst ledelse neuvonta nyhedsbrev
nyhetsbrev pressen pressetjeneste presstjanst redaksjon sekretariatet styrelsen styret tiedotus toimisto utbildning
viestinta viestintä

administracja biblioteka biuro biuroprasowe dyrekcja dyrektor dyrektorsekretariat elnok elnokseg epodatelna
ertekesites fakturace fogyasztovedelem hirlevel iktato informace informacie informacja iroda kadry kancelar kancelaria
kapcsolat knihovna kommunikacio komunikacja kontakty konyvtar ksiegowosc obchod objednavky obsluga penzugy poczta
podatelna podpora pomoc prasa redakce redakcja reditel rekrutacja riaditel sajto sekretariat-dyrekcji
sekretariat-reditele skoleni sprzedaz statistika statisztika statystyka szerkesztoseg szkolenia szolgaltatas
tajekoztatas titkarsag ucetni ucetnictvi ugyfelszolgalat vedeni wsparcie zamowienia zarzad

biroul comunicare conducere contabilitate delovodstvo informatii kancelarija knjiznica obavijesti odnosi-s-javnoscu
pisarna pisarnica pitanja presa registratura relatii-publice relatiipublice statistici tajnistvo uprava ured
urednistvo

buhgalteriya otdel press-sluzhba pressa priemnaya reklama sekretar spravka stat zakaz инфо канцелярия почта пресса
приемная секретариат статистика

basin basvuru bilgi destek duyuru genel iletisim istatistik kutuphane mudur mudurluk muhasebe ozelkalem satis
sekreterlik

aduan bangongshi daibiao humas jinji kantor khidmat-pelanggan koho kouhou layanan minwon pejabat pengaduan
perpustakaan pertanyaan pst pusat soumu toiawase uketsuke xinxi
"""

_UNREAD = """
bounce bounces daemon devnull do-not-reply do.not.reply do_not_reply donot-reply donotanswer donotreply dont-reply
dontreply ei-vastausta inte-svara keine-antwort keineantwort mailer-daemon mailerdaemon nao-responda naoresponda
naoresponder ne-otvechat ne-pas-repondre ne_pas_repondre neodpovidat neodpovidejte neotvechat nepas-repondre
nepasrepondre nevalaszolj nicht-antworten nichtantworten nie-odpowiadaj nieodpowiadaj niet-beantwoorden no-contestar
no-replies no-reply no-reply-please no-responda no-responde no-responder no-response no.reply no_answer no_reply
noanswer non-rispondere non_rispondere nonrispondere noreplies noreply noreply-all norespond noresponda noresponder
noresponse null svar-ikke svara-ej svaraej svarikke yanitlamayiniz
"""

_NUMBERED = ("", "1", "2", "3", "4", "5", "6", "7", "8", "9")

_UNREAD_LOCALS = frozenset(f"{word}{number}" for word in _UNREAD.split() for number in _NUMBERED)

ROLE_LOCALS: frozenset[str] = _UNREAD_LOCALS | {f"{word}{number}" for word in _SHARED.split() for number in _NUMBERED}
"""What stands before the @ of role addresses, in lower case; with one digit behind it too (info2)."""


def is_role(address: str) -> bool:
    """Whether this is an office's or a machine's address."""
    return bool(role_remark(address.rpartition("@")[0]))


def role_remark(local: str) -> str:
    """What to say of a local part; empty for a person's."""
    folded = local.casefold()
    if folded not in ROLE_LOCALS:
        return ""
    return NOBODY_READS if folded in _UNREAD_LOCALS else SHARED
