import hashlib
import zipfile

import pytest
import torch

from aelib.data import Ratings, files, generated_ratings, movielens_100k, ratings


def small():
    return Ratings(
        torch.tensor([0, 0, 2]), torch.tensor([1, 3, 0]), torch.tensor([5.0, 2.0, 3.0]), num_users=3, num_items=4
    )


def test_the_table_holds_each_rating_in_its_cell():
    stars, known = small().table()
    assert stars.tolist() == [[0, 5, 0, 2], [0, 0, 0, 0], [3, 0, 0, 0]]
    assert known.tolist() == [[False, True, False, True], [False] * 4, [True, False, False, False]]


def test_a_split_keeps_every_rating_once():
    whole, _ = generated_ratings(50, 60, per_user=12)
    train, test = whole.split(100, seed=3)
    assert (len(train), len(test)) == (len(whole) - 100, 100)
    assert not (train.table()[1] & test.table()[1]).any()
    assert torch.equal(train.table()[0] + test.table()[0], whole.table()[0])
    assert torch.equal(whole.split(100, seed=3)[1].item, test.item)
    assert not torch.equal(whole.split(100, seed=4)[1].item, test.item)


@pytest.mark.parametrize("num_test", [0, 3])
def test_a_split_without_one_part_is_an_error(num_test):
    with pytest.raises(ValueError, match=f"num_test: got {num_test}; expected 1 to 2, as there are 3 ratings"):
        small().split(num_test)


@pytest.mark.parametrize(
    ("user", "item", "stars", "message"),
    [
        ([0, 1], [0, 0], [3.0], r"got \(2, 2, 1\) values"),
        ([0, 3], [0, 0], [3.0, 3.0], r"user: values run from 0 to 3; expected all of them in \[0, 2\]"),
        ([0, 1], [0, -1], [3.0, 3.0], r"item: values run from -1 to 0"),
        ([1, 0, 1], [2, 2, 2], [3.0, 3.0, 4.0], "got 1 cells more than once"),
    ],
)
def test_cells_that_cannot_be_are_errors(user, item, stars, message):
    with pytest.raises(ValueError, match=message):
        Ratings(torch.tensor(user), torch.tensor(item), torch.tensor(stars), num_users=3, num_items=4)


def test_generated_ratings_have_the_form_of_real_ones():
    r, score = generated_ratings()
    assert score.shape == (r.num_users, r.num_items) == (600, 400)
    assert set(r.stars.unique().tolist()) == {1, 2, 3, 4, 5}
    counts = r.user.bincount(minlength=600)
    assert counts.min() >= 16
    assert counts.float().mean().item() == pytest.approx(32, abs=2)
    popularity = r.item.bincount(minlength=400).sort(descending=True).values
    assert popularity[:40].sum() > 0.3 * len(r)  # a tenth of the items has far more than a tenth of the ratings


def test_stars_follow_the_score():
    r, score = generated_ratings()
    at = score[r.user, r.item]
    for low in (2, 3, 4):  # around whole numbers rounding adds nothing on average; noise is cut off at 1 and 5
        near = (at - low).abs() < 0.1
        assert r.stars[near].mean().item() == pytest.approx(low, abs=0.12)
    assert torch.corrcoef(torch.stack([at, r.stars]))[0, 1] > 0.65


def test_what_is_rated_is_not_random():
    r, score = generated_ratings()
    assert score[r.user, r.item].mean() > score.mean() + 0.3


def test_the_score_has_as_many_dimensions_as_the_taste():
    _, score = generated_ratings(80, 90, per_user=20, latent_dim=3)
    centered = score - score.mean(0) - score.mean(1, keepdim=True) + score.mean()
    values = torch.linalg.svdvals(centered.double())
    assert values[2] > 1
    assert values[3] < 1e-3


def test_generated_ratings_depend_on_the_seed_alone():
    one, two, other = (generated_ratings(40, 50, per_user=10, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(one.table()[0], two.table()[0])
    assert not torch.equal(one.table()[0], other.table()[0])


@pytest.mark.parametrize(
    ("sizes", "argument"),
    [
        ({"num_users": 0}, "num_users"),
        ({"per_user": 9}, "per_user"),
        ({"latent_dim": 0}, "latent_dim"),
        ({"num_items": 63}, "num_items"),
    ],
)
def test_sizes_that_are_too_small_are_errors(sizes, argument):
    with pytest.raises(ValueError, match=f"{argument}: got {sizes[argument]}; expected a number of at least"):
        generated_ratings(**sizes)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A function that puts an archive with such a table into the data folder, and has it pass for the published one."""
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path))
    (tmp_path / "movielens").mkdir()
    path = tmp_path / "movielens" / "ml-100k.zip"

    def write(rows, *, published=True):
        with zipfile.ZipFile(path, "w") as target:
            target.writestr("ml-100k/u.data", "".join("\t".join(map(str, row)) + "\n" for row in rows))
        if published:
            checksum = "md5:" + hashlib.md5(path.read_bytes()).hexdigest()
            known = files.RemoteFile("movielens", "ml-100k.zip", "https://example.org/ml-100k.zip", checksum)
            monkeypatch.setattr(ratings, "_ARCHIVE", known)

    return write


def cells(number):
    """As many rows as the file has, each of another cell, and stars that tell them apart."""
    return [(1 + i // 1682, 1 + i % 1682, 1 + i % 5, 880_000_000 + i) for i in range(number)]


def test_the_file_is_read_column_by_column(archive):
    archive(cells(100_000))
    r = movielens_100k()
    assert (len(r), r.num_users, r.num_items) == (100_000, 943, 1682)
    assert r.user[[0, 1682]].tolist() == [0, 1]
    assert r.item[[0, 1, 1682]].tolist() == [0, 1, 0]
    assert r.stars[:6].tolist() == [1, 2, 3, 4, 5, 1]


def test_missing_rows_are_an_error(archive):
    archive(cells(99_999))
    with pytest.raises(ValueError, match=r"u\.data has shape \(99999, 4\); expected \(100000, 4\)"):
        movielens_100k()


def test_another_archive_is_an_error(archive):
    archive(cells(3), published=False)
    with pytest.raises(ValueError, match=r"its md5 is .*; expected 0e33842e24a9c977be4e0107933c0723"):
        movielens_100k()


def test_without_file_and_connection_the_message_says_what_to_do(cache, serve):
    serve(b"", OSError("no route to host"))
    with pytest.raises(ConnectionError, match=r"ml-100k\.zip .*no route.*\$AELIB_DATA_DIR/movielens/ml-100k\.zip"):
        movielens_100k()
    assert list((cache / "movielens").iterdir()) == []
