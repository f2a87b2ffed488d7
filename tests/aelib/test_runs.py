"""Training runs as programs: killed and started again, and as two processes under torchrun."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aelib.checkpoint import read

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("train_run.py")


def weights(path):
    return read(path)[0]


def run(*arguments, launcher=()):
    done = subprocess.run([sys.executable, *launcher, PROGRAM, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["vae"])
def test_a_killed_run_ends_with_the_same_weights(name, tmp_path):
    """SIGKILL after a few epochs, wherever it then is in the next one or in writing its file; twice; then let it finish."""
    run(name, tmp_path / "whole")
    for epochs in (3, 8):
        process = subprocess.Popen(
            [sys.executable, PROGRAM, name, tmp_path / "killed", tmp_path / "checkpoint"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in process.stdout:
            if int(line) >= epochs:
                break
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert not (tmp_path / "killed").exists()
    first = run(name, tmp_path / "killed", tmp_path / "checkpoint").split()[0]
    assert int(first) >= 8
    expected = weights(tmp_path / "whole")
    for key, value in weights(tmp_path / "killed").items():
        assert torch.equal(value, expected[key]), key


@pytest.mark.parametrize("name", ["linear", "undercomplete"])
def test_two_processes_train_as_one(name, tmp_path):
    """Same global batch, same weights up to the order of additions."""
    run(name, tmp_path / "one")
    run(name, tmp_path / "two", launcher=["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"])
    expected = weights(tmp_path / "one")
    for key, value in weights(tmp_path / "two").items():
        torch.testing.assert_close(value, expected[key], rtol=1e-9, atol=1e-9)


def test_two_processes_end_with_the_same_codebook(tmp_path):
    """Moving averages and replaced codes are no gradients, and would drift apart."""
    run("vqvae", tmp_path / "out", launcher=["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"])
    first = weights(tmp_path / "out")
    assert any("codebook" in key for key in first)
    for key, value in weights(tmp_path / "out1").items():
        assert torch.equal(value, first[key]), key
