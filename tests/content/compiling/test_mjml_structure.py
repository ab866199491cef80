"""What mrml would lose in silence is refused, at the place where it stands; what MJML allows is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.compiling.mjml_structure import ELEMENTS, MjmlError, check_structure

PAGE = "<mjml><mj-body>{}</mj-body></mjml>"
COLUMN = PAGE.format("<mj-section><mj-column>{}</mj-column></mj-section>")


@pytest.mark.parametrize(
    "mjml",
    [
        COLUMN.format('<mj-text color="#000">a &lt; b<br>c<img src="x" /></mj-text><mj-divider /><mj-image src="x"/>'),
        COLUMN.format("<mj-raw><!--[if mso]><table><tr><td><![endif]--></mj-raw>"),
        COLUMN.format("<mj-raw><!--[if !mso]><!--><p>x</p><!--<![endif]--></mj-raw>"),
        COLUMN.format("<mj-table><tr><td>a</td></tr></mj-table><mj-spacer height='1px'/>"),
        COLUMN.format(
            '<mj-social><mj-social-element name="x" href="https://a.example">x</mj-social-element></mj-social>'
        ),
        PAGE.format('<mj-wrapper><mj-section><mj-group><mj-column width="50%"/></mj-group></mj-section></mj-wrapper>'),
        '<mjml lang="fr"><mj-head><mj-title>a</mj-title><mj-attributes><mj-all color="x"/><mj-text a="b" />'
        '</mj-attributes><mj-style inline="inline">p > a { x: y } @media (x) { a { b: c } }</mj-style></mj-head>'
        "<mj-body></mj-body></mjml>",
    ],
)
def test_what_mjml_allows_passes(mjml: str) -> None:
    check_structure(mjml)


@pytest.mark.parametrize(
    ("mjml", "message", "at"),
    [
        ("", "empty", ""),
        ("hello", "outside of <mjml>", "hello"),
        (PAGE.format("<mj-column></mj-column>"), "cannot stand in <mj-body>", "<mj-column>"),
        (PAGE.format("<mj-section>words</mj-section>"), "directly in <mj-section>", "words"),
        (COLUMN.format("<mj-text><mj-text>x</mj-text></mj-text>"), "holds HTML only", "<mj-text>x"),
        (COLUMN.format("<mj-text><b>x</mj-text>"), "<b> is not closed", "<b>"),
        (COLUMN.format("<mj-text>x</b></mj-text>"), "</b> closes nothing", "</b>"),
        ("<mjml><mj-body>", "<mj-body> is not closed", "<mj-body>"),
        (COLUMN.format("<mj-text a=b>x</mj-text>"), "does not end as a tag", "<mj-text a=b"),
    ],
)
def test_what_would_be_lost_is_refused_at_its_place(mjml: str, message: str, at: str) -> None:
    with pytest.raises(MjmlError, match=message) as refused:
        check_structure(mjml)
    assert mjml.startswith(at, refused.value.offset)
    assert refused.value.mend


_TAGS = [f"<{slash}{name}>" for name in sorted(ELEMENTS) for slash in ("", "/")]
_MARKS = ["<p>", "</p>", "<br>", "<!--", "-->", "<![CDATA[", "]]>", "<", ">", "&", "'", "=", "/>", "<mj-text a='"]
_PIECES = st.sampled_from([*_TAGS, *_MARKS, "<style>", "text", "\n"])


def refusal(mjml: str) -> MjmlError | None:
    try:
        check_structure(mjml)
    except MjmlError as error:
        return error
    return None


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_whatever_is_written_is_passed_or_refused_at_a_place_in_it(mjml: str) -> None:
    error = refusal(mjml)
    assert error is None or (0 <= error.offset <= len(mjml) and str(error))
