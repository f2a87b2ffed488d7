"""A class of six, graded from end to end, to see and to prove that the grades are right."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from autograder import bank, grades, grading, notebooks, paths, probes, source, trial
from autograder.course import Course

ASSIGNMENT = paths.SOLUTIONS / "01_linear" / "linear.py"
# Two mistakes of the bank, (cell, name), that students make often.
MISTAKES = (("covariance", "n_minus_1"), ("fit", "smallest"))
MARKER = ".demo"
BLANK, PERFECT, BROKEN = "blank", "perfect", "broken"


class DemoError(RuntimeError):
    """The grades are not those that they should be; says which."""


@dataclass(frozen=True)
class Student:
    """One member of the class.

    Attributes:
        name: what the submission is like; it is the student's id too.
        answers: the name of a solution cell or written answer -> what the student wrote there.
        mark: the share of the points that an instructor gives the written answer.
        comment: what the instructor writes below it.
        cut_off: whether the upload stopped in the middle of the file.
    """

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    mark: float = 0.0
    comment: str = ""
    cut_off: bool = False


def students(notebook: NotebookNode, mistakes: list[bank.Answer]) -> list[Student]:
    """The class: perfect, blank, partly right, one for each mistake, and one whose upload was cut off."""
    model = bank.model_answers(notebook)
    code = [cell.id for cell in notebook.cells if source.kind_of(cell) == "solution"]
    half = {name: model[name] for name in code[: len(code) // 2]}
    written = {name: "The weights are not unique." for name in model if name not in code}
    return [
        Student(PERFECT, model, 1.0, "Complete and correct."),
        Student(BLANK),
        Student(
            "partly_right", half | written, 1 / 3, "True, and why? Write down what an invertible T does to the loss."
        ),
        *(
            Student(
                f"mistake_{answer.name}", model | {answer.cell: answer.code}, 2 / 3, "Good. Part 3 lacks the reason."
            )
            for answer in mistakes
        ),
        Student(BROKEN, model, cut_off=True),
    ]


def run(root: Path) -> list[grades.Grade]:
    """Make the class, submit, grade, give feedback and write ``grades.csv``, all anew in the folder ``root``.

    Raises:
        DemoError: if a grade is not what it should be, or ``root`` holds something that no demo made.
    """
    _make_empty(root)
    course = Course(root)
    notebook = course.add_source(ASSIGNMENT)
    assignment, name = ASSIGNMENT.parent.name, ASSIGNMENT.stem
    course.generate_assignment(assignment)
    released = notebooks.from_bytes(course.notebook("release", assignment, name).read_bytes())

    wrong = {(answer.cell, answer.name): answer for answer in bank.read(ASSIGNMENT.with_name(paths.BANK))}
    people = students(notebook, [wrong[key] for key in MISTAKES])
    for student in people:
        text = notebooks.to_text(bank.fill_in(released, student.answers))
        submission = course.notebook("submitted", assignment, name, student.name)
        paths.write(submission, text[: len(text) // 2] if student.cut_off else text)

    grading.grade(course, assignment, grading.Options(progress=False))
    for student in people:
        if student.mark:
            _grade_by_hand(course, notebook, student)
    course.generate_feedback(assignment)
    with course.gradebook() as gradebook:
        result = grades.collect(gradebook, assignment, source.tasks(notebook))
    paths.write(root / "grades.csv", grades.to_csv(grades.rows(result)))
    check(notebook, people, result)
    return result


def _make_empty(root: Path) -> None:
    if root.exists() and any(root.iterdir()) and not (root / MARKER).exists():
        raise DemoError(f"{root}: this folder is not empty and was not made by the demo; name another one")
    shutil.rmtree(root, ignore_errors=True)
    paths.write(root / MARKER, "Made by `python -m autograder demo`, which deletes this folder and makes it anew.\n")


def _grade_by_hand(course: Course, notebook: NotebookNode, student: Student) -> None:
    """Give the written answers a mark and a comment, as an instructor does in formgrader."""
    worth = source.points(notebook)
    with course.gradebook() as gradebook:
        for cell in notebook.cells:
            if source.kind_of(cell) == "answer":
                key = (cell.id, ASSIGNMENT.stem, ASSIGNMENT.parent.name, student.name)
                grade = gradebook.find_grade(*key)
                grade.manual_score = round(student.mark * worth[cell.id], 2)
                grade.needs_manual_grade = False
                gradebook.find_comment(*key).manual_comment = student.comment
        gradebook.db.commit()


def expected(notebook: NotebookNode, student: Student) -> dict[str, float]:
    """Task -> the points that a student should get, found without nbgrader: by running the cells in this process."""
    worth, graded = source.points(notebook), source.tasks(notebook)
    if student.cut_off or not student.answers:
        return dict.fromkeys(graded, 0.0)
    stubs = dict.fromkeys(bank.model_answers(notebook), "raise NotImplementedError")
    filled = bank.fill_in(notebook, stubs | dict(student.answers))
    tests = probes.read(notebook)
    marks = trial.scores(notebook, tests, trial.run(filled, tests), trial.run(notebook, tests))
    by_hand = {
        cell.id: round(student.mark * worth[cell.id], 2) for cell in notebook.cells if source.kind_of(cell) == "answer"
    }
    return {task: sum((marks | by_hand)[name] for name in names) for task, names in graded.items()}


def check(notebook: NotebookNode, people: list[Student], result: list[grades.Grade]) -> None:
    """Compare every grade with the expected one, and what nobody may ever get wrong with the numbers themselves."""
    full = sum(source.points(notebook).values())
    by_student = {grade.student: grade for grade in result}
    wrong = []
    for student in people:
        grade, marks = by_student.get(student.name), expected(notebook, student)
        if grade is None:
            wrong.append(f"{student.name}: has no grade")
            continue
        for task, mark in marks.items():
            if grade.tasks[task] != mark:
                wrong.append(f"{student.name}, {task}: got {grade.tasks[task]:g}; expected {mark:g}")
        total = {PERFECT: full, BLANK: 0.0, BROKEN: 0.0}.get(student.name, sum(marks.values()))
        if (grade.score, grade.max_score) != (total, full):
            wrong.append(f"{student.name}: got {grade.score:g}/{grade.max_score:g}; expected {total:g}/{full:g}")
        if grade.status.startswith("needs a human") != student.cut_off:
            wrong.append(f"{student.name}: got the status {grade.status!r}")
    if wrong:
        raise DemoError("the grades are wrong:\n  " + "\n  ".join(wrong))
