import csv

from autograder import grades

GRADES = [
    grades.Grade("b, the second", "01_tiny", 2.5, 4.5, {"double": 2.5, "reason": 0.0}, "needs a human: reason"),
    grades.Grade("a", "01_tiny", 4.5, 4.5, {"double": 2.5, "reason": 2.0}, "graded"),
]


def test_the_csv_file_has_a_row_for_each_student_and_a_column_for_each_task():
    rows = list(csv.DictReader(grades.to_csv(grades.rows(GRADES)).splitlines()))
    assert rows[0] == {
        "student": "b, the second",
        "assignment": "01_tiny",
        "score": "2.5",
        "max_score": "4.5",
        "double": "2.5",
        "reason": "0",
        "status": "needs a human: reason",
    }
    assert [row["student"] for row in rows] == ["b, the second", "a"]


def test_the_table_aligns_numbers_to_the_right():
    assert grades.to_text([["name", "points"], ["a", "12.5"], ["bcdef", "3"]]) == (
        "name   points\na        12.5\nbcdef       3"
    )


def test_no_grades_make_no_rows():
    assert grades.rows([]) == []


def test_a_penalty_has_a_column_if_anybody_was_late():
    late = grades.Grade("c", "01_tiny", 3.0, 4.5, {"double": 2.5, "reason": 2.0}, "graded", penalty=1.5)
    rows = list(csv.DictReader(grades.to_csv(grades.rows([*GRADES, late])).splitlines()))
    assert [row["late_penalty"] for row in rows] == ["0", "0", "1.5"]
    assert [row["score"] for row in rows] == ["2.5", "4.5", "3"]
