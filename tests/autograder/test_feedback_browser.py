"""Hostile notebooks in pages that a real browser opens: nothing of them runs, and nothing is asked of any server."""

import re
from itertools import chain

import hostile
import pytest
from browser import needs_browser, opened
from feedback_notebook import graded, page
from hostile import BAIT, TAKES_OVER, TRICKS, payloads
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograder.formgrader_view import SafeView

pytestmark = [pytest.mark.slow, needs_browser]


def hostile_page(path, server):
    """A feedback page of a hostile notebook, where all that grading found out about it is hostile too."""
    texts = payloads(TRICKS | TAKES_OVER, server)
    everything = "\n\n".join(texts.values())
    found = {
        "messages": {"double-other": everything},
        "diagnoses": {"double": ("name", everything)},
        "limits": {"double": everything},
        "notes": list(texts.values()),
    }
    return page(hostile.notebook(path, server), found, student=texts["script"])


def formgrader_page(path, server, preprocessors):
    """A hostile notebook as formgrader shows it, made as its ``SubmissionHandler`` does."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    config.HTMLExporter.preprocessors = preprocessors
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name", "first_name")
    resources = {**dict.fromkeys((*names, "notebook_path"), ""), "index": 0, "total": 1}
    notebook = hostile.notebook(path, server)
    if not preprocessors:
        # Of what is not in the form that it has for widgets, nbconvert makes no page at all; of what it does not know, it warns.
        for output in chain.from_iterable(cell.get("outputs", []) for cell in notebook.cells):
            data = output.setdefault("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
            data.setdefault("text/plain", "")
    return HTMLExporter(config=config).from_notebook_node(notebook, resources=resources)[0]


def title(seen):
    return re.search(r"<title>(.*?)</title>", seen.dom, re.DOTALL)[1]


def test_the_tricks_work_where_nothing_is_done_against_them(tmp_path):
    """Without this, a page on which nothing happens would prove nothing."""

    def bait(server):
        body = "".join(payloads({name: TRICKS[name] for name in TRICKS if name != "noscript"}, server).values())
        return f"<!DOCTYPE html><title>calm</title><body>{body}"

    seen = opened(bait, tmp_path)
    assert title(seen) == "ran"
    assert {path[1:] for path in seen.asked} >= BAIT
    assert "/refresh" in opened(lambda server: payloads(TAKES_OVER, server)["refresh"], tmp_path).asked


def test_nothing_of_a_hostile_notebook_runs(tiny, tmp_path):
    seen = opened(lambda server: hostile_page(tiny, server), tmp_path)
    assert seen.asked == set()
    assert title(seen) == "tiny: 3 of 4.5 points"
    assert "Your notebook</h2>" in seen.dom


def test_the_page_s_policy_stops_what_the_cleaning_would_have_let_through(tiny, tmp_path):
    def uncleaned(server):
        return page(graded(tiny), {}).replace("</main>", "".join(payloads(TRICKS, server).values()) + "</main>")

    seen = opened(uncleaned, tmp_path)
    assert seen.asked == set()
    assert title(seen) == "tiny: 4.5 of 4.5 points"


def test_what_could_not_be_graded_runs_nothing_either(tiny, tmp_path):
    def unreadable(server):
        return page(graded(tiny), {"problem": "".join(payloads(TRICKS | TAKES_OVER, server).values())})

    seen = opened(unreadable, tmp_path)
    assert seen.asked == set()
    assert title(seen) == "tiny: not graded"


def test_nothing_of_a_hostile_notebook_runs_in_formgrader(tiny, tmp_path):
    tricks = set(TRICKS) | set(TAKES_OVER) | {"onerror-image", "base/relative.png"}
    unprotected = opened(lambda server: formgrader_page(tiny, server, []), tmp_path)
    assert len({path[1:] for path in unprotected.asked} & tricks) > 5
    protected = opened(lambda server: formgrader_page(tiny, server, [SafeView]), tmp_path)
    assert {path[1:] for path in protected.asked} & tricks == set()
    assert "ran" not in re.findall(r"<title>(.*?)</title>", protected.dom, re.DOTALL)
    assert "Say why" in protected.dom
