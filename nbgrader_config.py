"""nbgrader's settings for this course. nbgrader reads this file when it is started in this folder.

    python -m autograder source            solutions/ -> course/source/, one notebook per assignment and nothing else
    nbgrader generate_assignment 01_linear     course/source/ -> course/release/, and the test cells into the gradebook
    (submissions go to course/submitted/STUDENT/01_linear/linear.ipynb: nbgrader collect, zip_collect, or by hand)
    nbgrader autograde 01_linear               course/submitted/ -> course/autograded/, marks into the gradebook
    nbgrader generate_feedback 01_linear       course/autograded/ -> course/feedback/STUDENT/01_linear/linear.html

What students get is exercises/, which `python -m autograder release` (make exercises) writes with these same settings.
"""

from pathlib import Path

from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, LimitOutput, OverwriteCells

from autograder.feedback_page import FeedbackExporter, Marks
from autograder.formgrader_view import SafeView
from autograder.nbgrader_steps import IntakeExporter, RunSandboxed, SaveGrades

c = get_config()

# Everything of a course lies in one folder, which git ignores: source, submitted, autograded, feedback, gradebook.db.
c.CourseDirectory.root = str(Path(__file__).resolve().parent / "course")

# The name in the exchange. PostgreSQL takes no assignment of a course without a name.
c.CourseDirectory.course_id = "autoencoders"

# What stands in the place of a solution.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# Submissions come in through intake, run in a sandbox, and are judged outside of it; nbgrader's own way to run them is not used.
c.Autograde.exporter_class = IntakeExporter
c.Autograde.sanitize_preprocessors = [OverwriteCells]
c.Autograde.autograde_preprocessors = [RunSandboxed, LimitOutput, SaveGrades, AssignLatePenalties, CheckCellMetadata]

# What a submission may use; what is not named here is as autograder/sandbox/limits.py has it.
c.RunSandboxed.limits = {"cell_seconds": 60, "total_seconds": 300}

# Feedback is a page of the course's own: marks, comments and diagnoses, no hidden test, and nothing that could run.
c.GenerateFeedback.exporter_class = FeedbackExporter
c.GenerateFeedback.preprocessors = [Marks]

# Formgrader shows submissions to somebody who is logged in there: nothing of a student's may run in that page.
c.HTMLExporter.preprocessors = [SafeView]
