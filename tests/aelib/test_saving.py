"""Files of models: damaged ones are named as such, and loading one runs no code."""

import os
import pickle

import pytest
import safetensors.torch
import torch

from aelib import checkpoint
from aelib.likelihoods import Gaussian
from aelib.models import VanillaAE, build
from aelib.nets import MLP
from aelib.saving import load, load_into, save


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.safetensors"
    save(build("linear", (3,), 2), path)
    return path


def test_a_model_of_ones_own_is_read_into_one_composed_again(tmp_path):
    def compose():
        return VanillaAE(MLP((3,), (4,), (2,)), MLP((2,), (), (3,)), Gaussian())

    model, other = compose(), compose()
    save(model, tmp_path / "own.safetensors")
    load_into(other, tmp_path / "own.safetensors")
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="holds a VanillaAE that was composed by hand"):
        load(tmp_path / "own.safetensors")


def test_every_truncation_is_refused(file):
    whole = file.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a whole file of aelib"):
            load(file)


def test_code_in_a_file_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    for writer in (pickle.dump, torch.save):
        with (tmp_path / "trap").open("wb") as handle:
            writer({"model": Trap()}, handle)
        with pytest.raises(ValueError, match="not a whole file of aelib"):
            load(tmp_path / "trap")
        assert not (tmp_path / "sprung").exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    safetensors.torch.save_file({"weights": torch.zeros(2)}, tmp_path / "other")
    with pytest.raises(ValueError, match="not a whole file of aelib"):
        load(tmp_path / "other")


def test_another_version_is_refused(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    save(build("linear", (3,), 2), file)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="has format 99; this version of aelib reads format 1"):
        load(file)


def test_another_model_is_refused(file):
    with pytest.raises(ValueError, match="made with model='LinearAE'; this one has model='VanillaAE'"):
        load_into(build("undercomplete", (3,), 2), file)


def test_other_sizes_are_refused_and_the_model_kept(file):
    model = build("linear", (3,), 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"decoder.layers.0.weight has shape \[3, 2\]; the model expects \[3, 1\]"):
        load_into(model, file)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such file"):
        load(tmp_path / "nowhere")


def test_a_write_that_fails_keeps_the_old_file(file, monkeypatch):
    before = file.read_bytes()

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        save(build("linear", (3,), 2), file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["model.safetensors"]
