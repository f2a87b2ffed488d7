"""Quizzes are complete and fair."""

import json
import re

import pytest
from book_pages import PAGES, ROOT
from jupyterquiz import display_quiz

QUIZZES = sorted((ROOT / "book/_quizzes").glob("*.json"))
QUESTIONS = [
    pytest.param(question, id=f"{quiz.stem}-{number}")
    for quiz in QUIZZES
    for number, question in enumerate(json.loads(quiz.read_text(encoding="utf-8")), start=1)
]


def test_quizzes_and_the_pages_that_show_them_match():
    shown = [name for page in PAGES for name in re.findall(r"\{quiz\} (\S+)", page.read_text())]
    assert sorted(shown) == [quiz.stem for quiz in QUIZZES]


@pytest.mark.parametrize("quiz", QUIZZES, ids=lambda quiz: quiz.stem)
def test_quiz_has_at_least_four_questions_and_no_favorite_place_for_the_answer(quiz):
    questions = json.loads(quiz.read_text(encoding="utf-8"))
    places = [[answer["correct"] for answer in question["answers"]].index(True) for question in questions]
    assert len(questions) >= 4
    assert len(set(places)) >= 3


@pytest.mark.parametrize("question", QUESTIONS)
def test_question_has_one_right_answer_and_feedback_for_every_option(question):
    assert set(question) == {"question", "type", "answers"}
    assert question["type"] == "multiple_choice"
    answers = question["answers"]
    assert len(answers) >= 3
    assert [answer["correct"] for answer in answers].count(True) == 1
    for answer in answers:
        assert set(answer) == {"answer", "correct", "feedback"}
        assert answer["answer"].strip()
        assert len(answer["feedback"].split()) >= 8
    assert len({answer["answer"] for answer in answers}) == len(answers)
    assert len({answer["feedback"] for answer in answers}) == len(answers)


@pytest.mark.parametrize("question", QUESTIONS)
def test_length_does_not_give_the_answer_away(question):
    right = [len(answer["answer"]) for answer in question["answers"] if answer["correct"]]
    wrong = [len(answer["answer"]) for answer in question["answers"] if not answer["correct"]]
    assert min(wrong) / 1.6 <= right[0] <= 1.6 * max(wrong)


@pytest.mark.parametrize("quiz", QUIZZES, ids=lambda quiz: quiz.stem)
def test_jupyterquiz_accepts_the_file_too(quiz, capsys):
    """The same file works in a notebook: ``display_quiz("book/_quizzes/NAME.json")``."""
    display_quiz(str(quiz))
    assert "HTML object" in capsys.readouterr().out
