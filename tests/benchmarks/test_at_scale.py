"""The at-scale tables: on small files of the same form they run and go on; what can be computed otherwise agrees."""

import gzip
import importlib
import json
import math
import statistics
import struct
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from aelib import metrics
from aelib.data import Dataset, files
from aelib.training import evaluate

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RESULT = BENCHMARKS / "results" / "at_scale.json"
IMAGES = ("mnist", "fashion_mnist")
TRAINED = {"undercomplete", "denoising", "vae", "sequence_transformer"}
SHARES = {"knn", "few_labels", "auroc", "auprc", "auroc_foreign"}


@pytest.fixture
def module(monkeypatch):
    """Import a benchmark, as its own folder sees it; what it computed for other data is forgotten."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    images = importlib.import_module("at_scale_images")
    images.load.cache_clear()
    images.principal.cache_clear()
    yield importlib.import_module
    images.load.cache_clear()
    images.principal.cache_clear()


@pytest.fixture
def at_scale(module):
    return module("at_scale")


@pytest.fixture
def images(module):
    return module("at_scale_images")


@pytest.fixture
def beats(module):
    return module("at_scale_beats")


@pytest.fixture
def quick(module):
    training = module("at_scale_training")
    return training.Settings(False, **training.QUICK)


def write_idx(path, array):
    head = bytes([0, 0, 0x08, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), compresslevel=1))


def write_images(folder, part, number, rng):
    """Ten classes: noise with a bright row, another one for each class."""
    labels = np.arange(500, dtype=np.uint8) % 10
    pixels = rng.integers(0, 120, (500, 28, 28), dtype=np.uint8)
    pixels[np.arange(500), 2 * labels + 4] += 100
    folder.mkdir(exist_ok=True)
    write_idx(folder / f"{part}-images-idx3-ubyte.gz", np.tile(pixels, (number // 500, 1, 1)))
    write_idx(folder / f"{part}-labels-idx1-ubyte.gz", np.tile(labels, number // 500))


def write_beats(folder, rng):
    """292 normal beats, sines of changing phase, and 208 others, which are noise."""
    folder.mkdir()
    phase = rng.uniform(0, 1, (292, 1))
    normal = np.sin(np.linspace(0, 9, 140) + phase) + 0.05 * rng.normal(size=(292, 140))
    rows = np.concatenate([normal, rng.normal(size=(208, 140))])
    classes = [1] * 292 + [2 + i % 4 for i in range(208)]
    lines = [" ".join([str(c), *(f"{v:.5f}" for v in row)]) for c, row in zip(classes, rows, strict=True)]
    (folder / "ECG5000_TRAIN.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with files of the same form and other contents; the training images of MNIST are not there."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("data")
    write_images(folder / "mnist", "t10k", 10_000, rng)
    write_images(folder / "fashion-mnist", "t10k", 10_000, rng)
    write_images(folder / "fashion-mnist", "train", 60_000, rng)
    write_beats(folder / "ecg5000", rng)
    return folder


@pytest.fixture
def folder(data, tmp_path, monkeypatch):
    """That folder, made known to aelib, which takes its files for the real ones and finds no others."""

    def no_connection(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setenv("AELIB_DATA_DIR", str(data))
    monkeypatch.setattr(files.pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(files.pooch, "HTTPDownloader", lambda **_: no_connection)
    for reader in ("idx_images", "ecg5000"):
        monkeypatch.setattr(importlib.import_module(f"aelib.data.{reader}"), "verify", lambda path, checksum: None)
    return data


@pytest.fixture
def here(module, monkeypatch):
    """Let tasks run in this process."""

    class Here:
        def submit(self, function, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

        def shutdown(self):
            pass

    monkeypatch.setattr(module("seeded_runs"), "new_process", Here)


@pytest.fixture
def stubs(at_scale, monkeypatch, here, folder):
    """Work that is remembered and not done. Returns (the tasks done, methods that fail)."""
    done, failing = [], set()

    def work(data, method, latent_dim, seed, settings, device):
        done.append((data, method, latent_dim, seed))
        if method in failing:
            raise ValueError("as asked for")
        return dict.fromkeys(at_scale.METRICS, 1.0 + seed), None

    monkeypatch.setattr(at_scale, "WORK", dict.fromkeys(at_scale.WORK, work))
    return done, failing


def small_parts(images, rng_seed=0, number=200):
    """Images of ten classes for functions that take parts."""
    generator = torch.Generator().manual_seed(rng_seed)

    def part():
        y = torch.arange(number) % 10
        x = 0.5 * torch.rand(number, 1, 28, 28, generator=generator)
        x[torch.arange(number), 0, 2 * y + 4] += 0.5
        return Dataset(x, {"class": y})

    return images.Parts(part(), part(), part())


# ---- from files to tables -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_quick_run_fills_all_tables(at_scale, here, folder, tmp_path, capsys):
    out = tmp_path / "scale.json"
    at_scale.main(["--quick", "--seeds", "1", "--splits", "2", "--jobs", "1", "--out", str(out)])
    result = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out) == result
    assert result["quick"]
    assert not result["settings"]["whole_mnist"]
    check_tables(result, seeds=1, splits=2)
    assert result["examples"]["fashion_mnist"] == {"train": 300, "validation": 300, "test": 300}
    assert result["examples"]["ecg5000"] == {"train": 199, "validation": 35, "test": 58, "abnormal": 208}
    by_method = {row["method"]: row["auroc"]["mean"] for row in result["table"]["ecg_anomaly"]}
    assert by_method["pca"] > 0.99  # noise is nothing like a sine


def test_an_interrupted_table_goes_on_and_tries_failed_runs_again(at_scale, stubs, tmp_path, capsys):
    done, failing = stubs
    out = tmp_path / "scale.json"
    arguments = ["--quick", "--only", "denoising", "--out", str(out), "--seeds"]
    failing.add("linear")
    at_scale.main([*arguments, "1"])
    assert sorted(done, key=str) == [
        (data, method, dim, 0)
        for data in sorted(IMAGES)
        for method, dim in (("denoising", 128), ("linear", None), ("nothing", None))
    ]
    errors = [run["error"] for run in json.loads(out.read_text())["runs"] if run["method"] == "linear"]
    assert [error.split(" (")[0] for error in errors] == ["ValueError: as asked for"] * 2
    done.clear()
    failing.clear()
    at_scale.main([*arguments, "2"])
    assert len(done) == 2 + 6
    assert {one for one in done if one[3] == 0} == {(data, "linear", None, 0) for data in IMAGES}
    result = json.loads(out.read_text())
    assert [run["error"] for run in result["runs"]] == [None] * 12
    methods = [(row["data"], row["method"]) for row in result["table"]["denoising"]]
    assert methods == [(data, method) for data in IMAGES for method in ("nothing", "linear", "denoising")]
    for row in result["table"]["denoising"]:
        assert row["mse"] == {"mean": 1.5, "std": pytest.approx(math.sqrt(0.5), rel=1e-3), "seeds": 2}
    capsys.readouterr()


def test_results_are_written_after_every_run(at_scale, stubs, tmp_path, monkeypatch):
    numbers = []
    monkeypatch.setattr(at_scale.report, "write", lambda path, result: numbers.append(len(result["runs"])))
    at_scale.main(["--quick", "--only", "ecg_anomaly", "--splits", "1", "--out", str(tmp_path / "scale.json")])
    assert numbers == [1, 2, 3, 4, 5, 5]


def test_a_table_with_other_settings_is_left_as_it_is(at_scale, stubs, tmp_path, capsys):
    out = tmp_path / "scale.json"
    at_scale.main(["--quick", "--only", "ecg_anomaly", "--splits", "1", "--out", str(out)])
    before = out.read_text()
    stubs[0].clear()
    for content in (before.replace('"sigma": 0.5', '"sigma": 0.4'), "not JSON"):
        out.write_text(content)
        with pytest.raises(SystemExit):
            at_scale.main(["--quick", "--only", "ecg_anomaly", "--out", str(out)])
        assert "move it away or name another file" in capsys.readouterr().err
        assert out.read_text() == content
    assert not stubs[0]


def test_files_that_are_missing_are_named(at_scale, stubs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit):
        at_scale.main(["--quick"])
    assert "$AELIB_DATA_DIR/mnist/t10k-images-idx3-ubyte.gz" in capsys.readouterr().err
    assert not stubs[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "code"], "'code'"),
        (["--splits", "0"], "--splits: got 0; expected 1 or more"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_read(at_scale, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(at_scale, "make", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(SystemExit):
        at_scale.main(arguments)
    assert message in capsys.readouterr().err


def test_without_its_training_images_the_test_images_of_mnist_are_split(images, module, monkeypatch):
    x = torch.arange(10_000).reshape(-1, 1, 1, 1) / 10_000
    parts_of = {"test": Dataset(x, {"digit": torch.zeros(10_000)})}
    monkeypatch.setattr(images, "mnist", parts_of.__getitem__)
    parts = images.load("mnist", module("at_scale_training").Settings(False))
    assert [len(part) for part in vars(parts).values()] == [7200, 800, 2000]
    together = torch.cat([part.x for part in vars(parts).values()])
    assert torch.equal(together.sort(dim=0).values, x)


# ---- numbers that can be had otherwise ------------------------------------------------------------------------------


def test_the_codes_of_pca_are_judged_as_scikit_learns(images, quick, folder):
    parts = images.load("fashion_mnist", quick)
    x, test = (part.flat().double().numpy() for part in (parts.train, parts.test))
    for k in quick.latent_dims:
        found, training = images.codes("fashion_mnist", "pca", k, 0, quick, "cpu")
        pca = PCA(k, svd_solver="full").fit(x)
        error = np.square(test - pca.inverse_transform(pca.transform(test)))
        assert found["mse"] == pytest.approx(error.mean(), rel=1e-4)
        assert found["explained_variance"] == pytest.approx(
            1 - error.sum() / np.square(test - test.mean(0)).sum(), rel=1e-3
        )
        assert training is None


def test_the_linear_denoiser_is_ridge_regression_of_images_on_themselves(images):
    """Over all noise, the squared error is that without noise plus a penalty of N sigma^2 on the squared weights."""
    x = small_parts(images).train.x[:, :, :6, :8]
    a, mean = images.wiener(x, 0.3)
    flat = x.flatten(1).double().numpy()
    ridge = Ridge(alpha=len(flat) * 0.3**2).fit(flat, flat)
    np.testing.assert_allclose(a.numpy(), ridge.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose((mean - a @ mean).numpy(), ridge.intercept_, rtol=0, atol=1e-9)


def test_noise_alone_has_its_own_variance_and_the_linear_map_removes_most_of_it(images, quick, folder):
    errors = {m: images.denoising("mnist", m, None, 0, quick, "cpu")[0]["mse"] for m in ("nothing", "linear")}
    assert errors["nothing"] == pytest.approx(0.25, rel=0.02)
    assert errors["linear"] < 0.5 * errors["nothing"]


def test_bounds_of_single_images_average_to_the_loss(images):
    torch.manual_seed(0)
    model, x = images.small_vae(5).eval(), small_parts(images).test.x.round()
    bounds = images.negative_bounds(model, x, 3)
    assert bounds.shape == (200,)
    assert bounds.mean().item() == pytest.approx(evaluate(model, x, seed=3)["total"], rel=1e-5)


def test_few_labels_are_enough_for_a_code_that_is_the_class_and_not_for_noise(images, quick):
    parts = small_parts(images)
    one_hot = [torch.eye(10)[images.classes(part)] for part in (parts.train, parts.test)]
    assert images.few_labels(*one_hot, parts, 0, quick) == 1
    noise = torch.randn(2, 200, 10, generator=torch.Generator().manual_seed(0))
    assert images.few_labels(*noise, parts, 0, quick) < 0.3


def test_few_labels_do_not_depend_on_the_unit_of_the_code(images, quick):
    parts = small_parts(images)
    x = [part.flat() for part in (parts.train, parts.test)]
    assert images.few_labels(*x, parts, 1, quick) == images.few_labels(*(1000 * v for v in x), parts, 1, quick)


def test_splits_of_heartbeats_show_models_normal_ones_only(beats, quick, folder):
    first, other = beats.parts(0, quick), beats.parts(1, quick)
    assert [len(part) for part in first] == [199, 35, 58, 208]
    every = beats.ecg5000()
    normal = every.x[every.labels["beat"] == 0]
    for split in (first, other):
        assert torch.equal(torch.cat(split[:3]).unique(dim=0), normal.unique(dim=0))
    assert not torch.equal(first[2], other[2])
    assert torch.equal(first[3], other[3])


def test_the_distance_in_the_code_is_that_of_whitened_components(beats, quick, folder):
    train, _, *tested = beats.parts(0, quick)
    pca = PCA(quick.beats_dim, svd_solver="full", whiten=True).fit(train.double().numpy())
    scores = [torch.from_numpy(np.square(pca.transform(x.double().numpy())).sum(1)) for x in tested]
    found, _ = beats.beats("ecg5000", "mahalanobis", 8, 0, quick, "cpu")
    assert found == pytest.approx({"auroc": metrics.auroc(*scores), "auprc": metrics.auprc(*scores)}, abs=1e-4)


def test_the_error_of_heartbeats_is_that_of_scikit_learns_components(beats, quick, folder):
    train, _, *tested = (part.double().numpy() for part in beats.parts(0, quick))
    pca = PCA(quick.beats_dim, svd_solver="full").fit(train)
    errors = [np.square(x - pca.inverse_transform(pca.transform(x))).mean() for x in tested]
    found, _ = beats.beats("ecg5000", "pca", 8, 0, quick, "cpu")
    assert [found["mse_normal"], found["mse_abnormal"]] == pytest.approx(errors, rel=1e-4)


def test_what_the_last_epochs_gained(module):
    gained = module("at_scale_training").gained
    assert gained([9.0, 5.0, 4.0, 6.0, 3.5], 1) == 0.5
    assert gained([9.0, 5.0, 4.0, 6.0, 4.5], 2) == 0
    assert gained([9.0], 1) is None


# ---- the figures in the repository ----------------------------------------------------------------------------------


def check_tables(result, seeds, splits):
    """Complete, without failures, in possible ranges, and the means are those of the runs."""
    assert [run["error"] for run in result["runs"] if run["error"] is not None] == []
    codes = [("pca", k) for k in (2, 8, 32)] + [("undercomplete", k) for k in (2, 8, 32)]
    rows = {
        "codes": {(data, *code) for data in IMAGES for code in codes},
        "denoising": {(data, *m) for data in IMAGES for m in (("nothing", None), ("linear", None), ("denoising", 128))},
        "vae": {(data, "vae", 20) for data in IMAGES},
        "labels": {(data, *code) for data in IMAGES for code in (*codes, ("pixels", None), ("vae", 20))},
        "ecg_anomaly": {
            ("ecg5000", method, None if method == "isolation_forest" else 8)
            for method in ("pca", "undercomplete", "sequence_transformer", "mahalanobis", "isolation_forest")
        },
        "ecg_reconstruction": {("ecg5000", method, 8) for method in ("pca", "undercomplete", "sequence_transformer")},
    }
    assert set(result["table"]) == set(rows)
    for name, expected in rows.items():
        places = [(row["data"], row["method"], row["latent_dim"]) for row in result["table"][name]]
        assert len(places) == len(expected)
        assert set(places) == expected
        for row, place in zip(result["table"][name], places, strict=True):
            for column in set(row) - {"data", "method", "latent_dim"}:
                assert column in result["metrics"]
                assert row["method"] in result["methods"]
                check_column(result, place, column, row[column], splits if name.startswith("ecg") else seeds)
    for run in result["runs"]:
        assert (run["training"] is not None) == (run["method"] in TRAINED)
        if run["training"]:
            assert 1 <= run["training"]["best epoch"] <= run["training"]["epochs"] <= run["training"]["most epochs"]


def check_column(result, place, column, entry, seeds):
    mine = [run for run in result["runs"] if (run["data"], run["method"], run["latent_dim"]) == place]
    values = [run["metrics"][column] for run in mine if column in run["metrics"]]
    assert entry["seeds"] == len(values) == seeds
    assert entry["mean"] == pytest.approx(statistics.fmean(values), rel=1e-4, abs=1e-9)
    if seeds > 1:
        assert entry["std"] == pytest.approx(np.std(values, ddof=1), rel=1e-3, abs=1e-6)
    for value in values:
        assert math.isfinite(value)
        assert value > 0 or column == "explained_variance"
        assert value <= 1 or column not in {*SHARES, "explained_variance"}
        assert value <= 784 or column != "nll"


def test_the_result_in_the_repository_is_of_a_whole_run(module):
    result = json.loads(RESULT.read_text())
    assert not result["quick"]
    assert result["settings"] == json.loads(json.dumps(vars(module("at_scale_training").Settings(False)))) | {
        "whole_mnist": result["settings"]["whole_mnist"]
    }
    check_tables(result, seeds=3, splits=10)
    used = result["examples"]
    assert used["fashion_mnist"] == {"train": 54_000, "validation": 6_000, "test": 10_000}
    assert used["mnist"] == (
        used["fashion_mnist"]
        if result["settings"]["whole_mnist"]
        else {"train": 7_200, "validation": 800, "test": 2_000}
    )
    assert used["ecg5000"] == {"train": 199, "validation": 35, "test": 58, "abnormal": 208}
    # A network that does not even reach the best linear map of the same size has not been trained.
    table = {(row["data"], row["method"], row["latent_dim"]): row for row in result["table"]["codes"]}
    for data in IMAGES:
        errors = [table[data, "undercomplete", k]["mse"]["mean"] for k in (2, 8, 32)]
        assert errors == sorted(errors, reverse=True)
        for k in (2, 8):
            assert table[data, "undercomplete", k]["mse"]["mean"] < table[data, "pca", k]["mse"]["mean"]
        for row in result["table"]["vae"]:
            assert row["nll"]["mean"] < row["negative_elbo_first"]["mean"]
