"""Files of weights: damaged ones are named as such, and loading one runs no code."""

import os
import pickle

import pytest
import torch

from aelib.checkpoint import load, save
from aelib.models import LinearAE, VanillaAE
from aelib.nets import MLP


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.pt"
    save(LinearAE((3,), 2), path)
    return path


def test_every_truncation_is_refused(file):
    whole = file.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a whole checkpoint"):
            load(LinearAE((3,), 2), file)


def test_code_in_a_file_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    for writer in (lambda value, handle: pickle.dump(value, handle, protocol=2), torch.save):
        with (tmp_path / "trap.pt").open("wb") as handle:
            writer({"format": 1, "identity": {"model": "LinearAE"}, "model": Trap()}, handle)
        with pytest.raises(ValueError, match="not a whole checkpoint"):
            load(LinearAE((3,), 2), tmp_path / "trap.pt")
        assert not (tmp_path / "sprung").exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        load(LinearAE((3,), 2), tmp_path / "other.pt")


def test_another_version_is_refused(tmp_path):
    torch.save({"format": 99, "identity": {}, "model": {}}, tmp_path / "new.pt")
    with pytest.raises(ValueError, match="has format 99; this version of aelib reads format 1"):
        load(LinearAE((3,), 2), tmp_path / "new.pt")


def test_another_model_is_refused(file):
    model = VanillaAE(MLP((3,), (), (2,)), MLP((2,), (), (3,)), LinearAE((3,), 2).likelihood)
    with pytest.raises(ValueError, match="made with model='LinearAE'; this run has model='VanillaAE'"):
        load(model, file)


def test_other_sizes_are_refused_and_the_model_kept(file):
    model = LinearAE((3,), 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"decoder.layers.0.weight has shape \(3, 2\); the model expects \(3, 1\)"):
        load(model, file)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pt"):
        load(LinearAE((3,), 2), tmp_path / "nowhere.pt")


def test_a_write_that_fails_keeps_the_old_file(file, monkeypatch):
    before = file.read_bytes()

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="no space"):
        save(LinearAE((3,), 2), file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["weights.pt"]
