import pytest

from autograder import __main__, notebooks, paths, solved

pytestmark = pytest.mark.slow


def test_the_solution_notebook_is_run_and_keeps_its_outputs(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "SOLUTIONS", tiny.parents[1])
    assert __main__.main(["run-solutions", str(tmp_path / "out")]) == 0
    written = tmp_path / "out" / "01_tiny" / "tiny.ipynb"
    assert capsys.readouterr().out == f"{written}\n"
    cells = {cell.id: cell for cell in notebooks.from_bytes(written.read_bytes()).cells}
    assert cells["free-8"].outputs[0].text == "8\n"
    assert [cell for cell in cells.values() if cell.cell_type == "code" and not cell.execution_count] == []


def test_a_solution_that_fails_is_named(tiny, tmp_path):
    tiny.write_text(tiny.read_text().replace("doubled_x = x + x", "doubled_x = x * x"))
    with pytest.raises(
        solved.SolutionError, match=r"01_tiny/tiny\.py, cell double-small: AssertionError: twice 3 is 6"
    ):
        solved.write_all(tiny.parents[1], tmp_path / "out")
    assert not (tmp_path / "out").exists()
