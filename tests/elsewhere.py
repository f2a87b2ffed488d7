"""A Python on which aelib is not installed, for tests of the cell that installs it."""

import os
import shutil
import subprocess
import sysconfig
import venv

import pytest

from autograder import install, paths


class Elsewhere:
    """A Python with all packages of this one but aelib, and settings that lead from the public address to the repository here."""

    def __init__(self, folder):
        # A file of settings and no variables: git hands these on to the process that reads the repository, whoever owns it.
        config = folder / "gitconfig"
        config.write_text(
            f'[url "{paths.REPOSITORY.as_uri()}"]\n\tinsteadOf = {install.REPOSITORY}\n[safe]\n\tdirectory = *\n'
        )
        git = {"GIT_CONFIG_GLOBAL": str(config)}
        asked = ["git", "ls-remote", "--exit-code", install.REPOSITORY, "HEAD"]
        if shutil.which("git") is None or subprocess.run(asked, env=os.environ | git, capture_output=True).returncode:
            pytest.skip("what is installed is a commit, and this is no clone of the repository")
        self.root = folder / "python"
        venv.create(self.root, with_pip=False)
        self.python = self.root / "bin" / "python"
        self.folder = folder
        packages = self.root / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        # A line of a .pth file is a folder of packages; the .pth files in that folder, and so the project itself, are not read.
        (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
        settings = {
            **git,
            "MPLBACKEND": "agg",
            "PIP_NO_BUILD_ISOLATION": "false",  # pip reads this one the other way round
            "PIP_NO_INDEX": "1",
        }
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings

    def run(self, *codes):
        """What becomes of a script of these pieces of code."""
        script = self.folder / "cells.py"
        script.write_text("\n\n".join(codes))
        return self.do(script)

    def do(self, *arguments):
        """What becomes of a command of this Python."""
        command = [self.python, *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
