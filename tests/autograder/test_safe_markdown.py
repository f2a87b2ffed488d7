"""Markdown cells as HTML, and formulas as MathML."""

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from autograder import paths, safe_html, safe_markdown, source
from autograder.safe_markdown import inline, markdown, mathematics

HAT = chr(0x2C6)


def shown(text, **attachments):
    return BeautifulSoup(markdown(text, attachments), "html.parser")


def test_headings_stand_below_those_of_the_page():
    assert markdown("# One\n\n##### Five") == "<h3>One</h3>\n<h6>Five</h6>\n"


def test_folded_hints_and_tables_work():
    page = shown(
        "<details><summary>Hint</summary>\n\nUse **this** $x$.\n\n</details>\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    assert page.details.summary.text == "Hint"
    assert page.details.strong.text == "this"
    assert page.details.math.mi.text == "x"
    assert [cell.text for cell in page.table.find_all("td")] == ["1", "2"]


def test_a_heading_s_text_is_no_list():
    assert inline("2. The $k$ best") == "2. The <math><mi>k</mi></math> best"
    assert inline("<script>bad()</script>a *b*") == "a <em>b</em>"


def test_an_attached_picture_is_shown_and_no_other():
    page = shown("![plot](attachment:a.png) ![spy](https://bad/x.png) ![](b.png)", **{"a.png": {"image/png": "AAAA"}})
    assert [(image["src"], image["alt"]) for image in page.find_all("img")] == [("data:image/png;base64,AAAA", "plot")]
    assert page.text.strip() == "[picture: spy] [picture: without a description]"
    assert shown("![plot](attachment:a.png)").text.strip() == "[picture: plot]"


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("x_i", "<math><msub><mi>x</mi><mi>i</mi></msub></math>"),
        (
            r"\hat x_i",
            f'<math><msub><mover accent="true"><mi>x</mi><mo stretchy="false">{HAT}</mo></mover><mi>i</mi></msub></math>',
        ),
        (r"\frac12", "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"),
        (r"a < b", "<math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"),
        (r"\dots", "<math><mi>…</mi></math>"),
    ],
)
def test_a_formula_becomes_mathml(tex, expected):
    assert mathematics(tex) == expected


@pytest.mark.parametrize("environment", ["aligned", "align", "align*", "equation", "gather"])
def test_environments_become_tables(environment):
    made = shown(f"$$\n\\begin{{{environment}}} a &= b \\\\ c &= d \\end{{{environment}}}\n$$")
    assert len(made.find_all("mtr")) == 2
    assert shown("\\begin{align}\na &= b\n\\end{align}").find("mtable") is not None


@pytest.mark.parametrize(
    "tex",
    [
        *(r"\href{javascript:bad()}{x}", r"\unknown{x}", r"\require{html}\style{x}{y}", r"\class{a}{b}"),
        *("x^", r"\frac", r"\begin{pmatrix} 1", "}", r"\left(", "{" * 1500, "x" * 3000),
    ],
)
def test_what_cannot_be_converted_is_shown_as_tex_or_as_far_as_it_goes(tex):
    page = BeautifulSoup(mathematics(tex), "html.parser")
    assert page.code is not None or page.math is not None
    assert page.find(href=True) is None
    if page.code is not None:
        assert page.code.text == tex


def test_text_in_a_formula_is_text():
    page = BeautifulSoup(mathematics(r"\text{</mtext><script>bad()</script>}"), "html.parser")
    assert page.mtext.text == "</mtext><script>bad()</script>"
    assert page.script is None


def test_every_formula_of_the_assignments_is_converted():
    formulas = []
    for path in paths.sources(paths.SOLUTIONS):
        for cell in source.load(path).cells:
            if cell.cell_type == "markdown":
                formulas += BeautifulSoup(markdown(cell.source), "html.parser").find_all("math")
                assert (
                    BeautifulSoup(markdown(cell.source), "html.parser").find("code", string=re.compile(r"\\[a-z]"))
                    is None
                )
    assert len(formulas) > 50


SNIPPETS = [
    *(
        "$",
        "$$",
        "`",
        "```\n",
        "\n\n",
        "# ",
        "> ",
        "- ",
        "[a](javascript:bad())",
        "![a](https://bad)",
        "<https://a.b>",
        "x",
    ),
    *(
        "<script>bad()</script>",
        "<img src=x onerror=bad()>",
        "<div title='",
        "'>",
        '<code class="math">',
        "</code>",
        "\\",
    ),
    *(
        "\\text{' onerror=bad() '}",
        '<a href="$x$">',
        "</a>",
        "<!--",
        "-->",
        "|a|b|\n|-|-|\n",
        "\\begin{align}",
        "\\end{align}",
    ),
]


@given(st.lists(st.sampled_from(SNIPPETS), max_size=30))
def test_no_mixture_of_tricks_gets_through(parts):
    for element in BeautifulSoup(markdown("".join(parts)), "html.parser").find_all(True):
        assert element.name in safe_html.SHOWN or safe_markdown.MATHML.fullmatch(element.name), element
        assert not [name for name in element.attrs if name.startswith("on") or name in ("title", "style", "id")], (
            element
        )
        assert element.name == "a" or "href" not in element.attrs, element
        assert str(element.get("href", "https:")).startswith(("https:", "#")), element


def test_a_very_long_cell_is_shown_as_it_stands():
    text = "a *b* " * 10_000
    assert BeautifulSoup(markdown(text), "html.parser").pre.text == text
