"""What a student reads in feedback, and what nobody may."""

import base64
import hashlib
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from feedback_notebook import add_outputs, graded, page

from autograder import feedback_page

FAILED = {"double-other": 0}
MESSAGE = "On other inputs, negative differs in 1 of 1 numbers, by up to 4.9e+03."
DIAGNOSIS = "You lose the `sign`."
FREE = "free-8"
MINUS = chr(0x2212)


def soup(notebook, found=None, **more):
    return BeautifulSoup(page(notebook, found, **more), "html.parser")


def rows(shown):
    return [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in shown.table.find_all("tr")
    ]


def test_points_stand_on_top_and_by_task(tiny):
    shown = soup(graded(tiny, scores=FAILED), {})
    assert shown.find(class_="score").text == "3 of 4.5 points"
    assert shown.title.text == "tiny: 3 of 4.5 points"
    assert rows(shown) == [
        ["Task", "Points", "of", ""],
        ["Double a number", "1", "2.5", f"{MINUS} minus 1.5, why?"],
        ["Say why", "2", "2", "✓ complete"],
        ["All", "3", "4.5", ""],
    ]


def test_a_lost_test_says_what_it_tests_and_what_was_wrong(tiny):
    shown = soup(graded(tiny, scores=FAILED), {"messages": {"double-other": MESSAGE}})
    (task,) = shown.find_all(class_="task")
    (lost,) = task.find_all("li")
    assert [p.get_text(" ", strip=True) for p in lost.find_all("p")] == [
        f"double-other {MINUS}1.5",
        "Twice 10 is 20.",
        MESSAGE,
    ]
    assert shown.find(id=lost.a["href"][1:]).summary.find(class_="bad").text == "✗ 0 of 1.5"
    assert MESSAGE in shown.find(id="double-other").text


def test_a_known_mistake_is_named(tiny):
    found = {"diagnoses": {"double": ("absolute", DIAGNOSIS)}, "messages": {"double-other": MESSAGE}}
    shown = soup(graded(tiny, scores=FAILED), found)
    assert shown.find(class_="diagnosis").get_text(" ", strip=True).endswith("You lose the sign .")
    assert shown.find(class_="diagnosis").code.text == "sign"
    # An instructor gave the points back by hand: then there is no mistake to speak of.
    assert soup(graded(tiny), found).find(class_="diagnosis") is None


def test_comments_of_an_instructor_are_shown(tiny):
    shown = soup(graded(tiny, comments={"reason": "Why *two*?", "double": "Neat."}), {})
    assert [one.get_text(" ", strip=True) for one in shown.select(".task .comment")] == [
        "Your instructor writes Neat.",
        "Your instructor writes Why two ?",
    ]


def test_an_answer_that_nobody_has_read_costs_nothing_yet(tiny):
    shown = soup(graded(tiny, scores={"reason": 0}, waiting={"reason"}), {})
    assert shown.find(class_="score").text == "2.5 of 4.5 points so far"
    assert "not read your answer reason yet" in shown.header.text
    assert rows(shown)[2] == ["Say why", "0", "2", "waits for a reader"]
    assert shown.find(id="look") is None


@pytest.mark.parametrize(("penalty", "score"), [(0.5, "4"), (4.5, "0"), (6.0, "0")])
def test_a_late_notebook_says_what_that_costs(tiny, penalty, score):
    shown = soup(graded(tiny), {}, late_penalty=penalty)
    assert shown.find(class_="score").strong.text == score
    assert f"You reached 4.5 points. The notebook was handed in late, which costs {penalty:g}." in shown.header.text


def test_limits_and_notes_are_told(tiny):
    found = {"limits": {"double": "This cell took longer than 60 seconds."}, "notes": ["A cell was put back: setup."]}
    notebook = graded(tiny)
    add_outputs(
        notebook, "double", {"output_type": "error", "ename": "Stopped", "evalue": "x", "traceback": ["Stopped: x"]}
    )
    shown = soup(notebook, found)
    assert "At double: This cell took longer than 60 seconds. What comes after it was not run." in shown.header.text
    assert shown.find(id="double").find(class_="message").text == "This cell took longer than 60 seconds."
    assert "Stopped" not in shown.text
    assert "A cell was put back: setup." in shown.find(attrs={"aria-labelledby": "read"}).text


def test_hidden_tests_are_nowhere(tiny):
    notebook = graded(tiny, scores={"double-small": 0, "double-other": 0})
    traceback = {"output_type": "error", "ename": "NameError", "evalue": "probe", "traceback": ["unseen = -1234"]}
    for name in ("double-small", "double-other"):
        add_outputs(notebook, name, traceback)
    for found in (None, {}, {"messages": {"double-other": MESSAGE}}):
        text = page(notebook, found)
        assert [word for word in ("unseen", "-1234", "HIDDEN", "draw", "Rubric") if word in text] == []
    assert "NameError: probe" in text


def test_a_traceback_of_other_cells_is_shown_without_its_colors(tiny):
    notebook = graded(tiny)
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mline 1\x1b[39m", "E: v"]}
    add_outputs(notebook, "double", error)
    assert soup(notebook).find(id="double").find(class_="error").text == "line 1\nE: v"


def test_outputs_are_shown_in_the_best_kind_that_does_nothing(tiny):
    notebook = graded(tiny)
    pixel = base64.b64encode(b"picture").decode()
    add_outputs(
        notebook,
        FREE,
        {"output_type": "stream", "name": "stdout", "text": "10%\r50%\r100%\nab"},
        {"output_type": "stream", "name": "stdout", "text": "cd\n"},
        {"output_type": "stream", "name": "stderr", "text": "careful"},
        {"image/png": pixel, "text/plain": "<Figure>"},
        {"text/html": "<style>x</style><table><tr><td>1</td></tr></table>", "text/plain": "df"},
        {"text/html": "<div></div><script>plot()</script>", "text/plain": "a plot"},
        {"text/latex": "$x$", "text/plain": "x"},
        {"text/markdown": "*hi*"},
        {"application/vnd.jupyter.widget-view+json": "{}", "text/plain": "IntSlider()"},
        {"application/javascript": "bad()"},
    )
    shown = soup(notebook)
    (own,) = [cell for cell in shown.find_all(class_="cell") if "print(double(4))" in cell.text]
    outputs = own.find_all(recursive=False)[1:]
    assert [one.get_text() for one in outputs] == [
        *("100%\nabcd", "careful", "", "1", "a plot", "x", "hi\n", "IntSlider()"),
        "An output of a kind that is not shown here (application/javascript).",
    ]
    assert outputs[1]["class"] == ["error"]
    assert outputs[2]["src"] == f"data:image/png;base64,{pixel}"
    assert outputs[2]["alt"] == "Output: <Figure>"
    assert outputs[3].table is not None
    assert outputs[5].math is not None
    assert outputs[6].em.text == "hi"


def test_a_very_long_output_is_cut_in_the_middle(tiny):
    notebook = graded(tiny)
    add_outputs(notebook, FREE, {"output_type": "stream", "name": "stdout", "text": "a" * 15_000 + "b" * 15_000})
    (text,) = [pre.text for pre in soup(notebook).find_all("pre", class_="text")]
    assert text == "a" * 10_000 + "\n\n... 10,000 characters are left out here ...\n\n" + "b" * 10_000


def test_much_html_is_shown_as_it_stands(tiny):
    notebook = graded(tiny)
    add_outputs(notebook, FREE, *[{"text/html": f"<b>{'x' * 40_000}</b>"}] * 20)
    shown = soup(notebook)
    assert 0 < len(shown.find_all("b")) < 20
    assert len(shown.find_all("pre", string=lambda text: text and text.startswith("<b>"))) == 20 - len(
        shown.find_all("b")
    )


def test_a_page_without_a_record_does_without(tiny):
    shown = soup(graded(tiny, scores=FAILED))
    assert shown.find(class_="score").text == "3 of 4.5 points"
    assert shown.find(class_="diagnosis") is None


def test_what_could_not_be_graded_says_why_and_what_to_do(tiny):
    shown = soup(graded(tiny), {"problem": "The file <is> cut off."})
    assert shown.h1.text == "Your notebook could not be graded"
    assert shown.find(class_="message").text == "The file <is> cut off."
    assert "0 of 4.5 points" in shown.text
    assert "What to do" in shown.text
    assert feedback_page.unreadable("01_tiny", "tiny", "why", 4.5).count("0 of 4.5 points") == 1


def test_the_page_can_be_found_one_s_way_in(tiny):
    found = {"messages": {"double-other": MESSAGE}, "notes": ["note"], "limits": {"double": "limit"}}
    shown = soup(graded(tiny, scores=FAILED, comments={"reason": "c"}), found)
    assert shown.html["lang"] == "en"
    own = [heading for heading in shown.select("h1, h2, h3, h4, h5, h6") if heading.find_parent(class_="cell") is None]
    levels = [int(heading.name[1]) for heading in own]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [element["id"] for element in shown.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in shown.find_all("a", href=True)} <= set(ids)
    for section in shown.find_all("section"):
        assert section["aria-labelledby"] in ids
    for table in shown.find_all("table"):
        assert all(cell.has_attr("scope") for cell in table.find_all("th"))


def test_the_page_allows_its_own_style_and_nothing_else(tiny):
    shown = soup(graded(tiny), {})
    (policy,) = [meta["content"] for meta in shown.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})]
    digest = base64.b64encode(hashlib.sha256(shown.style.string.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';")
    assert shown.find(["script", "link", "iframe", "object", "embed", "form", "base"]) is None
    assert "://" not in page(graded(tiny))
