import zipfile

import pytest
import torch

from aelib.data import ecg5000


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A function that writes a file of so many rows and values into a data folder."""
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path))
    (tmp_path / "ecg5000").mkdir()

    def write(rows, values):
        (tmp_path / "ecg5000" / "ECG5000_TRAIN.txt").write_text(("1 " + "0.5 " * values + "\n") * rows)

    return write


def test_counts_of_the_published_file(real_data):
    d = ecg5000()
    assert d.x.shape == (500, 140)
    assert d.x.dtype == torch.float32
    assert d.labels["beat"].bincount().tolist() == [292, 177, 10, 19, 2]
    assert len(d.classes["beat"]) == 5
    assert d.classes["beat"][0] == "normal"


def test_labels_are_the_files_less_one(real_data):
    lines = (real_data / "ecg5000" / "ECG5000_TRAIN.txt").read_text().splitlines()
    assert [float(line.split()[0]) - 1 for line in lines] == ecg5000().labels["beat"].tolist()


def test_each_beat_is_standardized_by_the_sample_standard_deviation(real_data):
    x = ecg5000().x.double()
    assert x.mean(dim=1).abs().max() < 1e-7
    assert (x.std(dim=1) - 1).abs().max() < 1e-7
    assert (x.std(dim=1, correction=0) - 1).abs().min() > 3e-3


@pytest.mark.parametrize(
    ("rows", "values", "found"), [(499, 140, "499 rows of 140 values"), (500, 139, "500 rows of 139 values")]
)
def test_a_wrong_table_is_an_error(rows, values, found, fake):
    fake(rows, values)
    with pytest.raises(ValueError, match=rf"ECG5000_TRAIN\.txt: holds {found}; expected 500 of 140"):
        ecg5000()


def test_other_beats_in_the_right_form_are_an_error(fake):
    fake(500, 140)
    with pytest.raises(ValueError, match=r"its sha256 is .*; expected a5940ecb"):
        ecg5000()


def test_without_file_and_connection_the_message_says_what_to_do(cache, serve):
    serve(b"", OSError("no route to host"))
    with pytest.raises(ConnectionError, match=r"ECG5000\.zip .*no route.*\$AELIB_DATA_DIR/ecg5000/ECG5000_TRAIN\.txt"):
        ecg5000()
    assert list((cache / "ecg5000").iterdir()) == []


def test_the_archives_member_is_found_checked_and_kept(real_data, tmp_path, cache, serve, monkeypatch):
    with zipfile.ZipFile(tmp_path / "ECG5000.zip", "w") as archive:
        archive.write(real_data / "ecg5000" / "ECG5000_TRAIN.txt", "ECG5000_TRAIN.txt")
    serve((tmp_path / "ECG5000.zip").read_bytes())
    downloaded = ecg5000()
    assert [path.name for path in (cache / "ecg5000").iterdir()] == ["ECG5000_TRAIN.txt"]
    monkeypatch.setenv("AELIB_DATA_DIR", str(real_data))
    assert torch.equal(downloaded.x, ecg5000().x)


def test_an_unknown_part_is_an_error():
    with pytest.raises(ValueError, match="part: got 'test'; expected one of 'train'"):
        ecg5000("test")
