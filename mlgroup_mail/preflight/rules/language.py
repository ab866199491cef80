"""footer-language: the templates' own words, the footer among them, have no catalogue in the text's language."""

from collections.abc import Iterator

from mlgroup_mail.content.language.catalogues import catalogue_language, catalogue_languages
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "footer-language"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for each text whose language is none that the templates speak."""
    for text in subject.texts:
        if not catalogue_language(text.words.language):
            yield Finding(
                level=Level.WARNING,
                rule=RULE,
                where=text.words.text_file,
                message=f"the text is in “{text.words.language}”, its footer will be in English",
                mend=f"The templates speak {', '.join(catalogue_languages())}. For another language, copy "
                "templates/partials/footer.mjml.j2 and footer.txt.j2 into the project and translate them.",
            )
