"""The steps from a document's lines to Markdown, each with its cases."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from mlgroup_mail.content.word.addresses import ADDRESS, target
from mlgroup_mail.content.word.blocks import SAME_PARAGRAPH, Block, BlockKind
from mlgroup_mail.content.word.headings import is_greeting, with_bold_headings
from mlgroup_mail.content.word.inline import guarded, inline, lines_of
from mlgroup_mail.content.word.list_marks import with_typed_lists
from mlgroup_mail.content.word.wraps import joined
from mlgroup_mail.content.word.writing import written


def line(words: str, *, gap: int = 0, kind: BlockKind = BlockKind.TEXT, **more: object) -> Block:
    text = " ".join(words.split())
    trailing = len(words) - len(words.rstrip())
    return Block(kind=kind, markdown=text, light=text, words=text, gap=gap, trailing=trailing, **more)  # type: ignore[arg-type]


FULL = (
    "Next year the group begins a programme of its own making, and what is in it depends",
    "on you. Tell us what you would like to work on with colleagues from other offices, and",
    "which of your own work others could use. Nothing is too small, and nothing is too large",
    "as long as it helps.",
)
ONE = " ".join(FULL)


class TestBrokenLines:
    @pytest.mark.parametrize("gap", [SAME_PARAGRAPH, 0, 1, 3])
    def test_lines_that_break_off_in_a_sentence_are_one_paragraph_however_far_apart(self, gap: int) -> None:
        blocks, told = joined(tuple(line(words, gap=gap) for words in FULL))
        assert [block.words for block in blocks] == [ONE]
        assert len(told) == 1

    @pytest.mark.parametrize(
        ("after", "why"),
        [
            (line("Something else begins here.", gap=2), "a wider gap"),
            (line("Something else begins here.", gap=1), "there was room on the line before"),
            (line("· an item", gap=1), "a list mark"),
            (line("- an item", gap=1), "a list mark"),
            (line("1. an item", gap=1), "a number"),
            (line("A heading", gap=1, kind=BlockKind.HEADING), "a heading"),
            (line("| a |", gap=1, kind=BlockKind.TABLE), "a table"),
            (line("bold", gap=1, bold=True), "bold"),
        ],
    )
    def test_what_begins_something_else_is_not_joined(self, after: Block, why: str) -> None:
        blocks, _ = joined((*(line(words, gap=1) for words in FULL), after))
        assert [block.words for block in blocks] == [ONE, after.words], why

    def test_a_full_line_with_a_full_stop_and_more_blanks_than_others_ends_a_paragraph(self) -> None:
        lines = [line(f"{words} ") for words in FULL[:3]]
        last = line("as long as it helps your office and others; that alone is what counts in this.  ")
        blocks, _ = joined((*lines, last, line("The next paragraph begins here, and goes on for a while. ")))
        assert len(blocks) == 2

    def test_a_full_line_with_a_full_stop_before_a_heading_ends_a_paragraph(self) -> None:
        last = line("as long as it helps your office and others; that alone is what counts in this.")
        blocks, _ = joined((*map(line, FULL[:3]), last, line("Get involved")))
        assert [block.words for block in blocks][-1] == "Get involved"

    def test_an_item_goes_on_in_the_next_line(self) -> None:
        blocks, _ = joined((line(FULL[0], kind=BlockKind.ITEM), *map(line, FULL[1:])))
        assert [(block.kind, block.words) for block in blocks] == [(BlockKind.ITEM, ONE)]

    @pytest.mark.parametrize(
        "lines",
        [
            ("One paragraph of a normal document that ends with a full stop.",) * 5,
            ("coffee", "tea", "milk and sugar"),
            # Lists without marks begin with small letters too: their lines are of all lengths.
            (
                "classification of products by their descriptions in shops",
                "editing",
                "imputation of answers that are missing in the survey of households and of enterprises",
                "outliers in the statistics of trade with other countries",
                "satellite pictures",
            ),
        ],
    )
    def test_lines_of_other_documents_stay_as_they_are(self, lines: tuple[str, ...]) -> None:
        blocks = tuple(map(line, lines))
        assert joined(blocks) == (blocks, ())

    def test_a_word_divided_at_the_end_of_a_line_keeps_its_hyphen(self) -> None:
        lines = [words.removesuffix(" others") for words in FULL]
        lines[0] = "Next year the group begins a programme of its own, with talks and with well-"
        lines[1] = "known guests. Tell us what you would like to work on with colleagues from offices, and"
        blocks, _ = joined(tuple(map(line, lines)))
        assert "well-known guests" in blocks[0].words


class TestTypedMarks:
    @pytest.mark.parametrize(
        ("lines", "markdown"),
        [
            (("· one", "· two"), "- one\n- two"),
            (("• one",), "- one"),
            (("\uf0b7\tone",), "- one"),
            (("*One", "*Two"), "- One\n- Two"),
            (("- one", "– two", "- three"), "- one\n\n– two\n\n- three"),
            (("1. one", "2. two"), "1. one\n2. two"),
            (("1) one", "In between", "2) two"), "1. one\n\nIn between\n\n2. two"),
            (("1. one", "2. two", "1. anew", "2. two"), "1. one\n2. two\n1) anew\n2) two"),
            # What only looks like a mark.
            (("*A note on prices",), r"\*A note on prices"),
            (("- A dialogue opens like this.",), r"\- A dialogue opens like this."),
            (("2021. A year",), r"2021\. A year"),
            (("19. November", "27. Oktober"), "19\\. November\n\n27\\. Oktober"),
            (("1. alone",), r"1\. alone"),
            (("*This* is meant", "*That* too"), "\\*This\\* is meant\n\n\\*That\\* too"),
            (("-5 degrees", "-6 degrees"), "-5 degrees\n\n-6 degrees"),
        ],
    )
    def test_they_are_items_where_they_are_marks(self, lines: tuple[str, ...], markdown: str) -> None:
        soup = BeautifulSoup("".join(f"<p>{words}</p>" for words in lines), "html.parser")
        blocks = tuple(
            Block(kind=BlockKind.TEXT, markdown=each.markdown, light=each.light, words=each.words)
            for paragraph in soup.find_all("p")
            for each in lines_of(paragraph)
        )
        assert written(with_typed_lists(blocks)[0]) == markdown

    @pytest.mark.parametrize("html", ["<strong>· one</strong>", "<strong>·</strong> <strong>one</strong>"])
    def test_a_mark_within_emphasis_is_one_too(self, html: str) -> None:
        each = inline(BeautifulSoup(html, "html.parser").children)
        block = Block(kind=BlockKind.TEXT, markdown=each.markdown, light=each.light, words=each.words)
        assert written(with_typed_lists((block,))[0]) == "- **one**"


class TestBoldLines:
    @pytest.mark.parametrize(
        ("words", "is_heading"),
        [
            ("In autumn", True),
            ("What did we learn?", True),
            ("A sentence that matters.", False),
            ("Kind regards,", False),
            ("2021", False),
            ("a " * 60, False),
        ],
    )
    def test_one_alone_is_a_heading_unless_it_reads_like_text(self, words: str, is_heading: bool) -> None:
        blocks, told = with_bold_headings((line("Text."), line(words, bold=True), line("Text."), line("Text.")))
        assert (blocks[1].kind is BlockKind.HEADING) is is_heading
        assert len(told) == is_heading

    @pytest.mark.parametrize(
        "blocks",
        [
            (line("Text."), line("Text."), line("The end", bold=True)),
            (line("One", bold=True), line("Two", bold=True), line("Three", bold=True), line("Text.")),
            (line("Text."), line("Name", bold=True), line("Office", gap=SAME_PARAGRAPH), line("Text.")),
        ],
        ids=["nothing follows", "most is bold", "the first line of a paragraph"],
    )
    def test_others_are_none(self, blocks: tuple[Block, ...]) -> None:
        assert with_bold_headings(blocks) == (blocks, ())


class TestInline:
    @pytest.mark.parametrize(
        ("html", "markdown"),
        [
            ("a <strong>b</strong> c", "a **b** c"),
            ("a<strong> b </strong>c", "a **b** c"),
            ("<strong>Lead.</strong>Text", "**Lead**.Text"),
            ("x<em>(y)</em>z", "x(*y*)z"),
            ("<strong><em>both</em></strong>", "***both***"),
            ("<strong>a</strong><em>b</em>", "**a***b*"),
            ('<a href="https://www.example.org/"><strong>b</strong></a>', "[**b**](https://www.example.org/)"),
            ('<a href="https://www.example.org/">https://www.example.org/</a>', "<https://www.example.org/>"),
            ('<a href="mailto:a@b.example">a@b.example</a>', "<a@b.example>"),
            ('see <a href="#_Toc1">page 2</a>', "see page 2"),
            ("https://www.example.org/a_b_c.", "<https://www.example.org/a_b_c>."),
            ("(www.example.org)", "([www.example.org](https://www.example.org))"),
            ("write to a.b@c.example!", "write to <a.b@c.example>!"),
            ("{{ x }} {% y %} {# z", r"{\{ x }\} {\% y %\} {\# z"),
            ("{<strong>{</strong>", r"{**{**"),
            ("5 * 3 * 2 and snake_case and _this_", r"5 \* 3 \* 2 and snake_case and \_this\_"),
            ("`code` [x](y) &lt;b&gt; \\ &amp;amp;", r"\`code\` \[x\](y) \<b> \\ \&amp;"),
            ("a<input type='checkbox'/>b<input type='checkbox' checked='checked'/>", "a☐b☒"),
            ("CO<sub>2</sub>, m<sup>2</sup>, 1<sup>st</sup>", "CO₂, m², 1st"),
        ],
    )
    def test_markdown_reads_as_the_line_did(self, html: str, markdown: str) -> None:
        paragraph = BeautifulSoup(f"<p>{html}</p>", "html.parser").p
        assert paragraph is not None
        assert inline(paragraph.children).markdown == markdown

    def test_bold_around_a_line_break_is_bold_on_both_lines(self) -> None:
        paragraph = BeautifulSoup("<p>a <strong>b<br/><em>c<br/>d</em></strong> e</p>", "html.parser").p
        assert paragraph is not None
        assert [each.markdown for each in lines_of(paragraph)] == ["a **b**", "***c***", "***d*** e"]

    @pytest.mark.parametrize(
        ("text", "safe"),
        [
            ("- x", r"\- x"), ("+ x", r"\+ x"), ("-", r"\-"), ("---", r"\---"), ("===", r"\==="), ("# x", r"\# x"),
            ("#tag", "#tag"), ("> x", r"\> x"), ("12. x", r"12\. x"), ("1) x", r"1\) x"), ("~~~", r"\~~~"),
            ("::: x", r"\::: x"), ("| a |", r"\| a |"), (":-- | --", r"\:-- | --"), ("2021.5", "2021.5"),
        ],
    )  # fmt: skip
    def test_a_lines_beginning_starts_nothing(self, text: str, safe: str) -> None:
        assert guarded(text) == safe


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.org/a, or", ["https://example.org/a"]),
        ("“https://example.org”.", ["https://example.org"]),
        ("(https://example.org/a)", ["https://example.org/a"]),
        ("http://[::1]/", []),
        ("a@b", []),
        ("me@example.org.", ["me@example.org"]),
        ("mailto:me@example.org", ["mailto:me@example.org"]),
        ("xhttps://example.org", []),
    ],
)
def test_addresses_in_running_text_end_before_punctuation(text: str, found: list[str]) -> None:
    assert ADDRESS.findall(text) == found


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/%C3%A9?a=b&c=d#e", "https://example.org/%C3%A9?a=b&c=d#e"),
        ('https://example.org" \\o "hint', "https://example.org"),
        ('https://example.org" \\l "part', "https://example.org#part"),
        ("www.example.org", "https://www.example.org"),
        ("HTTPS://EXAMPLE.ORG", "HTTPS://EXAMPLE.ORG"),
        ("mailto:a@b.example?subject=x y", "mailto:a@b.example?subject=x%20y"),
        ("javascript:alert(1)", ""),
        ("ftp://example.org", ""),
        ("#bookmark", ""),
        ("", ""),
        ("https://example.org/\x00", ""),
    ],
)
def test_targets_are_whole_addresses_or_none(href: str, address: str) -> None:
    assert target(href) == address


@pytest.mark.parametrize("words", ["Dear colleagues,", "Bonjour à tous,", "Sehr geehrte Damen und Herren,"])
def test_greetings_are_known_in_several_languages(words: str) -> None:
    assert is_greeting(line(words))
    assert not is_greeting(line(f"{words} {'and so on ' * 9}"))
