"""A course with the tiny assignment, people who submit, and what came of it."""

import sqlite3
import subprocess
import sys

from autograder import bank, grades, grading, notebooks, paths
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.record import Record

RIGHT = "def double(x):\n    return x + x"
SQUARE = "def double(x):\n    return x * x"
ABSOLUTE = "def double(x):\n    return 2 * abs(x)"
QUIETLY = grading.Options(workers=1, progress=False)
AGAIN = grading.Options(workers=1, progress=False, again=True)


def open_course(root, tiny, settings=None):
    """A course in the folder ``root`` in which the assignment at ``tiny`` was generated."""
    course = Course(root, settings)
    course.add_source(tiny)
    course.generate_assignment("01_tiny")
    return course


def submit(course, **answers):
    """Hand in a notebook for each student: the text of the solution cell, or a dictionary for several cells."""
    released = notebooks.from_bytes(course.notebook("release", "01_tiny", "tiny").read_bytes())
    for student, answer in answers.items():
        filled = bank.fill_in(released, answer if isinstance(answer, dict) else {"double": answer})
        paths.write(course.notebook("submitted", "01_tiny", "tiny", student), notebooks.to_text(filled))


def folder_of(course, student):
    return course.notebook("submitted", "01_tiny", "tiny", student).parent


def scores(course):
    return {grade.student: grade.score for grade in grades.of(course, "01_tiny")}


def statuses(course):
    return {grade.student: grade.status for grade in grades.of(course, "01_tiny")}


def record_of(course, student):
    return Record.read(Assignment(course.root, "01_tiny", "tiny").place("records", student))


def is_sound(course):
    """Whether SQLite finds nothing wrong with the gradebook."""
    with sqlite3.connect(course.root / "gradebook.db") as connection:
        found = connection.execute("pragma integrity_check").fetchall()
    connection.close()
    return found == [("ok",)]


def mark(course, student, **values):
    """What a person does in formgrader: a mark, a comment, extra credit."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("reason", "tiny", "01_tiny", student)
        for name, value in values.items():
            setattr(grade, name, value)
        grade.needs_manual_grade = False
        gradebook.find_comment("reason", "tiny", "01_tiny", student).manual_comment = f"Read, {student}."
        gradebook.db.commit()


def marked(course, student):
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("reason", "tiny", "01_tiny", student)
        comment = gradebook.find_comment("reason", "tiny", "01_tiny", student).manual_comment
        return grade.manual_score, grade.extra_credit, grade.needs_manual_grade, comment


def start(course, *more):
    """Start the command in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "autograder",
        "grade",
        "01_tiny",
        "--course",
        str(course.root),
        "--workers",
        "1",
        *more,
    ]
    return subprocess.Popen(command, cwd=paths.REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
