"""The benchmarks run, and write what their page reads. How long anything took is not tested."""

import importlib
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ("scaling", "contractive", "sequences", "training")
WAYS = {"closed form", "exact", "1 probe", "4 probes"}
TO_FOUR_DIGITS = 2e-3  # what rounding to four digits leaves of a ratio of two such numbers


@pytest.fixture
def module(monkeypatch):
    """Import a benchmark, as its own folder sees it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def check_step(step):
    assert step["seconds"] > 0
    assert step["spread"] >= 0


def check_scaling(result):
    runs = result["runs"]
    places = [(run["model"], run["width"], run["examples"]) for run in runs]
    assert len(set(places)) == len(places)
    for run in runs:
        check_step(run)
        assert run["peak MiB"] > 0
        assert run["data MiB"] == pytest.approx(run["examples"] * 784 * 4 / 2**20, rel=TO_FOUR_DIGITS)
        if run["model"] == "undercomplete":
            width = run["width"]
            assert run["parameters"] == 2 * (784 * width + 16 * width) + 2 * width + 16 + 784
    assert set(result["lines over examples"]) == {"undercomplete", "vae", "convolutional"}
    for model, line in result["lines over examples"].items():
        mine = [run for run in runs if run["model"] == model]
        first, *_, last = [run for run in mine if run["width"] == line["width"]]
        assert first["examples"] < last["examples"]
        expected = last["seconds"] / first["seconds"] * first["examples"] / last["examples"]
        assert line["ratio"] == pytest.approx(expected, rel=TO_FOUR_DIGITS)
        assert len({run["width"] for run in mine}) > 1


def check_contractive(result):
    places = [(run["input_dim"], run["latent_dim"]) for run in result["runs"]]
    assert len(set(places)) == len(places)
    for run in result["runs"]:
        seconds = {way: step["seconds"] for way, step in run["steps"].items()}
        assert set(seconds) == {"no penalty", *WAYS}
        for step in run["steps"].values():
            check_step(step)
        for way, ratio in run["times no penalty"].items():
            assert ratio == pytest.approx(seconds[way] / seconds["no penalty"], rel=TO_FOUR_DIGITS)
        assert seconds[run["cheapest"]] == min(seconds[way] for way in WAYS)
        assert seconds[run["cheapest for any encoder"]] == min(seconds[way] for way in WAYS - {"closed form"})
        assert set(run["relative standard error"]) == {"1 probe", "4 probes"}
        for error in run["relative standard error"].values():
            assert 0 < error["of the batch"] < error["of one example"]


def check_sequences(result):
    names = {"sequence_gru", "sequence_lstm", "sequence_transformer"}
    assert set(result["growth exponent"]) == names
    lengths = {name: [run["length"] for run in result["runs"] if run["model"] == name] for name in names}
    assert len(set(map(tuple, lengths.values()))) == 1
    assert set(result["exponent taken over"]) <= set(lengths["sequence_gru"])
    for run in result["runs"]:
        check_step(run)
        assert run["seconds per example"] == pytest.approx(run["seconds"] / result["batch size"], rel=TO_FOUR_DIGITS)
    for name, exponent in result["growth exponent"].items():
        used = [
            run for run in result["runs"] if run["model"] == name and run["length"] in result["exponent taken over"]
        ]
        slopes = [
            math.log(b["seconds"] / a["seconds"]) / math.log(b["length"] / a["length"]) for a, b in pairwise(used)
        ]
        assert min(slopes) - 0.01 <= exponent <= max(slopes) + 0.01  # a slope of least squares is a mean of these


def check_training(result):
    speed, times = result["samples per second"], result["times as fast as the reference"]
    assert {"by hand", "fit"} <= set(speed) == set(times) == set(result["share of the matrix-product peak"])
    assert result["reference"] in speed
    assert times[result["reference"]] == 1
    assert min(*speed.values(), *times.values(), *result["share of the matrix-product peak"].values()) > 0
    assert {"by hand", "fit"} <= set(result["first run with its one epoch, seconds"]) <= set(speed)
    assert "images" in result["network"]


def check(name, result):
    assert set(result) >= {"machine", "device", "quick"}
    assert "torch" in result["machine"]
    {
        "scaling": check_scaling,
        "contractive": check_contractive,
        "sequences": check_sequences,
        "training": check_training,
    }[name](result)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_quick_run_writes_what_the_page_reads(name, tmp_path):
    out = tmp_path / "new" / "result.json"
    # A proxy that refuses everything: where MNIST is not there, it is not downloaded.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, BENCHMARKS / f"{name}.py", "--quick", "--out", out]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(out.read_text())
    assert json.loads(ran.stdout) == result
    assert result["quick"]
    assert result["device"] == "cpu"
    check(name, result)
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("name", NAMES)
def test_the_result_in_the_repository_is_of_a_whole_run(name):
    result = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text())
    check(name, result)
    assert not result["quick"]


def test_a_line_is_found_again(module):
    runs = [{"width": 8, "examples": n, "seconds": 0.1 + 2e-5 * n} for n in (1000, 2000, 5000)]
    expected = {"width": 8, "fixed seconds": 0.1, "microseconds per example": 20.0, "ratio": round(0.2 / 0.12 / 5, 4)}
    assert module("scaling").line(runs) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("power", [1, 1.5, 2])
def test_a_power_is_found_again(module, power):
    runs = [{"length": length, "seconds": 3e-4 * length**power} for length in (128, 256, 512)]
    assert module("sequences").exponent(runs) == power


@pytest.mark.parametrize("probes", [1, 4])
def test_the_error_of_the_estimate_is_that_of_random_signs(module, probes):
    contractive = module("contractive")
    model = contractive.make("1 probe", 12, 3)
    x = torch.rand(8, 12, generator=torch.Generator().manual_seed(0))
    found = contractive.relative_error(model, x, probes, 5000)
    with torch.no_grad():
        z, weight = model.encode(x), model.encoder[0].layers[0].weight
        J = (z * (1 - z)).unsqueeze(2) * weight
        gram = J @ J.mT
        norm = gram.diagonal(dim1=1, dim2=2).sum(1)
        variance = 2 * (gram.square().sum((1, 2)) - gram.diagonal(dim1=1, dim2=2).square().sum(1)) / probes
    one, batch = variance.mean().sqrt() / norm.mean(), variance.sum().sqrt() / 8 / norm.mean()
    assert found == pytest.approx({"of one example": one.item(), "of the batch": batch.item()}, rel=0.05)


def test_runs_follow_one_another_in_each_round(module):
    called = []
    times = module("report").in_turn({name: lambda name=name: called.append(name) for name in "ab"}, 3, least=0)
    assert "".join(called) == "aabb" + "ab" * 3  # once to warm up, once to count
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3}


def test_a_summary_is_the_median_and_the_distance_of_the_quartiles(module):
    assert module("report").summary([4.0, 1.0, 3.0, 2.0]) == {"seconds": 2.5, "spread": 0.6}


def test_a_result_that_cannot_be_written_leaves_the_one_before(module, tmp_path):
    path = tmp_path / "result.json"
    path.write_text("before")
    with pytest.raises(TypeError, match="not JSON serializable"):
        module("report").write(path, {"seconds": object()})
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--device", "abacus"], "--device: got 'abacus'"), (["--out", "."], "a folder")]
)
def test_a_wrong_option_is_named_before_anything_is_measured(module, capsys, arguments, message):
    with pytest.raises(SystemExit):
        module("report").options("", arguments)
    assert message in capsys.readouterr().err
