"""The boxes with results on real data of full size: what the tables say, on the site and in notebooks."""

import json

import pytest
from book_pages import CHAPTERS

RESULT = {
    "machine": "a machine",
    "examples": {"mnist": {"train": 7200, "test": 2000}, "ecg5000": {"train": 199, "test": 58}},
    "table": {
        "codes": [
            {"data": "mnist", "method": "pca", "latent_dim": 2, "mse": {"mean": 0.05712, "std": 0.0, "seeds": 3}}
            | {"knn": {"mean": 0.4567, "std": 0.0123, "seeds": 3}},
            {
                "data": "mnist",
                "method": "undercomplete",
                "latent_dim": 8,
                "mse": {"mean": 0.0087, "std": 0.0004, "seeds": 3},
            }
            | {"knn": {"mean": 0.9, "std": None, "seeds": 1}},
        ],
        "beats": [
            {
                "data": "ecg5000",
                "method": "isolation_forest",
                "latent_dim": None,
                "auroc": {"mean": 0.8, "std": 0.02, "seeds": 9},
            }
        ],
    },
}
CODES = """\
| method | code | 1000 MSE | 5 nearest neighbors (%) |
| :-- | :-- | --: | --: |
| PCA | 2 | 57.1 | 45.7\u202f±\u202f1.2 |
| undercomplete | 8 | 8.70\u202f±\u202f0.40 | 90.0 |"""
BEATS = """\
| AUROC (%) |
| --: |
| 80.0\u202f±\u202f2.0 |"""


@pytest.fixture
def boxes(script, monkeypatch, tmp_path):
    """The module, with a result of its own."""
    module = script("at_scale_box")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "at_scale.json")
    module.RESULTS.write_text(json.dumps(RESULT))
    return module


def test_a_table_has_a_row_for_each_model_and_hides_what_is_always_the_same(boxes):
    assert boxes.table(RESULT, "codes") == CODES
    assert boxes.table(RESULT, "beats") == BEATS


def test_columns_can_be_chosen(boxes):
    first = boxes.table(RESULT, "codes", ["knn"]).splitlines()
    assert first[0] == "| method | code | 5 nearest neighbors (%) |"
    assert first[2] == "| PCA | 2 | 45.7\u202f±\u202f1.2 |"
    with pytest.raises(KeyError):
        boxes.table(RESULT, "codes", ["auroc"])


def test_a_box_says_what_is_behind_its_numbers(boxes):
    prose, table, note = boxes.text("codes", "A finding.", "mse").split("\n\n")
    assert prose == "A finding."
    assert table.startswith("| method | code | 1000 MSE |\n")
    assert note == (
        "*MNIST: 7,200 to train on, 2,000 to test on. Mean ± standard deviation over 3 seeds. "
        "`make at-scale` makes this table (a machine).*"
    )
    assert boxes.title("beats") == "At scale: ECG5000"


def test_a_notebook_has_the_box_too(boxes, script):
    plain = script("plain_markdown")
    page = plain.Page("page.md", {}, {"doc": str.upper}, str, {}.__getitem__)
    found = plain.to_markdown("```{at-scale} codes\n:columns: knn\nSee {doc}`other`.\n```", page)
    assert found.startswith("> **At scale: MNIST**\n>\n> See OTHER.\n>\n> | method | code | 5 nearest")
    with pytest.raises(plain.MystError, match=r"page\.md:1: \{at-scale\} none: there is no 'none'"):
        plain.to_markdown("```{at-scale} none\nText.\n```", page)


def test_the_built_book_shows_all_three_data_sets(site):
    found = [box for soup in site.values() for box in soup.select(".admonition.at-scale")]
    assert len(found) == sum(page.read_text().count("```{at-scale}") for page in CHAPTERS)
    shown = " ".join(box.text for box in found)
    for data in ("MNIST", "Fashion-MNIST", "ECG5000"):
        assert f"{data}: " in shown
    for box in found:
        assert box.select("table tbody tr")
        assert "make at-scale" in box.text
