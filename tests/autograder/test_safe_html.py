"""What is left of HTML that nobody vouches for, compared with what another parser finds in it."""

import base64

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from autograder import safe_html

PIXEL = base64.b64encode(b"a picture").decode()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"{}>{}</svg>'
HARMFUL = [
    "<script>bad()</script>",
    "<SCRIPT SRC=//bad></SCRIPT>",
    "<img src=x onerror=bad()>",
    "<img src=https://bad/x.png>",
    "<img src='data:text/html,<script>bad()</script>'>",
    "<svg onload=bad()><script>bad()</script></svg>",
    "<svg><style><img src=x onerror=bad()></style></svg>",
    "<a href=javascript:bad()>x</a>",
    "<a href=' java\tscript:bad()'>x</a>",
    "<a href='&#106;avascript&colon;bad()'>x</a>",
    "<a href=data:text/html,bad>x</a>",
    "<iframe srcdoc='<script>bad()</script>'></iframe>",
    "<object data=//bad></object><embed src=//bad>",
    "<meta http-equiv=refresh content='0;url=//bad'><base href=//bad><link rel=stylesheet href=//bad>",
    "<form action=//bad><input name=bad autofocus onfocus=bad()><button formaction=//bad>go</button></form>",
    "<style>@import '//bad'; * { background: url(//bad) }</style>",
    "<p style='background: url(//bad)' class=bad id=bad>x</p>",
    "<table background=//bad><td background=//bad></table>",
    "<video poster=//bad><source src=//bad></video><audio src=//bad autoplay></audio>",
    "<noscript><p title='</noscript><img src=x onerror=bad()>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=bad()&gt;'>",
    "<textarea><img title='</textarea><img src=x onerror=bad()>'></textarea>",
    "<title><img src=x onerror=bad()></title><xmp><img src=x onerror=bad()></xmp>",
    "<details ontoggle=bad() open><summary onclick=bad()>x</summary></details>",
    "<!--><img src=x onerror=bad()>-->",
    "<template><script>bad()</script></template>",
    "<img alt='`><script>bad()</script>'>",
    "<code class='math bad'>x</code>",
    "<scr<script>ipt>bad()</script>",
    "<style><script></style>bad()</script>",
]


def is_harmless(cleaned):
    """Whether a parser finds nothing in a text but elements that show something, and attributes that do nothing."""
    for element in BeautifulSoup(cleaned, "html.parser").find_all(True):
        assert element.name in safe_html.SHOWN, element
        for name, value in element.attrs.items():
            match element.name, name:
                case "a", "href":
                    assert value.startswith(("http://", "https://", "mailto:", "#")), element
                case "img", "src":
                    assert value.startswith("data:image/"), element
                case _:
                    assert name in ("alt", "colspan", "rowspan", "start", "class"), element
    return True


@pytest.mark.parametrize("text", HARMFUL)
def test_what_could_do_something_is_taken_out(text):
    cleaned = safe_html.clean(f"before {text}")
    assert is_harmless(cleaned)
    assert cleaned.startswith("before")


@given(st.lists(st.sampled_from([*HARMFUL, "<", ">", '"', "'", "<!--", "-->", "</", "<p", "&lt;", "&", "=", " ", "x"])))
def test_no_mixture_of_tricks_gets_through(parts):
    assert is_harmless(safe_html.clean("".join(parts)))


@given(st.text(alphabet="<>/\"'=& abcsriptonlmg!-;:#\n\t\x00"))
def test_no_text_gets_through(text):
    assert is_harmless(safe_html.clean(text))


def test_scripts_and_styles_are_dropped_with_what_is_in_them():
    assert safe_html.clean("a<script>b</script>c<style scoped>d</style>e") == "ace"
    assert safe_html.clean("a<script>b") == "a"
    assert safe_html.is_empty(safe_html.clean("<div><script>plot()</script>\n</div>"))


def test_a_table_keeps_its_form():
    table = "<table><thead><tr><th></th><th>k</th></tr></thead><tbody><tr><th>0</th><td>0.5</td></tr></tbody></table>"
    assert safe_html.clean(table) == table
    assert safe_html.clean("<table><tbody><tr><td colspan=2>x</td></tr></tbody></table>").count('colspan="2"') == 1
    assert "colspan" not in safe_html.clean("<table><tbody><tr><td colspan=99999999>x</td></tr></tbody></table>")


def test_links_and_text_stay():
    text = '<a href="https://example.org/?a=1&amp;b=2">here</a>, <b>bold</b>, 1 &lt; 2'
    assert safe_html.clean(text) == text


@pytest.mark.parametrize("text", ["x" * (safe_html.MOST_CHARACTERS + 1), "<b>" * (safe_html.MOST_TAGS + 1)])
def test_what_would_take_long_is_shown_as_it_stands(text):
    cleaned = safe_html.clean(text)
    assert cleaned.startswith("<pre>")
    assert BeautifulSoup(cleaned, "html.parser").get_text() == text


def test_pictures_become_part_of_the_page():
    assert safe_html.picture({"image/png": f"{PIXEL[:4]}\n{PIXEL[4:]}\n"}) == f"data:image/png;base64,{PIXEL}"
    assert safe_html.picture({"image/jpeg": PIXEL}) == f"data:image/jpeg;base64,{PIXEL}"
    uri = safe_html.picture({"image/svg+xml": SVG.format("", "<circle r='1'/>")})
    kind, _, content = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == SVG.format("", "<circle r='1'/>")


@pytest.mark.parametrize("content", ['"><script>bad()</script>', "not base64!", "", None, ["a"], {"a": 1}])
def test_what_is_not_base64_is_no_picture(content):
    assert safe_html.picture({"image/png": content}) == ""


@pytest.mark.parametrize(
    ("attributes", "inside"),
    [
        ("", "<script>bad()</script>"),
        (" onload='bad()'", ""),
        ("", "<g ONCLICK='bad()'/>"),
        ("", "<foreignObject><body/></foreignObject>"),
        ("", "<a xlink:href='javascript:bad()'/>"),
        ("", "<image xlink:href='https://bad/x.png'/>"),
        ("", "<set attributeName='onclick' to='bad()'/>"),
        ("", "not closed <g>"),
    ],
)
def test_a_drawing_that_could_do_something_is_no_picture(attributes, inside):
    assert safe_html.picture({"image/svg+xml": SVG.format(attributes, inside)}) == ""


def test_a_drawing_with_entities_is_no_picture():
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SVG.format("", "<text>&b;</text>")
    assert safe_html.picture({"image/svg+xml": bomb}) == ""


def test_a_drawing_with_parts_of_its_own_is_a_picture():
    inside = f"<defs><g id='m'/></defs><use xlink:href='#m'/><image xlink:href='data:image/png;base64,\n{PIXEL}'/>"
    assert safe_html.picture({"image/svg+xml": SVG.format("", inside)}) != ""
