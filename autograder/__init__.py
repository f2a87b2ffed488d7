"""Course machinery on top of nbgrader: from the source of an assignment to a release, grades and feedback."""
