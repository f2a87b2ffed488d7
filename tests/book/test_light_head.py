"""The head of a built page: what it loads before it shows a word."""

import shutil

import pytest
from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from sphinx.errors import ExtensionError

ICONS = (
    '.fa-sun:before{content:"\\f185"}.fa-a:before,.fa-alias:before{content:"\\f186"}.fa-unused:before{content:"\\f187"}'
)


@pytest.fixture
def head(script):
    return script("light_head")


@pytest.fixture
def site(tmp_path):
    """A site with two style sheets and a font of the theme, for which one of matplotlib's stands."""
    fonts = tmp_path / "_static" / "vendor" / "fontawesome" / "webfonts"
    fonts.mkdir(parents=True)
    shutil.copyfile(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", fonts / "icons.ttf")
    (fonts / "icons.woff2").write_bytes(b"compressed")
    styles = tmp_path / "_static" / "styles"
    styles.mkdir()
    source = 'src:url(../vendor/fontawesome/webfonts/icons.woff2) format("woff2"),url(../vendor/fontawesome/webfonts/icons.ttf)'
    (styles / "theme.css").write_text(f'@charset "UTF-8";@import "../basic.css";@font-face{{{source}}}{ICONS}')
    (tmp_path / "_static" / "basic.css").write_text("p{color:red}")
    (tmp_path / "_static" / "own.css").write_text("p{color:blue}")
    (tmp_path / "book").mkdir()
    return tmp_path


PAGE = """<head>
  <link href="../_static/styles/theme.css?v=1" rel="stylesheet" />
  <!-- more -->
  <link rel="stylesheet" type="text/css" href="../_static/own.css" />
</head>"""


def test_style_sheets_become_one_in_their_order(head, site):
    text = head.Styles(site, {"fa-sun"}).joined(PAGE, site / "book")
    assert text.count("stylesheet") == 1
    (sheet,) = (site / "_static").glob("site-*.css")
    assert f'href="../_static/{sheet.name}"' in text
    style = sheet.read_text()
    assert style.index("p{color:red}") < style.index("@font-face") < style.index("p{color:blue}")
    assert "@import" not in style
    assert "@charset" not in style


def test_addresses_lead_to_the_same_files_and_only_icons_that_are_shown_are_left(head, site):
    head.Styles(site, {"fa-sun", "fa-alias"}).joined(PAGE, site / "book")
    (sheet,) = (site / "_static").glob("site-*.css")
    style = sheet.read_text()
    assert "src:url(vendor/fontawesome/webfonts/icons.ttf)" in style
    assert "woff2" not in style
    assert '.fa-sun:before{content:"\\f185"}.fa-a:before,.fa-alias:before{content:"\\f186"}' in style
    assert "fa-unused" not in style


def test_a_font_keeps_what_the_style_sheets_name(head, site):
    styles = head.Styles(site, {"fa-sun"})
    styles.joined(PAGE, site / "book")
    styles.glyphs = {ord("A"), 0xF185}  # an icon that this font lacks is no error
    styles.reduce_fonts()
    path = site / head.FONTS / "icons.ttf"
    with TTFont(path) as font:
        assert set(font.getBestCmap()) == {ord("A")}
    assert not path.with_suffix(".woff2").exists()


def test_a_theme_without_its_fonts_is_an_error(head, tmp_path):
    with pytest.raises(ExtensionError, match="the theme brings its icons in another way now"):
        head.Styles(tmp_path, set()).reduce_fonts()


def test_scripts_wait_in_their_order(head):
    page = (
        '<link rel="preload" as="script" href="a.js" /><script src="options.js"></script><script defer src="b.js"></script>'
        "<script>let early = 1;</script><script>DOCUMENTATION_OPTIONS.pagename = 'c';</script>"
        '<script src="../searchindex.js"></script>'
    )
    assert head.with_late_scripts(page, is_search=False) == (
        '<script defer src="options.js"></script><script defer src="b.js"></script>'
        "<script>let early = 1;</script><script type=\"module\">DOCUMENTATION_OPTIONS.pagename = 'c';</script>"
    )
    assert head.with_late_scripts(page, is_search=True) == page


def test_icons_are_found_in_pages_and_scripts(head):
    assert head.icons(['<i class="fa-solid fa-moon fa-lg">', 'x.classList="fa-xmark"']) == {
        "fa-solid",
        "fa-moon",
        "fa-lg",
        "fa-xmark",
    }
