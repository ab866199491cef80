"""Which column holds what, by usual names in several languages and programs' exports, or by a mapping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.columns import recognised, require, usual_names
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import wordlist
from mlgroup_mail.errors import ContactSourceError

HEADERS = {
    "Email,Name,Organisation,Country": "email,name,organisation,country",
    "E-mail address,Full name,Institution,Country": "email,name,organisation,country",
    "EMAIL ADDRESS,First Name,Last Name,Company": "email,first_name,family_name,organisation",
    "Name,E-Mail,Affiliation,Time zone,Preferred language": "name,email,organisation,timezone,language",
    "Courriel,Nom complet,Organisme,Pays,Langue": "email,name,organisation,country,language",
    "Prénom,Nom,Adresse électronique,Établissement,Fuseau horaire": (
        "first_name,family_name,email,organisation,timezone"
    ),
    "Nom,Courriel": "name,email",
    "Vorname,Nachname,E-Mail-Adresse,Behörde,Land,Sprache": (
        "first_name,family_name,email,organisation,country,language"
    ),
    "Name,Vorname,E-Mail": "family_name,first_name,email",
    "Nombre,Apellidos,Correo electrónico,Institución,País,Idioma": (
        "first_name,family_name,email,organisation,country,language"
    ),
    "Nombre,Correo": "name,email",
    "address,name,organisation,country,timezone,language,status,topics,themes": (
        "email,name,organisation,country,timezone,language,status,topics,themes"
    ),
    "Address,Email": ",email",
    "Email (work),Name (required),ID": "email,name,id",
    " e-mail ,* Country *": "email,country",
    "Email,Secondary email,Status,Interests": "email,aliases,status,themes",
    "Phone,Room,Notes": ",,",
    "Email,Email": "email,",
    # Outlook, in four languages.
    "First Name,Middle Name,Last Name,Title,Suffix,E-mail Address,E-mail 2 Address,Company,Job Title": (
        "first_name,,family_name,,,email,aliases,organisation,"
    ),
    "E-mail Address,Business Street,Business Country/Region,Home Country/Region": "email,,country,",
    "Titre,Prénom,Nom,Société,Pays/Région (bureau),Adresse de messagerie": (
        ",first_name,family_name,organisation,country,email"
    ),
    "Anrede,Vorname,Nachname,Firma,Land/Region geschäftlich,E-Mail-Adresse": (
        ",first_name,family_name,organisation,country,email"
    ),
    "Nombre,Apellidos,Organización,País o región del trabajo,Dirección de correo electrónico": (
        "first_name,family_name,organisation,country,email"
    ),
    # Exchange, Google, Mailchimp, SendGrid, LinkedIn, Thunderbird.
    "DisplayName,PrimarySmtpAddress,GivenName,Surname,Company,CountryOrRegion": (
        "name,email,first_name,family_name,organisation,country"
    ),
    "First Name,Last Name,Organization Name,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Address 1 - Country": (
        "first_name,family_name,organisation,,email,aliases,country"
    ),
    "Given Name,Family Name,Organization 1 - Name,E-mail 1 - Type": "first_name,family_name,organisation,",
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,TIMEZONE,LEID,UNSUB_TIME": (
        "email,first_name,family_name,,,timezone,,opted_out"
    ),
    "EMAIL,FIRST_NAME,LAST_NAME,ALTERNATE_EMAILS,COUNTRY,CONTACT_ID": (
        "email,first_name,family_name,aliases,country,id"
    ),
    "First Name,Last Name,URL,Email Address,Company,Position,Connected On": (
        "first_name,family_name,,email,organisation,,"
    ),
    "Display Name,Primary Email,Secondary Email,Screen Name": "name,email,aliases,",
    # Columns that answer yes or no.
    "Email,Unsubscribed,Active,Consent": "email,opted_out,active,subscribed",
    "Courriel,Désabonné,Actif": "email,opted_out,active",
    "E-Mail,Abgemeldet am,Einwilligung": "email,opted_out,subscribed",
    "Correo,Baja,Activo": "email,opted_out,active",
    "Email,Do not mail,Opt-in": "email,opted_out,subscribed",
    # More languages, and words that only say whose it is.
    "Nome,Cognome,Indirizzo e-mail,Ente,Paese": "first_name,family_name,email,organisation,country",
    "Nome completo,Instituição,País,Endereço de e-mail": "name,organisation,country,email",
    "Naam,Voornaam,E-mailadres,Land": "family_name,first_name,email,country",
    "Name,Surname,Email": "first_name,family_name,email",
    "First name,Name,Email": "first_name,name,email",
    "Contact's country,Your e-mail address": "country,email",
    "E-Mail-Adresse (geschäftlich),Ihr Name": "email,name",
    "E-Mail,Keine E-Mails": "email,opted_out",
    "Indirizzo e-mail,Cancellato": "email,opted_out",
    "Email Address,CLEAN_TIME": "email,opted_out",
    "EMAIL_WORK,Status of membership": "email,status",
    "Adres e-mail,Namn": "email,name",
    "Namn,Förnamn,E-post": "family_name,first_name,email",
    "Email,Status 2020,Status 2021": "email,,status",
    "Email,Status 2021,Status": "email,,status",
    "Email,Active 2021": "email,",
    # A part of a country is no status, and a username no name.
    "Nombre,Correo,Estado,Ciudad": "name,email,,",
    "Nombre,Correo,Estado": "name,email,status",
    "Username,Email,State": ",email,",
}


@pytest.mark.parametrize(("header", "fields"), HEADERS.items())
def test_columns_are_known_by_their_usual_names(header: str, fields: str) -> None:
    expected = {Field(name): position for position, name in enumerate(fields.split(",")) if name}
    assert recognised(header.split(","), {}) == expected


def test_every_usual_name_means_one_field() -> None:
    """A name in two lists would be decided by the order of the lists."""
    lists = {field: wordlist("column_names")[field.value] for field in Field}
    names = [name for listed in lists.values() for name in listed]
    assert sorted(names) == sorted(set(names)) == sorted(usual_names())
    assert [name for name in names if plain(name) != name] == []


def test_a_name_with_a_meaning_beside_others_is_a_usual_one() -> None:
    for rule in wordlist("column_names")["beside"]:
        assert {*rule["names"]} <= set(usual_names())
        assert rule["field"] in {"", *Field}


def test_a_mapping_comes_before_the_usual_names() -> None:
    header = ["Email", "Private mail", "Who", "Country"]
    mapping = {Field.EMAIL: "Private mail", Field.NAME: "Who", Field.COUNTRY: ""}
    assert recognised(header, mapping) == {Field.EMAIL: 1, Field.NAME: 2}


def test_a_mapped_header_may_differ_in_case_and_accents() -> None:
    assert recognised(["adresse pro.", "Name"], {Field.EMAIL: "Adresse Pro"})[Field.EMAIL] == 0


def test_a_mapped_column_that_is_missing_is_named_with_those_present() -> None:
    header = ["Email", "Who"]
    mapping = {Field.NAME: "Member name"}
    with pytest.raises(ContactSourceError) as caught:
        require(recognised(header, mapping), header, mapping, where="list.csv")
    assert str(caught.value).startswith(
        "list.csv: there is no column “Member name”, which contacts.toml names for name"
    )
    assert "“Email”, “Who”" in str(caught.value)


def test_a_file_without_addresses_is_named_with_its_columns() -> None:
    with pytest.raises(ContactSourceError, match="no column holds mail addresses") as caught:
        require({Field.NAME: 0}, ["Name", "Phone"], {}, where="list.csv")
    assert "“Name”, “Phone”" in str(caught.value)


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_header_row_can_be_looked_at(header: list[str]) -> None:
    found = recognised(header, {Field.EMAIL: "Mail"})
    assert all(0 <= position < len(header) for position in found.values())
    assert len(set(found.values())) == len(found)
