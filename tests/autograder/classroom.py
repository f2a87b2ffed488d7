"""A course with the tiny assignment, and people who submit."""

from autograder import bank, notebooks, paths
from autograder.course import Course

RIGHT = "def double(x):\n    return x + x"
SQUARE = "def double(x):\n    return x * x"
ABSOLUTE = "def double(x):\n    return 2 * abs(x)"


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
