"""Files for Canvas and Moodle: one column filled in, nothing else touched, and a clear word about what does not fit."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import export
from autograder.course import Course
from autograder.export_rows import points
from autograder.export_tables import BOM, ExportError, Table
from autograder.grades import Grade


def grade(student, score=3.0, status="graded", penalty=0.0):
    return Grade(student, "01_tiny", score, 4.5, {"double": 1.0, "reason": 2.0}, status, penalty)


ADA, BEN = grade("ada", 4.5), grade("ben", 1 / 3, penalty=0.5)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Warm-up (7),01_tiny (8),Final Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,10,4.50,(read only)\r\n"
    '"Lovelace, Ada",101,u1,ada,A and B,"likes ""proofs""",9,,88\r\n'
    "Ben,102,u2,ben@uni.example,A,,N/A,2,77\r\n"
    "Cyd,103,u3,cyd,A,,5,1,66\r\n"
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),"
    "Last modified (grade),Feedback comments\n"
    'Participant 11,Ada Lovelace,ada@uni.example,Submitted,,4.50,Yes,"Monday, 2 March 2026, 9:00 AM",-,\n'
    "Participant 12,Ben,ben@uni.example,Submitted,1.00,4.50,Yes,-,-,Well done\n"
    "Participant 13,Cyd,cyd@uni.example,No submission,,4.50,Yes,-,-,\n"
)


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text.removeprefix(BOM)), delimiter=delimiter))


def changes(before, after, delimiter=","):
    """Where two files differ: (row, column) -> the new cell."""
    old, new = cells(before, delimiter), cells(after, delimiter)
    assert [len(row) for row in old] == [len(row) for row in new]
    return {(i, j): cell for i, row in enumerate(new) for j, cell in enumerate(row) if cell != old[i][j]}


def test_canvas_gets_one_column_and_keeps_the_rest():
    done = export.canvas([ADA, BEN], CANVAS.encode())
    assert changes(CANVAS, done.text) == {(3, 7): "4.5", (4, 7): "0.33"}
    assert done.text.count("\r\n") == CANVAS.count("\r\n")
    assert done.warnings == ["1 in the file without a grade; their cells stay as they are"]


@pytest.mark.parametrize("column", ["01_tiny (8)", "01_TINY", "01_tiny"])
def test_an_assignment_of_canvas_is_found_by_its_title(column):
    assert (3, 7) in changes(CANVAS, export.canvas([ADA], CANVAS.encode(), column=column).text)


def test_an_assignment_of_another_name_can_be_chosen():
    assert changes(CANVAS, export.canvas([ADA], CANVAS.encode(), column="Warm-up").text) == {(3, 6): "4.5"}


@pytest.mark.parametrize(
    ("template", "column", "message"),
    [
        (CANVAS, "Essay", r"no assignment 'Essay'; expected one of 01_tiny \(8\), Warm-up \(7\)"),
        (CANVAS.replace("Warm-up (7)", "01_tiny (7)"), "", r"expected one of 01_tiny \(7\), 01_tiny \(8\)"),
        (CANVAS.replace("4.50", "(read only)"), "", "can only be read"),
        (CANVAS.replace("Section", "Group"), "", "choose Grades, Export"),
        (CANVAS.replace("cyd,A", "ada,A"), "", "more than one row for ada"),
        (
            CANVAS.replace(",ada,", ",eve,").replace("ben@", "fay@"),
            "",
            "no student with a grade is in the file: ada, ben",
        ),
        (CANVAS + "a,b,c,d,e,f,g,h,i,j\r\n", "", "row 7: has 10 cells; expected 9"),
        (CANVAS + 'a,"b\r\n', "", "is not a CSV file"),
        ("", "", "is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(template, column, message):
    with pytest.raises(ExportError, match=message):
        export.canvas([ADA, BEN], template.encode(), column=column)


def test_a_file_in_another_encoding_is_refused():
    with pytest.raises(ExportError, match="not text in UTF-8"):
        export.canvas([ADA], CANVAS.replace("Cyd", "C\u00fcd").encode("latin-1"))


@pytest.mark.parametrize("bom", [BOM, ""])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_form_of_a_file_stays(bom, newline, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(cells(CANVAS))
    template = bom + text.getvalue()
    done = export.canvas([ADA, BEN], template.encode()).text
    assert done.startswith(bom or "Student")
    assert done.count(newline) == done.count("\n") == 6
    assert changes(template, done, delimiter) == {(3, 7): "4.5", (4, 7): "0.33"}


def test_other_points_than_here_are_told():
    done = export.canvas([ADA], CANVAS.replace("4.50", "20").encode())
    assert "the most is 20 points in Canvas, and 4.5 here" in done.warnings
    done = export.moodle([ADA, BEN], MOODLE.replace("4.50", "100.00").encode())
    assert done.warnings.count("the most is 100.00 points in Moodle, and 4.5 here") == 1


@pytest.mark.parametrize("write", [export.canvas, export.moodle])
def test_grades_that_wait_for_a_person_are_left_out_unless_wanted(write):
    template = (CANVAS if write is export.canvas else MOODLE).encode()
    waiting = grade("cyd", 2.0, "needs a human: reason")
    done = write([ADA, waiting], template)
    assert "left out, because a person must still look at them: cyd" in done.warnings
    assert "2" not in [cell for (row, _), cell in changes(template.decode(), done.text).items() if row > 3]
    wanted = write([ADA, waiting], template, unfinished=True)
    assert "2" in changes(template.decode(), wanted.text).values()
    assert "cyd" not in write([ADA, waiting]).text
    assert "cyd" in write([ADA, waiting], unfinished=True).text


@pytest.mark.parametrize("write", [export.canvas, export.moodle])
def test_a_student_who_is_not_in_the_file_is_named(write):
    template = (CANVAS if write is export.canvas else MOODLE).encode()
    assert "have a grade and are not in the file: zoe" in write([ADA, grade("zoe")], template).warnings


@pytest.mark.parametrize("write", [export.canvas, export.moodle])
def test_grades_that_cannot_be_told_apart_are_refused(write):
    with pytest.raises(ExportError, match="two students have the id 'Ada'"):
        write([ADA, grade("Ada")])
    with pytest.raises(ExportError, match="no grades to export"):
        write([])
    with pytest.raises(ExportError, match="several assignments"):
        write([ADA, Grade("ben", "02_other", 1, 1, {}, "graded")])


def test_two_ids_of_one_row_are_refused():
    with pytest.raises(ExportError, match="the same row"):
        export.moodle([grade("ben"), grade("ben@uni.example")], MOODLE.encode())


def test_names_that_are_formulas_are_disarmed():
    template = CANVAS.replace("Cyd,", '"=cmd|x!A1",').replace("Ben,", '"=""=1+1""",')
    done = cells(export.canvas([ADA], template.encode()).text)
    assert [row[0] for row in done[4:]] == ['="=1+1"', "'=cmd|x!A1"]
    moodle = cells(export.moodle([ADA], MOODLE.replace("Ben", "@SUM(A1)").encode()).text)
    assert moodle[2][1] == "'@SUM(A1)"


@pytest.mark.parametrize("write", [export.canvas, export.moodle])
def test_ids_that_are_formulas_are_left_out(write):
    done = write([ADA, grade("=cmd|x!A1"), grade("-x")])
    assert done.warnings == ["left out, because a spreadsheet would take the id for a formula: -x, =cmd|x!A1"]
    assert "cmd" not in done.text


def test_canvas_without_a_file_gets_what_it_asks_for():
    done = export.canvas([ADA, BEN], column="Homework 1")
    assert cells(done.text) == [
        ["Student", "ID", "SIS Login ID", "Section", "Homework 1"],
        ["    Points Possible", "", "", "", "4.5"],
        ["ada", "", "ada", "", "4.5"],
        ["ben", "", "ben", "", "0.33"],
    ]


def test_moodle_gets_grades_and_keeps_what_instructors_wrote():
    done = export.moodle([ADA, BEN], MOODLE.encode())
    assert changes(MOODLE, done.text) == {(1, 4): "4.5", (1, 9): "double: 1; reason: 2", (2, 4): "0.33"}
    assert done.warnings == ["1 in the file without a grade; their cells stay as they are"]


def test_moodle_s_participants_can_be_the_ids():
    done = export.moodle([grade("11", 4.0), grade("13", 2.0)], MOODLE.encode())
    assert {where[0]: cell for where, cell in changes(MOODLE, done.text).items() if where[1] == 4} == {1: "4", 3: "2"}


def test_a_grade_that_moodle_has_locked_is_told():
    done = export.moodle([ADA], MOODLE.replace("4.50,Yes", "4.50,No", 1).encode())
    assert "ada: Moodle will not change this grade" in done.warnings


def test_a_file_that_is_no_worksheet_is_refused():
    with pytest.raises(ExportError, match=r"no column Identifier, Last modified \(grade\).*Download grading worksheet"):
        export.moodle([ADA], b"Username,Grade\nada,\n")


def test_moodle_without_a_file_gets_names_and_grades():
    assert cells(export.moodle([ADA, BEN]).text) == [
        ["username", "grade", "feedback"],
        ["ada", "4.5", "double: 1; reason: 2"],
        ["ben", "0.33", "double: 1; reason: 2; late: -0.5"],
    ]


@pytest.mark.parametrize(
    ("score", "text"), [(0, "0"), (10, "10"), (1 / 3, "0.33"), (2.5, "2.5"), (19.999, "20"), (1e6, "1000000")]
)
def test_points_have_a_point_and_no_more_than_two_decimals(score, text):
    assert points(score) == text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own, as autograder.course says
def test_the_grades_of_a_course_are_written_into_its_folder(tiny, tmp_path):
    course = Course(tmp_path / "course")
    course.add_source(tiny)
    course.generate_assignment("01_tiny")
    with course.gradebook() as gradebook:
        gradebook.add_student("ada")
        for mark in gradebook.add_submission("01_tiny", "ada").notebooks[0].grades:
            mark.auto_score, mark.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    template = tmp_path / "from_canvas.csv"
    template.write_bytes(CANVAS.encode())
    path, warnings = export.write(course, "01_tiny", "canvas", template)
    assert path == course.root / "exports" / "01_tiny-canvas.csv"
    assert changes(CANVAS, path.read_bytes().decode()) == {(3, 7): "3"}
    assert len(warnings) == 1
    assert template.read_bytes() == CANVAS.encode()
    path, _ = export.write(course, "01_tiny", "moodle")
    assert path.read_text().startswith("username,grade,feedback\nada,3,double: 2; reason: 1")
    with pytest.raises(ExportError, match="got the format 'blackboard'; expected one of canvas, moodle"):
        export.write(course, "01_tiny", "blackboard")
    with pytest.raises(ExportError, match=r"none\.csv: cannot be read"):
        export.write(course, "01_tiny", "moodle", tmp_path / "none.csv")
    with pytest.raises(ExportError, match="expected none for moodle"):
        export.write(course, "01_tiny", "moodle", column="Essay")


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)


@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), min_size=2, max_size=5)))
def test_a_table_that_is_read_and_written_is_the_same(rows):
    rows[0] = [f"column {i}" for i in range(len(rows[0]))]
    written = Table(rows[0], rows[1:]).write()
    again = Table.read(written.encode(), "a file")
    assert (again.header, again.rows) == (rows[0], rows[1:])
    assert again.write() == written
