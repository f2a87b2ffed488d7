"""What publishes the course: workflows, the environment on Binder, and the addresses and versions that must agree."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from elsewhere import Elsewhere

from autograder import install

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
JOBS = {(name, job): content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()}
STEPS = [(name, job, step) for (name, job), content in JOBS.items() for step in content.get("steps", ())]
SCRIPTS = [(f"{name}/{job}", step["run"]) for name, job, step in STEPS if "run" in step]
ON = True  # in YAML 1.1, `on` is a word for that
PUSH = ROOT / ".github" / "push_notebooks.sh"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_every_target_and_script_that_a_workflow_runs_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    made = {target for _, script in SCRIPTS for target in re.findall(r"\bmake ([a-z-]+)", script)}
    run = {path for _, script in SCRIPTS for path in re.findall(r"\bbash (\S+)", script)}
    assert {"lock", "publication"} <= made <= targets
    assert run == {".ci/run", ".github/push_notebooks.sh"}
    assert all((ROOT / path).is_file() for path in run)


@pytest.mark.parametrize(("where", "script"), [*SCRIPTS, ("push_notebooks.sh", PUSH.read_text())])
def test_bash_can_read_every_script(where, script):
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), where


def test_a_workflow_that_is_called_is_there_and_knows_what_it_is_given():
    called = {key: content for key, content in JOBS.items() if "uses" in content}
    assert set(called) == {("deploy", "test"), ("weekly", "newest")}
    for content in called.values():
        path = ROOT / content["uses"]
        assert path.is_file()
        inputs = WORKFLOWS[path.stem][ON]["workflow_call"]["inputs"]
        assert set(content["with"]) <= set(inputs)
        assert all(inputs[name]["type"] == "boolean" and value is True for name, value in content["with"].items())


def test_a_job_may_write_only_what_it_publishes():
    assert {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()} == {
        "ci": {"contents": "read"},
        "deploy": {},
        "weekly": {"contents": "read"},
    }
    assert {key: content["permissions"] for key, content in JOBS.items() if "permissions" in content} == {
        ("deploy", "test"): {"contents": "read"},
        ("deploy", "site"): {"pages": "write", "id-token": "write"},
        ("deploy", "notebooks"): {"contents": "write"},
        ("deploy", "release"): {"contents": "write"},
    }


def test_what_may_write_runs_nothing_that_was_built():
    """It takes what the tests have built, and hands it to git and gh."""
    commands = {"gh", "bash .github/push_notebooks.sh"}
    for where, script in SCRIPTS:
        if where.startswith("deploy/"):
            for line in script.replace("||\n", "\n").splitlines():
                assert any(line.strip().startswith(command) for command in commands), f"{where}: {line}"


def test_nothing_is_published_that_was_not_tested():
    for (name, job), content in JOBS.items():
        if name == "deploy" and job != "test":
            assert content["needs"] == "test"
            assert content["if"] in ("github.ref_type == 'branch'", "github.ref_type == 'tag'")
    assert WORKFLOWS["deploy"][ON] == {"push": {"branches": ["main"], "tags": ["v*"]}}
    order = [step.get("run", step.get("uses")) for name, job, step in STEPS if name == "ci"]
    assert order.index("bash .ci/run") < order.index("make publication")
    uploaded = [number for number, step in enumerate(order) if "upload" in step]
    assert len(uploaded) == 2
    assert min(uploaded) > order.index("make publication")


def test_every_job_ends_and_none_gets_in_the_way_of_another():
    for key, content in JOBS.items():
        assert ("uses" in content) != (0 < content.get("timeout-minutes", 0) <= 180), key
    groups = {name: workflow["concurrency"]["group"] for name, workflow in WORKFLOWS.items()}
    assert len(set(groups.values())) == len(groups) == 3
    assert WORKFLOWS["deploy"]["concurrency"]["cancel-in-progress"] is False  # half of a publication is no publication


def test_actions_are_those_of_github_itself_at_a_major_version():
    used = {step["uses"] for _, _, step in STEPS if "uses" in step}
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)


def test_no_secret_can_be_printed():
    """The token of a run gets to gh through the environment, and text from outside never becomes part of a script."""
    texts = [path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    assert not any("secrets." in text or "pull_request_target" in text for text in texts)
    tokens = [name for _, _, step in STEPS for name, value in step.get("env", {}).items() if "github.token" in value]
    assert set(tokens) == {"GH_TOKEN"}
    assert sum(text.count("github.token") for text in texts) == len(tokens)
    for where, script in SCRIPTS:
        assert "${{" not in script, where
        assert not re.search(r"GH_TOKEN|set -\w*x|printenv|^\s*env\s*$", script, flags=re.MULTILINE), where
    for _, _, step in STEPS:
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_each_row_of_the_matrix_tests_its_own_python():
    (job,) = (content for (name, _), content in JOBS.items() if name == "ci")
    assert job["env"]["PYTHON"] == "python${{ matrix.python }}"
    assert re.search(r"^PYTHON \?=", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert all(re.fullmatch(r"3\.\d\d", version) for version in job["strategy"]["matrix"]["python"])


def test_the_weekly_run_is_weekly_and_takes_the_newest_versions():
    (schedule,) = WORKFLOWS["weekly"][ON]["schedule"]
    minute, hour, *days, weekday = schedule["cron"].split()
    assert (days, weekday) == (["*", "*"], "1")
    assert int(minute) < 60
    assert int(hour) < 24
    (newest,) = (step for _, _, step in STEPS if step.get("if") == "inputs.newest")
    assert "make lock NEWEST=1" in newest["run"]
    for arguments, pinned in (([], True), (["NEWEST=1"], False)):
        command = ["make", "--dry-run", "--old-file", ".venv/.installed", "lock", *arguments]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert ("--upgrade-package torch==" in said) is pinned


def test_a_tag_must_be_the_version():
    (check,) = (step["run"] for _, _, step in STEPS if step.get("if") == "github.ref_type == 'tag'")
    for tag, status in ((f"v{VERSION}", 0), (f"v{VERSION}1", 1), ("v9", 1), (f"v{VERSION.replace('.', 'x')}", 1)):
        environment = os.environ | {"GITHUB_REF_NAME": tag}
        assert (
            subprocess.run(["bash", "-ec", check], cwd=ROOT, env=environment, capture_output=True).returncode == status
        )


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_branch_is_pushed_on_top_of_what_it_was(tmp_path):
    """As students may have pulled it: whoever pulls again must get what is new."""
    remote, student = tmp_path / "remote", tmp_path / "student"
    git(tmp_path, "init", "--quiet", "--bare", remote)

    def push(number, **files):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        done = subprocess.run(["bash", PUSH, folder, remote.as_uri()], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return git(remote, "rev-parse", "notebooks").strip(), done.stdout

    first, _ = push(1, page="one", old="gone soon")
    git(tmp_path, "clone", "--quiet", "--branch", "notebooks", remote.as_uri(), student)
    second, _ = push(2, page="two", new="here")
    assert git(remote, "rev-parse", "notebooks^").strip() == first
    assert git(remote, "ls-tree", "--name-only", "notebooks").split() == ["new", "page"]
    git(student, "pull", "--quiet", "--ff-only")
    assert (student / "page").read_text() == "two"
    again, said = push(3, page="two", new="here")
    assert again == second
    assert "up to date" in said
    assert git(remote, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/notebooks"]


def test_the_branch_that_is_pushed_is_the_one_that_launch_buttons_open():
    branch = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["branch"]
    assert f"--initial-branch {branch}" in PUSH.read_text()
    assert f'push --quiet "$2" {branch}' in PUSH.read_text()


def test_binder_installs_the_versions_that_are_tested():
    lines = [
        line for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines() if not line.startswith("#")
    ]
    options = dict(line.split() for line in lines if line.startswith("--"))
    packages = [line.partition(" @ ")[0] for line in lines if not line.startswith("--")]
    assert options == {
        "--extra-index-url": "https://download.pytorch.org/whl/cpu",
        "--constraint": "../requirements.txt",
    }
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    assert all(re.fullmatch(r"[\w-]+", package) for package in packages), "versions are in requirements.txt alone"
    assert set(packages) - set(pinned) == {"autoencoder-course"}
    assert "torch" in packages
    assert f"autoencoder-course @ {install.from_repository()}" in lines
    (tested,) = (content["strategy"]["matrix"]["python"] for (name, _), content in JOBS.items() if name == "ci")
    assert (ROOT / "binder" / "runtime.txt").read_text() in [f"python-{version}\n" for version in tested]
    assert {path.name for path in (ROOT / "binder").iterdir()} == {"requirements.txt", "runtime.txt"}


@pytest.mark.slow
def test_pip_can_read_and_fulfil_what_binder_gives_it(tmp_path):
    elsewhere = Elsewhere(tmp_path)
    command = ["-m", "pip", "install", "--dry-run", "--requirement", ROOT / "binder" / "requirements.txt"]
    done = elsewhere.do(*command)
    assert done.returncode == 0, done.stderr
    assert f"Would install autoencoder-course-{VERSION}" in done.stdout


def test_the_address_of_the_project_is_the_same_everywhere():
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    name = address.rpartition("/")[2]
    assert re.fullmatch(r"https://github\.com/[\w-]+/[\w-]+", address)
    assert address == install.REPOSITORY
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == address
    places = [*ROOT.glob("*.*"), *ROOT.glob("*/*"), *(ROOT / "book").rglob("*.md"), *ROOT.glob("exercises/*/*.ipynb")]
    kept = [
        path
        for path in places
        if path.is_file() and path.suffix in {".md", ".cff", ".yml", ".py", ".txt", ".ipynb", ".toml"}
    ]
    found = {path: re.findall(rf"https://github\.com/[\w-]+/{name}\b", path.read_text()) for path in kept}
    assert len([path for path, addresses in found.items() if addresses]) > 10
    for path, addresses in found.items():
        assert set(addresses) <= {address}, path


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == VERSION
    assert f"Version {VERSION}. " in (ROOT / "book" / "index.md").read_text()
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert changes[0] == VERSION


def test_help_names_what_is_published():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"student-bundle", "publication"} <= {
        shlex.split(line)[1] for line in said.splitlines() if line.startswith("  make")
    }
