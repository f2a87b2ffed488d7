"""What the README promises."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert re.search(r"^\d+\.\d+ nats$", capsys.readouterr().out, flags=re.MULTILINE)


def test_every_target_it_names_exists():
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    defined = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"book", "test"} <= named <= defined


def test_the_files_and_pictures_that_it_leads_to_exist():
    found = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text())
    assert len(found) >= 6
    assert [path for path in found if not (ROOT / path).is_file()] == []
