"""Which column holds what: by the names that columns usually have, or by a mapping."""

import re
from collections.abc import Mapping, Sequence

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.texts import plain
from mlgroup_mail.errors import ContactSourceError

USUAL_NAMES: dict[Field, str] = {
    Field.EMAIL: """
        email, e mail, email address, e mail address, mail address, emailaddress, work email, work e mail,
        business email, contact email, primary email, email id, mail,
        courriel, adresse courriel, adresse email, adresse e mail, adresse mail, adresse electronique, mel,
        e mail adresse, email adresse, mailadresse, emailadresse, mail adresse,
        correo electronico, correo, direccion de correo electronico, direccion de correo, correo e,
        direccion electronica,
        address, adresse, direccion
    """,
    Field.NAME: """
        full name, fullname, display name, name, contact name, member name, participant, participant name,
        nom complet, nom et prenom, prenom et nom, nom prenom, prenom nom, nom,
        vollstandiger name, vor und nachname, vorname und nachname, name vorname, vorname name, ansprechpartner,
        nombre completo, nombre y apellidos, nombre y apellido, apellidos y nombre, nombre, member, contact
    """,
    Field.FIRST_NAME: """
        first name, firstname, given name, given names, givenname, forename,
        prenom, prenoms, vorname, rufname, nombre de pila, primer nombre
    """,
    Field.FAMILY_NAME: """
        family name, last name, lastname, surname,
        nom de famille, nachname, familienname, zuname, apellidos, apellido, primer apellido
    """,
    Field.ORGANISATION: """
        organisation, organization, organisation name, organization name, institution, institute, institution name,
        affiliation, company, company name, employer, agency, office, org,
        organisme, etablissement, entreprise, societe, employeur,
        einrichtung, institut, firma, unternehmen, behorde, dienststelle, arbeitgeber,
        organizacion, institucion, organismo, entidad, empresa, empleador
    """,
    Field.COUNTRY: """
        country, country name, country territory, country code, country region, nation,
        pays, pays territoire, land, staat, pais, pais territorio
    """,
    Field.TIMEZONE: """
        time zone, timezone, tz, iana time zone, fuseau horaire, fuseau, zeitzone, zona horaria, huso horario
    """,
    Field.LANGUAGE: """
        language, preferred language, correspondence language, mail language, lang,
        langue, langue preferee, langue de correspondance, sprache, korrespondenzsprache, bevorzugte sprache,
        idioma, idioma preferido, lengua
    """,
    Field.STATUS: """
        status, membership status, membership, member status, state,
        statut, statut de membre, mitgliedsstatus, mitgliedschaft, estado, estatus, role, rolle, rol
    """,
    Field.TOPICS: """
        topics, topic, mailings, mailing topics, subscriptions, subscribed to,
        abonnements, sujets, abonnierte themen, abos, suscripciones
    """,
    Field.THEMES: """
        themes, theme, interests, areas of interest, workstreams, work streams, thematic areas,
        thematiques, thematique, centres d interet, domaines, domaines d interet,
        themen, interessen, arbeitsgebiete, temas, tema, intereses, areas de interes
    """,
    Field.ALIASES: """
        aliases, alias, other addresses, other emails, other email, other e mail, secondary email, second email,
        alternative email, email 2, autres adresses, autre courriel, weitere adressen, weitere e mail adressen,
        zweite e mail, otras direcciones, otro correo
    """,
    Field.ID: """
        id, contact id, member id, member number, membership number, identifier, identifiant, numero de membre,
        mitgliedsnummer, kennung, identificador, numero de socio
    """,
}
"""The usual names in English, French, German and Spanish, without accents, the clearest first."""

_RANKS: dict[str, tuple[Field, int]] = {
    name.strip(): (field, rank) for field, names in USUAL_NAMES.items() for rank, name in enumerate(names.split(","))
}

_BESIDE: dict[str, tuple[frozenset[str], Field]] = {
    "nom": (frozenset({"prenom", "prenoms"}), Field.FAMILY_NAME),
    "name": (frozenset({"vorname", "rufname"}), Field.FAMILY_NAME),
    "nombre": (frozenset({"apellidos", "apellido"}), Field.FIRST_NAME),
}
"""Beside a column "Prénom", "Nom" is the family name; beside "Apellidos", "Nombre" is the first name."""


def recognised(header: Sequence[str], mapping: Mapping[Field, str]) -> dict[Field, int]:
    """The position of each field's column in a header row: the mapped ones that are there, then the usual names.

    Where several columns fit a field, the clearest name wins, then the leftmost. A field mapped to "" is not read.
    """
    labels = [_label(cell) for cell in header]
    exact = {cell.strip(): position for position, cell in reversed([*enumerate(header)])}
    loose = {label: position for position, label in reversed([*enumerate(labels)]) if label}
    found: dict[Field, int] = {}
    for field, label in mapping.items():
        position = exact.get(label.strip(), loose.get(_label(label)))
        if label and position is not None:
            found[field] = position
    taken = set(found.values())
    ranked: dict[Field, tuple[int, int]] = {}
    for position, label in enumerate(labels):
        if position in taken or label not in _RANKS:
            continue
        field, rank = _RANKS[label]
        field = _beside(label, field, set(labels))
        if field not in mapping and (rank, position) < ranked.get(field, (rank + 1, 0)):
            ranked[field] = (rank, position)
    return found | {field: position for field, (_, position) in ranked.items()}


def require(found: Mapping[Field, int], header: Sequence[str], mapping: Mapping[Field, str], *, where: str) -> None:
    """Raise ContactSourceError where a mapped column, or any column of addresses, is missing from the header."""
    present = ", ".join(f"“{cell.strip()}”" for cell in header if cell.strip()) or "none"
    for field, label in mapping.items():
        if label and field not in found:
            raise ContactSourceError(
                f"there is no column “{label}”, which contacts.toml names for {field}",
                where=where,
                mend=f"Columns here: {present}. Correct “columns” of this source, or the file.",
            )
    if Field.EMAIL not in found:
        raise ContactSourceError(
            "no column holds mail addresses",
            where=where,
            mend=f'Columns here: {present}. Name one of them “Email”, or map it: columns = {{ email = "..." }}.',
        )


def _beside(label: str, field: Field, labels: set[str]) -> Field:
    others, meant = _BESIDE.get(label, (frozenset(), field))
    return meant if labels & others else field


def _label(cell: str) -> str:
    """A header for comparing: what stands in brackets ("Email (work)", "Name (required)") says nothing."""
    return plain(re.sub(r"[(\[][^)\]]*[)\]]", " ", cell)) or plain(cell)
