"""The quality table and the protocols: what is measured, what is not defined, what a failure leaves, and how a table goes on."""

import contextlib
import dataclasses
import importlib
import json
import math
import os
import re
import statistics
import subprocess
import sys
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from aelib.data import Dataset
from aelib.losses import gaussian_kl
from aelib.models import MODELS

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
RESULT = BENCHMARKS / "results" / "quality.json"
POSTERIOR = {"vae", "vae_gaussian", "iwae", "convolutional_vae"}
PRIOR = {*POSTERIOR, "wae_mmd", "adversarial"}
OF_IMAGES = {"mse", "psnr", "ssim", "explained_variance", "auroc", "auprc"}
TIMES = {"training CPU seconds", "evaluation CPU seconds", "training CPU minutes"}

# A tiny table leaves few distinct codes to cluster, which scikit-learn says aloud.
pytestmark = pytest.mark.filterwarnings("ignore:Number of distinct clusters")


@pytest.fixture
def module(monkeypatch):
    """Import a benchmark, as its own folder sees it; the number of threads is put back afterwards."""
    threads = torch.get_num_threads()
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module
    torch.set_num_threads(threads)


@pytest.fixture
def quality(module):
    return module("quality")


@pytest.fixture
def quick(module):
    return module("quality_data").QUICK


@pytest.fixture
def data(module, quick):
    return module("quality_data").load(quick)


@pytest.fixture
def here(module, quality, monkeypatch):
    """Let tasks run in this process, with a stub that remembers them. Returns (the tasks done, variants that fail)."""
    done, failing = [], set()

    def run_one(variant, seed, settings, device):
        done.append((variant, seed))
        if variant in failing:
            return quality.failed(variant, seed, "ValueError: as asked for")
        metrics = dict.fromkeys(quality.METRICS, 1.0 + seed) | {"nll": None}
        base = {"variant": variant, "seed": seed, "error": None, "metrics": metrics}
        return base | {"training CPU seconds": 60.0, "evaluation CPU seconds": 1.0}

    class Here:
        def submit(self, function, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

        def shutdown(self):
            pass

    monkeypatch.setattr(quality, "run_one", run_one)
    monkeypatch.setattr(module("seeded_runs"), "new_process", Here)
    return done, failing


def defined(result):
    assert result["error"] is None, result["error"]
    return {name for name, value in result["metrics"].items() if value is not None}


def without_times(value):
    if isinstance(value, dict):
        return {name: without_times(part) for name, part in value.items() if name not in TIMES}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def command(*arguments, folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "https_proxy": "http://127.0.0.1:9"}
    line = [sys.executable, BENCHMARKS / "quality.py", *arguments]
    return subprocess.run(line, env=environment, cwd=folder, capture_output=True, text=True, check=False)


# ---- what is measured, and what is not defined ----------------------------------------------------------------------


def test_the_variants_are_the_anchors_and_every_model(quality):
    assert list(quality.VARIANTS) == ["mean_image", "pca", *MODELS]


def test_the_pca_anchor_is_that_of_scikit_learn(quality, quick, data):
    x, test = data.train.flat().double().numpy(), data.test.flat().double().numpy()
    pca = PCA(quick.latent_dim, svd_solver="full").fit(x)
    expected = np.square(test - pca.inverse_transform(pca.transform(test))).mean()
    result = quality.run_one("pca", 0, quick)
    assert result["metrics"]["mse"] == pytest.approx(expected, rel=1e-4)
    assert result["metrics"]["l0"] == quick.latent_dim
    assert not defined(result) & {"nll", "kl", "active_units", "perplexity", "frechet_prior"}


def test_the_mean_image_has_no_code_to_measure(quality, quick, data):
    result = quality.run_one("mean_image", 0, quick)
    assert defined(result) == OF_IMAGES
    expected = (data.test.x - data.train.x.mean(0)).square().mean().item()
    assert result["metrics"]["mse"] == pytest.approx(expected, rel=1e-4)


def test_a_model_with_a_posterior_has_a_likelihood(quality, quick, data, monkeypatch):
    trained = {}
    train = quality.train
    monkeypatch.setattr(quality, "train", lambda *a: trained.setdefault("model", train(*a)))
    result = quality.run_one("vae", 0, quick)
    assert defined(result) >= {"nll", "kl", "active_units", "frechet_prior", "frechet_mixture"}
    assert result["metrics"]["perplexity"] is None
    model = trained["model"]
    with torch.no_grad():
        kl = gaussian_kl(*model.posterior(data.test.x)).mean().item()
    assert result["metrics"]["kl"] == pytest.approx(kl, rel=1e-4)


def test_a_codebook_has_a_perplexity_and_no_zeros_to_count(quality, quick):
    result = quality.run_one("vqvae", 0, quick)
    assert 1 <= result["metrics"]["perplexity"] <= 64
    assert not defined(result) & {"l0", "dead_units", "nll", "frechet_prior"}


def test_a_sequence_model_reads_rows(quality, quick):
    assert quality.event_shape("sequence_gru") == (28, 28)
    assert defined(quality.run_one("sequence_gru", 0, quick)) >= OF_IMAGES


def test_a_larger_distortion_costs_fewer_bits_and_one_below_the_models_own_has_no_rate(module, quick, data):
    metrics, quality = module("quality_metrics"), module("quality")
    model = quality.train("pca", data, quick, 0, "cpu").eval()

    def rate(most):
        return metrics.rate(metrics.Trained(model, data, dataclasses.replace(quick, rate_mse=most), 0))["rate"]

    with torch.no_grad():
        own = metrics.reconstruction(metrics.Trained(model, data, quick, 0))["mse"]
        assert rate(0.99 * own) is None
        fine, coarse = rate(1.05 * own), rate(1.3 * own)
    assert 0 < coarse < fine < 32 * quick.latent_dim / 784


def test_units_of_a_sigmoid_are_off_below_a_tenth(module, quick, data):
    metrics, quality = module("quality_metrics"), module("quality")
    model = quality.train("sparse_kl", data, quick, 0, "cpu").eval()
    with torch.no_grad():
        found = metrics.sparsity(metrics.Trained(model, data, quick, 0))
        z = model.encode(data.test.x)
    assert found["l0"] == pytest.approx((z > 0.1).sum(1).double().mean().item())
    assert found["dead_units"] == (z <= 0.1).all(0).sum()


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(quality, quick):
    first, again, other = (quality.run_one("overcomplete", seed, quick) for seed in (0, 0, 1))
    assert without_times(first) == without_times(again)
    assert first["metrics"]["mse"] != other["metrics"]["mse"]


def test_the_random_state_outside_does_not_matter(quality, quick, data):
    models = []
    for outside in (5, 6):
        torch.manual_seed(outside)
        models.append(quality.train("vae", data, quick, 0, "cpu"))
    for a, b in zip(*(model.state_dict().values() for model in models), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


# ---- failures -------------------------------------------------------------------------------------------------------


def test_an_error_in_a_run_becomes_its_result(quality, quick, monkeypatch):
    def broken(*_):
        raise RuntimeError("no room")

    monkeypatch.setattr(quality, "train", broken)
    result = quality.run_one("vae", 3, quick)
    assert (result["variant"], result["seed"], result["metrics"]) == ("vae", 3, None)
    assert result["error"].startswith("RuntimeError: no room (broken, line ")


def test_a_metric_that_is_not_finite_is_an_error(module, quality, quick, monkeypatch):
    metrics = module("quality_metrics")
    monkeypatch.setattr(metrics, "GROUPS", (lambda _: dict.fromkeys(metrics.METRICS) | {"nll": math.inf},))
    result = quality.run_one("mean_image", 0, quick)
    assert result["error"].startswith("FloatingPointError: the metric 'nll' became inf")


def test_a_failed_run_is_kept_out_of_the_means(quality, here, tmp_path, capsys):
    here[1].add("vae")
    quality.main(["--quick", "--only", "pca", "vae", "--seeds", "1", "--out", str(tmp_path / "q.json")])
    result = json.loads((tmp_path / "q.json").read_text())
    assert json.loads(capsys.readouterr().out) == result
    assert [(run["variant"], run["error"]) for run in result["runs"]] == [
        ("pca", None),
        ("vae", "ValueError: as asked for"),
    ]
    assert list(result["table"]) == ["pca"]


# ---- the table, and how it goes on ----------------------------------------------------------------------------------


def test_the_table_has_mean_and_spread_over_seeds(quality, here, tmp_path):
    quality.main(["--quick", "--only", "pca", "--seeds", "3", "--jobs", "2", "--out", str(tmp_path / "q.json")])
    result = json.loads((tmp_path / "q.json").read_text())
    assert result["table"]["pca"]["mse"] == {"mean": 2.0, "std": 1.0, "seeds": 3}
    assert result["table"]["pca"]["nll"] is None
    assert result["table"]["pca"]["training CPU minutes"] == {"mean": 1.0, "std": 0.0, "seeds": 3}
    assert [run["seed"] for run in result["runs"]] == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [tmp_path / "q.json"]


def test_an_interrupted_table_goes_on_and_tries_failed_runs_again(quality, here, tmp_path):
    done, failing = here
    out = tmp_path / "q.json"
    failing.add("linear")
    quality.main(["--quick", "--only", "pca", "linear", "--seeds", "1", "--out", str(out)])
    assert sorted(done) == [("linear", 0), ("pca", 0)]
    done.clear()
    failing.clear()
    quality.main(["--quick", "--only", "pca", "linear", "--seeds", "2", "--out", str(out)])
    assert sorted(done) == [("linear", 0), ("linear", 1), ("pca", 1)]
    done.clear()
    quality.main(["--quick", "--only", "vae", "--seeds", "1", "--out", str(out)])
    assert done == [("vae", 0)]
    result = json.loads(out.read_text())
    assert list(result["table"]) == ["pca", "linear", "vae"]
    assert all(run["error"] is None for run in result["runs"])
    assert len(result["runs"]) == 5


def test_results_are_written_after_every_run(quality, here, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(quality.report, "write", lambda path, result: sizes.append(len(result["runs"])))
    quality.main(["--quick", "--only", "pca", "vae", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "q.json")])
    assert sizes == [1, 2, 3, 4, 4]


@pytest.mark.parametrize("content", ["{}", "not JSON", "[]", '{"settings": {"epochs": 7}, "metrics": {}, "runs": []}'])
def test_a_file_with_something_else_is_left_as_it_is(quality, here, tmp_path, capsys, content):
    out = tmp_path / "q.json"
    out.write_text(content)
    with pytest.raises(SystemExit):
        quality.main(["--quick", "--only", "pca", "--out", str(out)])
    assert "move it away or name another file" in capsys.readouterr().err
    assert out.read_text() == content
    assert not here[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "vea"], "--only: got vea; expected names from mean_image, pca, linear"),
        (["--seeds", "0"], "--seeds: got 0; expected 1 or more"),
        (["--jobs", "0"], "--jobs: got 0"),
        (["--protocol", "gan"], "invalid choice: 'gan'"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_trained(quality, here, capsys, arguments, message):
    with pytest.raises(SystemExit):
        quality.main(arguments)
    assert message in capsys.readouterr().err
    assert not here[0]


@pytest.mark.slow
def test_the_command_twice_gives_the_same_numbers(tmp_path):
    results = []
    for name in ("first.json", "second.json"):
        out = tmp_path / name
        ran = command("--quick", "--only", "vae", "vqvae", "--seeds", "1", "--jobs", "2", "--out", out, folder=tmp_path)
        assert ran.returncode == 0, ran.stderr
        results.append(json.loads(out.read_text()))
    assert without_times(results[0]) == without_times(results[1])
    assert [run["error"] for run in results[0]["runs"]] == [None, None]


@pytest.mark.slow
def test_every_variant_runs(tmp_path):
    out = tmp_path / "q.json"
    ran = command("--quick", "--seeds", "1", "--out", out, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(out.read_text())
    assert [run["error"] for run in result["runs"]] == [None] * (len(MODELS) + 2)
    check_what_is_defined(result)


def check_what_is_defined(result):
    """Null exactly where the variant does not have the metric; a rate may be out of reach."""
    for name, row in result["table"].items():
        has = {metric for metric, entry in row.items() if entry is not None}
        assert set(row) == {*result["metrics"], "training CPU minutes"}
        assert has >= OF_IMAGES | {"training CPU minutes"}
        assert ({"nll", "kl", "active_units"} <= has) == (name in POSTERIOR)
        assert not has & {"nll", "kl", "active_units"} or name in POSTERIOR
        assert ("frechet_prior" in has) == (name in PRIOR)
        assert ("perplexity" in has) == (name == "vqvae")
        assert ("l0" in has) == ("dead_units" in has) == (name not in ("vqvae", "mean_image"))
        of_codes = {"probe", "knn", "nmi", "ari", "mig", "dci_disentanglement", "frechet_mixture"}
        assert has & of_codes == (set() if name == "mean_image" else of_codes)


def test_the_result_in_the_repository_is_of_a_whole_run(module):
    result = json.loads(RESULT.read_text())
    assert not result["quick"]
    assert result["settings"] == json.loads(json.dumps(module("quality_data").Settings().as_dict()))
    variants = ["mean_image", "pca", *MODELS]
    assert list(result["table"]) == variants
    places = {(run["variant"], run["seed"]) for run in result["runs"]}
    assert places == {(variant, seed) for variant in variants for seed in range(3)}
    assert [run["error"] for run in result["runs"] if run["error"] is not None] == []
    check_what_is_defined(result)
    for name, row in result["table"].items():
        mine = [run["metrics"] for run in result["runs"] if run["variant"] == name]
        for metric in result["metrics"]:
            values = [one[metric] for one in mine if one[metric] is not None]
            if values:
                expected = {
                    "mean": statistics.fmean(values),
                    "std": np.std(values, ddof=1) if len(values) > 1 else None,
                }
                found = {key: row[metric][key] for key in expected}
                assert found == pytest.approx(expected, rel=1e-3, abs=1e-9), (name, metric)
    # A variant that explains less than half of what PCA does has not learned.
    pca = result["table"]["pca"]["explained_variance"]["mean"]
    for name in MODELS:
        assert result["table"][name]["explained_variance"]["mean"] > pca / 2, name


# ---- protocols ------------------------------------------------------------------------------------------------------


@pytest.fixture
def protocols(module, monkeypatch):
    """The protocols, on 60 gray images to train on, 20 to validate and 20 to test, instead of MNIST."""
    protocols = module("protocols")
    x = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(0)).square()
    monkeypatch.setattr(protocols, "images", lambda quick: (x[:60], x[60:80], x[80:]))
    shorter = {
        name: dataclasses.replace(one, num_samples=3, quick_stages=((1, 1e-3), (2, 5e-4)))
        for name, one in protocols.PROTOCOLS.items()
    }
    monkeypatch.setattr(protocols, "PROTOCOLS", shorter)
    return protocols


@pytest.mark.parametrize("name", ["vae-784-400-40", "iwae-784-200-50", "iwae-784-200-50-redrawn"])
def test_a_protocol_says_what_it_did(protocols, quality, tmp_path, name, capsys):
    out = tmp_path / "p.json"
    quality.main(["--protocol", name, "--quick", "--out", str(out)])
    result = json.loads(out.read_text())
    capsys.readouterr()
    assert result["quick"]
    assert not result["comparable with the published number"]
    assert result["stages"] == [[1, 1e-3], [2, 5e-4]]
    assert result["redrawn"] == name.endswith("redrawn")
    assert (result["training images"], result["validation images"], result["test images"]) == (60, 20, 20)
    assert 0 < result["nll"] < 784  # a pixel costs less than a nat: log 2 without any training
    assert result["published"]
    assert list(tmp_path.iterdir()) == [out]  # checkpoints are gone


def test_a_protocol_goes_on_from_its_checkpoints(protocols, quality, tmp_path, monkeypatch, capsys):
    arguments = ["--protocol", "vae-784-400-40", "--quick", "--out"]
    quality.main([*arguments, str(tmp_path / "whole.json")])
    fit, calls = protocols.fit, []

    def stopping(*positional, **named):
        calls.append(named["checkpoint"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit(*positional, **named)

    monkeypatch.setattr(protocols, "fit", stopping)
    with contextlib.suppress(KeyboardInterrupt):
        quality.main([*arguments, str(tmp_path / "parts.json")])
    assert not (tmp_path / "parts.json").exists()
    assert calls[0].exists()
    quality.main([*arguments, str(tmp_path / "parts.json")])
    assert (tmp_path / "parts.json").read_text() == (tmp_path / "whole.json").read_text()
    capsys.readouterr()


def test_without_the_training_images_a_protocol_says_what_is_missing(module, monkeypatch):
    protocols, quality = module("protocols"), module("quality")
    x = torch.arange(10_000).reshape(-1, 1, 1, 1) / 10_000

    def mnist(part):
        if part == "train":
            raise ConnectionError("train-images is not there")
        return Dataset(x)

    monkeypatch.setattr(protocols, "mnist", mnist)
    with pytest.raises(SystemExit, match="60,000 training images of MNIST are needed: train-images is not there"):
        quality.main(["--protocol", "iwae-784-200-50"])
    parts = protocols.images(quick=True)
    assert [len(part) for part in parts] == [7000, 1000, 2000]
    assert torch.equal(torch.cat(parts), x)


def test_images_are_binarized_with_the_probability_of_their_gray_level(module):
    protocols = module("protocols")
    x = torch.linspace(0, 1, 5).expand(4000, 5)
    once, again, redrawn = protocols.binarized(x, 0), protocols.binarized(x, 0), protocols.Redrawn(x)
    assert torch.equal(once, again)
    assert not torch.equal(once, protocols.binarized(x, 1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        looks = [torch.stack(redrawn.__getitems__(list(range(4000)))) for _ in range(2)]
        single = torch.stack([redrawn[i] for i in range(4000)])
    assert not torch.equal(*looks)
    for drawn in (once, *looks, single):
        assert set(drawn.unique().tolist()) == {0.0, 1.0}
        torch.testing.assert_close(drawn.mean(0), x[0], rtol=0, atol=0.04)  # five standard errors


def test_the_networks_and_schedules_are_those_of_the_sources(module):
    protocols = module("protocols").PROTOCOLS
    sizes = {name: sum(parameter.numel() for parameter in one.make().parameters()) for name, one in protocols.items()}
    layers = {
        "vae-784-400-40": (784, 400, 80, 40, 400, 784),
        "iwae-784-200-50": (784, 200, 200, 100, 50, 200, 200, 784),
    }
    for name, widths in layers.items():
        pairs = [pair for pair in pairwise(widths) if pair not in ((80, 40), (100, 50))]
        assert sizes[name] == sum(a * b + b for a, b in pairs)
    iwae = protocols["iwae-784-200-50"]
    assert [epochs for epochs, _ in iwae.stages] == [1, 3, 9, 27, 81, 243, 729, 2187]
    assert [lr for _, lr in iwae.stages] == pytest.approx([1e-3 * 10 ** (-i / 7) for i in range(8)])
    assert (iwae.batch_size, iwae.make().num_samples, iwae.num_samples) == (20, 50, 5000)
    vae = protocols["vae-784-400-40"]
    ends = np.cumsum([epochs for epochs, _ in vae.stages]).tolist()
    assert ends == [200, 350, 500, 750, 1000]
    assert vae.stages[1][1] / vae.stages[0][1] == pytest.approx(10 ** (-1 / 5))


def test_the_page_states_the_published_numbers_of_each_protocol(module):
    page = (ROOT / "book/reference/quality.md").read_text()
    rows = {
        row.split("`")[1]: row
        for row in re.split(r"\n\* - ", page.split("{list-table}")[1].split("```")[0] + "`")
        if "`" in row
    }
    protocols = module("protocols").PROTOCOLS
    assert set(protocols) <= set(rows)
    for name, one in protocols.items():
        row = rows[name]
        assert one.network in row
        assert f"K = {one.num_samples}\n" in row
        assert ("anew at every look" in row) == one.redrawn
        numbers = {f"{published.nll:g}" for published in one.published}
        assert numbers == set(re.findall(r"\b8\d\.\d+", row))
