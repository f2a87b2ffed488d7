"""The report on an assignment: what it finds, how it counts, and that it is a page that does nothing."""

import pytest
from bs4 import BeautifulSoup

from autograder import report, report_facts
from autograder.assignment import AssignmentError
from autograder.course import Course
from autograder.grades import Grade
from autograder.record import Record
from autograder.report_statistics import items

TASKS = {"double": ["double-small", "double-other"], "reason": ["reason"]}
WORTH = {"double-small": 1.0, "double-other": 1.5, "reason": 2.0}
SIGN, SQUARE = ("absolute", "You lose the sign."), ("square", "You multiply it by itself.")
RECORDS = [
    Record("ada", seconds={"start": 1.0, "execution": 4.0}, memory=200 * 2**20),
    Record("ben", diagnoses={"double": SIGN}, messages={"double-other": "differs"}, seconds={"start": 2.0}),
    Record("cyd", diagnoses={"double": SIGN}, messages={"double-other": "differs"}, limits={"double": "Too long."}),
    Record("dan", diagnoses={"double": SQUARE}, messages={"double-small": "is 9"}),
    Record("eve", messages={"double-small": "is 7", "double-other": "is <b>"}),
    Record("fay", messages={"double-small": "is 7", "double-other": "is <b>"}, seconds={"start": 9.0}),
    Record("gus", messages={"double-small": "On other inputs, your code raised NotImplementedError."}),
    Record("hal", problem="The file is empty."),
    Record("ivy", sandboxed=False),
]


def grade(student, score=4.5, status="graded", penalty=0.0):
    return Grade(student, "01_tiny", score, 4.5, {"double": 2.5, "reason": 2.0}, status, penalty)


GRADES = [
    *(grade(record.student) for record in RECORDS[:7]),
    grade("hal", 0, "needs a human: flagged"),
    grade("ivy", 1, "needs a human: flagged", penalty=1.5),
    grade("jon", 2.5, "needs a human: reason"),
]
POINTS = [{"double-small": 1, "double-other": i % 2, "reason": 2 * (i % 2)} for i in range(10)]


def shown(grades=GRADES, points=POINTS, records=RECORDS):
    return BeautifulSoup(report.page("01_tiny", grades, items(points, WORTH), TASKS, records), "html.parser")


def rows(page, section):
    table = page.find(attrs={"aria-labelledby": section})
    return [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")
    ]


def test_mistakes_are_counted_with_the_most_frequent_first():
    assert rows(shown(), "mistakes") == [
        ["double", "2", "You lose the sign.", "ben, cyd"],
        ["double", "1", "You multiply it by itself.", "dan"],
    ]


def test_failures_that_nobody_has_explained_are_put_together_and_untouched_stubs_left_out():
    assert rows(shown(), "unexplained") == [["double", "2", "double-small: is 7 double-other: is <b>", "eve, fay"]]


def test_who_needs_a_human_and_why():
    assert rows(shown(), "humans") == [
        ["could not be graded: The file is empty.", "1", "hal"],
        ["no sandbox: It was run without a sandbox, so its marks cannot be trusted.", "1", "ivy"],
        ["reason", "1", "jon"],
    ]


def test_limits_and_times():
    page = shown()
    assert rows(page, "limits") == [["double", "1", "Too long.", "cyd"]]
    assert rows(page, "spans") == [
        ["start, seconds", "2", "9", "fay"],
        ["execution, seconds", "4", "4", "ada"],
        ["memory, MiB", "200", "200", "ada"],
    ]


def test_scores_are_counted_and_the_late_are_named():
    page = shown()
    assert page.header.find(class_="score").text == "10 submissions, mean 3.5, median 4.5 of 4.5 points"
    section = page.find(attrs={"aria-labelledby": "scores"})
    assert "1, 0, 1, 0, 0, 1, 0, 0, 0, 7 submissions" in section.svg["aria-label"]
    assert len(section.svg.find_all("rect")) == 10
    assert "1 was late: ivy (\u22121.5)." in section.text


def test_tests_have_their_difficulty_and_their_correlation():
    page = shown()
    assert rows(page, "tests") == [
        ["double-small", "1", "100 %", "", "all alike"],
        ["double-other", "1.5", "33 %", "", "1.00"],
        ["reason", "2", "50 %", "", "1.00"],
    ]
    assert [row[-1] for row in rows(shown(points=POINTS[:9]), "tests")] == ["too few"] * 3
    assert [row[2] for row in rows(shown(points=[]), "tests")] == ["not yet"] * 3


def test_a_test_that_the_strong_fail_stands_out():
    points = [{"double-small": i % 2, "double-other": 1.5 * (1 - i % 2), "reason": 0} for i in range(10)]
    page = shown(points=points)
    assert rows(page, "tests")[0][-1] == "\u22121.00"
    assert len(page.find(attrs={"aria-labelledby": "tests"}).find_all(class_="bad")) == 2


def test_of_many_students_a_few_are_named():
    records = [Record(f"s{i}", diagnoses={"double": SIGN}) for i in range(8)]
    assert rows(shown(records=records), "mistakes")[0][-1] == "s0, s1, s2, s3, s4 and 3 more"
    assert len(report_facts.mistakes(records)[0].students) == 8


def test_a_class_without_submissions_has_a_page_too():
    page = shown([], [], [])
    assert "There is no submission yet." in page.text
    assert page.find("section") is None


def test_the_page_does_nothing_and_shows_names_as_they_are():
    name = "<script>bad()</script>"
    page = shown([grade(name, status="needs a human: reason")], POINTS, [Record(name, diagnoses={"double": SIGN})])
    assert page.find(["script", "link", "iframe", "form"]) is None
    assert page.find(attrs={"http-equiv": "Content-Security-Policy"})["content"].startswith("default-src 'none'")
    assert name in page.text


def test_an_assignment_that_nobody_knows_has_no_report(tmp_path):
    with pytest.raises(AssignmentError, match="07_none"):
        report.write(Course(tmp_path), "07_none")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own, as autograder.course says
def test_the_report_of_a_course_reads_the_gradebook(tiny, tmp_path):
    """Two students, one of whom handed in late and has an answer that nobody has read; no record of either."""
    course = Course(tmp_path / "course")
    course.add_source(tiny)
    course.generate_assignment("01_tiny")
    with course.gradebook() as gradebook:
        for student, score in (("ada", 1.0), ("ben", 0.0)):
            gradebook.add_student(student)
            for one in gradebook.add_submission("01_tiny", student).notebooks:
                for cell in one.grades:
                    cell.auto_score, cell.needs_manual_grade = score, cell.name == "reason"
                one.late_submission_penalty = 0.5 if student == "ada" else None
        gradebook.db.commit()
    path = report.write(course, "01_tiny")
    assert path == course.root / "reports" / "01_tiny.html"
    page = BeautifulSoup(path.read_text(), "html.parser")
    assert "2 submissions, mean 1.25, median 1.25 of 4.5 points" in page.header.text
    assert rows(page, "humans") == [["reason", "2", "ada, ben"]]
    assert [row[2] for row in rows(page, "tests")] == ["50 %", "33 %", "not yet"]
    assert "1 was late: ada" in page.text
