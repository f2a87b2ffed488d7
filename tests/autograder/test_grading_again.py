"""What people have entered stays, and a grade is made anew only where something has changed."""

import pytest
from classroom import (
    ABSOLUTE,
    AGAIN,
    QUIETLY,
    RIGHT,
    SQUARE,
    folder_of,
    mark,
    marked,
    record_of,
    scores,
    statuses,
    submit,
)

from autograder import grading


@pytest.mark.slow
def test_marks_comments_and_extra_credit_of_a_person_stay(course, runs):
    submit(
        course, same={"double": RIGHT, "reason": "So."}, new={"double": RIGHT, "reason": "So."}, bad={"reason": "So."}
    )
    grading.grade(course, "01_tiny", QUIETLY)
    for student in ("same", "new", "bad"):
        mark(course, student, manual_score=1.5, extra_credit=0.5)
    grading.grade(course, "01_tiny", AGAIN)
    for student in ("same", "new", "bad"):
        assert marked(course, student) == (1.5, 0.5, False, f"Read, {student}.")
    # Whoever hands in another answer keeps the mark until a person has looked again.
    submit(course, new={"double": SQUARE, "reason": "Because."})
    course.notebook("submitted", "01_tiny", "tiny", "bad").write_text("{")
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.moved == {"new": (4.5, 2.0)}
    assert marked(course, "same") == (1.5, 0.5, False, "Read, same.")
    assert marked(course, "new") == (1.5, 0.5, True, "Read, new.")
    assert marked(course, "bad") == (1.5, 0.5, True, "Read, bad.")
    assert statuses(course)["bad"] == "needs a human: flagged"
    # The flag was for the file that could not be read.
    submit(course, bad={"reason": "So."})
    grading.grade(course, "01_tiny", QUIETLY)
    assert statuses(course) == {"same": "graded", "new": "needs a human: reason", "bad": "needs a human: reason"}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["SaveGrades", "AssignLatePenalties", "CheckCellMetadata"])
def test_an_answer_handed_in_anew_is_looked_at_even_if_the_grader_was_stopped_while_it_recorded(
    moment, course, runs, monkeypatch
):
    submit(course, new={"reason": "So."})
    grading.grade(course, "01_tiny", QUIETLY)
    mark(course, "new", manual_score=1)
    submit(course, new={"reason": "Because."})
    step = next(one for one in course.config.Autograde.autograde_preprocessors if one.__name__ == moment)

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step, "preprocess", stop)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, "01_tiny", QUIETLY)
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["new"]
    assert marked(course, "new") == (1, None, True, "Read, new.")


# ---- a grade that is made anew ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_only_what_has_changed_is_run_again(course, tiny, runs):
    submit(course, right=RIGHT, square=SQUARE, absolute=ABSOLUTE)
    grading.grade(course, "01_tiny", QUIETLY)
    runs.clear()
    text, bank = tiny.read_text(), tiny.with_name("bank.py").read_text()

    def change(source, wrong=bank):
        tiny.write_text(source)
        tiny.with_name("bank.py").write_text(wrong)
        course.add_source(tiny)
        course.generate_assignment("01_tiny")
        runs.clear()
        return grading.grade(course, "01_tiny", QUIETLY)

    # A message of the bank, and a CHECK line, which makes the sign count no more: nothing is run.
    summary = change(text, bank.replace("You lose the sign.", "Where is the sign?"))
    assert (sorted(summary.graded), summary.moved, runs) == (["absolute", "right", "square"], {}, [])
    assert record_of(course, "absolute").diagnoses["double"][1] == "Where is the sign?"
    check = "### CHECK negative: shape()\n### END HIDDEN TESTS\n\n# %% [markdown] task"
    shape = text.replace("### END HIDDEN TESTS\n\n# %% [markdown] task", check)
    assert shape != text
    summary = change(shape)
    assert (summary.moved, runs) == ({"absolute": (1.0, 2.5)}, [])
    # A hidden test: everything is run.
    summary = change(text.replace("unseen = -1234", "unseen = 2"))
    assert summary.moved == {}
    assert sorted(name for name in runs if name in scores(course)) == ["absolute", "right", "square"]
    # One that is handed in anew: this one is run.
    runs.clear()
    submit(course, square=RIGHT)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert (summary.graded, summary.moved, runs) == (["square"], {"square": (0.0, 2.5)}, ["square"])
    # One with another written answer: nothing is run, and the answer is there to be read.
    submit(course, square={"double": RIGHT, "reason": "It is so."})
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["square"]
    assert "It is so." in course.notebook("autograded", "01_tiny", "tiny", "square").read_text()
    # Nothing.
    assert grading.grade(course, "01_tiny", QUIETLY).graded == []
    assert runs == ["square"]


@pytest.mark.slow
def test_a_time_that_was_put_right_is_recorded(course, runs):
    submit(course, one=RIGHT)
    grading.grade(course, "01_tiny", QUIETLY)
    (folder_of(course, "one") / "timestamp.txt").write_text("2031-02-01 12:00:00 UTC\n")
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["one"]
    with course.gradebook() as gradebook:
        assert str(gradebook.find_submission("01_tiny", "one").timestamp) == "2031-02-01 12:00:00"
    assert grading.grade(course, "01_tiny", QUIETLY).graded == []
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("01_tiny", duedate="2031-01-01 12:00:00 UTC")
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["one"]


@pytest.mark.slow
def test_grades_that_moved_before_a_run_was_stopped_are_reported_by_the_next(course, runs, monkeypatch):
    submit(course, a=SQUARE, b=SQUARE, c=SQUARE)
    grading.grade(course, "01_tiny", QUIETLY)
    submit(course, a=RIGHT, b=RIGHT, c=RIGHT)
    count = grading._count

    def stop(summary, record, seconds):
        count(summary, record, seconds)
        if record.student == "b":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(grading, "_count", stop)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, "01_tiny", QUIETLY)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.graded == ["c"]
    assert summary.moved == dict.fromkeys("abc", (0.0, 2.5))
    assert grading.grade(course, "01_tiny", QUIETLY).moved == {}
