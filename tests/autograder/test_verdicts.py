"""Hidden tests from their text to the verdict: what is sent, what comes back, and what is believed of it."""

import base64
import importlib.util
import math
import os
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder import checks, probes, secret, values, verdicts
from autograder.sandbox.bubblewrap import INSIDE
from autograder.source import SourceError

DTYPES = [np.float64, np.float32, np.int64, np.bool_, np.complex64]
spec = importlib.util.spec_from_file_location("probing", INSIDE / "probing.py")
probing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(probing)


def entry(**named):
    return {"values": [[name, probing.encode(value)] for name, value in named.items()], "error": None}


def hidden(*lines):
    return probes.parse("t-values", ["probe(a=f(1))", *lines])


def judged(value, expected, *lines):
    return verdicts.judge(hidden(*lines), entry(a=expected), entry(a=value))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(arrays.arrays(st.sampled_from(DTYPES), arrays.array_shapes(min_dims=0)))
def test_arrays_come_back_as_they_were(array):
    np.testing.assert_array_equal(values.decode(probing.encode(array)), array)
    tensor = torch.from_numpy(np.array(array))
    np.testing.assert_array_equal(values.decode(probing.encode(tensor)), array)


def test_other_values_come_back_too():
    nested = {"a": [1.5, None, "text"], "b": (True, {"c": torch.ones(2, dtype=torch.bfloat16)})}
    found = values.decode(probing.encode(nested))
    assert found["a"][0] == 1.5
    assert found["a"][1:] == [None, "text"]
    np.testing.assert_array_equal(found["b"][1]["c"], [1, 1])
    assert values.decode(probing.encode(object())).name == "object"
    assert values.decode(probing.encode(2**100)).name == "int"


KEYS = ["array", "shape", "data", "text", "items", "entries", "values"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(JSON)
def test_whatever_is_handed_out_there_is_a_verdict(given):
    verdict = verdicts.judge(hidden(), entry(a=1.0), given)
    assert not verdict.passed
    assert verdict.message


@pytest.mark.parametrize(
    "forged",
    [
        {"array": "<f8", "shape": [2], "data": base64.b64encode(bytes(8)).decode()},
        {"array": "|O", "shape": [1], "data": "AAAAAAAAAAA="},
        {"array": "<f8", "shape": [-1], "data": ""},
        {"array": "<f8", "shape": [2**39], "data": ""},
        {"array": "<f8", "shape": [0, 2**39, 2**39], "data": ""},
        {"array": "<f8", "shape": [True], "data": "AAAAAAAAAAA="},
        {"array": "<f8", "shape": [1], "data": "no base64"},
    ],
)
def test_forged_arrays_are_refused(forged):
    with pytest.raises(values.ValuesError):
        values.decode(forged)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, 2),
        (torch.tensor(2), 2.0),
        (np.float32(2), torch.tensor(2.0)),
        (torch.tensor([2.0]), 2.0),
        (torch.ones(2, 3, dtype=torch.float32), np.ones((2, 3))),
        (1 + 1e-7, 1.0),
        (math.nan, math.nan),
        ([1, "a", None], [1.0, "a", None]),
    ],
)
def test_what_agrees(value, expected):
    assert judged(value, expected).passed


@pytest.mark.parametrize(
    ("value", "expected", "word"),
    [
        (2.1, 2.0, "by up to 0.1"),
        (math.nan, 2.0, "NaN"),
        (torch.ones(3), torch.ones(2), r"shape \(3,\); expected \(2,\)"),
        (torch.ones(1, 2), torch.ones(2), "shape"),
        ("2", 2, "no tensor"),
        (None, 2, "no tensor"),
        (object(), 2, "is of the type object"),
        ([1, 2], [1, 3], "part 2 differs"),
        ([1], [1, 2], "1 parts; expected 2"),
    ],
)
def test_what_does_not(value, expected, word):
    verdict = judged(value, expected)
    assert not verdict.passed
    assert re.search(word, verdict.message), verdict.message


@pytest.mark.parametrize(
    ("line", "good", "bad", "expected"),
    [
        ("close(rtol=0.1)", 1.05, 1.2, 1.0),
        ("shape()", [[5.0, 6.0]], [5.0, 6.0], [[1.0, 2.0]]),
        ("finite()", 7.0, math.inf, 1.0),
        ("non_negative()", [0.0, 3.0], [-1.0, 3.0], [1.0, 1.0]),
        ("increasing()", [1.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0, 0.0]),
        ("decreasing()", [2.0, 1.0, 1.0], [1.0, 0.0, 2.0], [0.0, 0.0, 0.0]),
        ("at_most(bound=3)", 3.0, 3.1, 1.0),
        ("at_most(times=1.05)", 2.1, 2.2, 2.0),
        ("at_least(times=0.9)", 1.8, 1.7, 2.0),
        ("up_to_sign()", [-1.0, 2.0], [1.0, 2.0], [1.0, -2.0]),
    ],
)
def test_checks(line, good, bad, expected):
    good, bad, expected = (torch.tensor(value) if isinstance(value, list) else value for value in (good, bad, expected))
    assert judged(good, expected, f"### CHECK a: {line}").passed
    assert not judged(bad, expected, f"### CHECK a: {line}").passed


def test_an_error_is_judged_by_the_grader_and_against_the_right_data():
    test = probes.parse("t", ["probe(x=x, x_hat=f(x))", '### CHECK x_hat: squared_error(to="x", times=1.1)'])
    x = np.arange(4.0)
    expected = entry(x=x, x_hat=x + 1.0)
    assert verdicts.judge(test, expected, entry(x=x, x_hat=x - 1.04)).passed
    assert not verdicts.judge(test, expected, entry(x=x, x_hat=x - 1.06)).passed
    # A submission that lies about x gains nothing, nor does one that hands out x in the place of its result.
    assert not verdicts.judge(test, expected, entry(x=x + 9, x_hat=x + 9)).passed
    assert "which no result can" in verdicts.judge(test, expected, entry(x=x, x_hat=x)).message


def test_in_a_loop_each_value_is_compared_with_the_one_of_its_round():
    test = probes.parse("t", ["for n in f: probe(x=n, x_hat=n)", '### CHECK x_hat: squared_error(to="x", times=1.1)'])
    rounds = [("x", np.zeros(2)), ("x_hat", np.ones(2)), ("x", np.ones(3)), ("x_hat", np.zeros(3))]
    expected = {"values": [[name, probing.encode(value)] for name, value in rounds], "error": None}
    assert verdicts.judge(test, expected, expected).passed
    swapped = {**expected, "values": [expected["values"][i] for i in (0, 1, 2, 2)]}
    swapped["values"][3] = ["x_hat", probing.encode(np.full(3, -1.0))]
    assert not verdicts.judge(test, expected, swapped).passed


def test_runs_that_cannot_be_told_apart():
    test = probes.parse("t", ["probe(a=f(1), w=f(2))", "### CHECK w: shape()"])
    one = entry(a=2.0, w=np.array([1.0, -1.0]))
    assert verdicts.alike(test, one, entry(a=2.0, w=np.array([-1.0, 1.0])))
    assert not verdicts.alike(test, one, entry(a=2.0, w=np.array([1.0])))
    assert not verdicts.alike(test, one, entry(a=2.1, w=np.array([1.0, -1.0])))
    assert not verdicts.alike(test, one, {**one, "error": "ValueError"})
    assert not verdicts.alike(test, one, entry(a=2.0))
    assert not verdicts.alike(test, one, entry(w=np.array([1.0, -1.0]), a=2.0))
    # A bound takes every number below it, but not each for the other when one is above.
    bound = hidden("### CHECK a: at_most(times=1.05)")
    assert verdicts.alike(bound, entry(a=2.0), entry(a=2.05))
    assert not verdicts.alike(bound, entry(a=2.0), entry(a=1.0))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(JSON)
def test_what_is_handed_out_can_always_be_compared(given):
    assert not verdicts.alike(hidden(), entry(a=1.0), given)


def test_only_pythons_own_errors_are_named():
    for error in ("print", "__import__", "Secret17", ["KeyError"], 17):
        message = verdicts.judge(hidden(), entry(a=1.0), {"values": [], "error": error}).message
        assert message == "On other inputs, your code raised an error."


def test_small_integers_do_not_wrap_around():
    falling = np.array([9, 5, 1], dtype=np.uint8)
    assert not judged(falling, np.arange(3.0), "### CHECK a: increasing()").passed
    assert judged(falling, np.arange(3.0), "### CHECK a: decreasing()").passed
    assert not judged(np.array([True, False, False]), np.arange(3.0), "### CHECK a: increasing()").passed


HUGE = [np.array([1e308, -1e308]), np.array([math.nan, -math.inf]), np.array([6e4, -6e4], dtype=np.float16)]


@pytest.mark.parametrize("check", sorted(checks.CHECKS))
@pytest.mark.parametrize("value", [*HUGE, np.array([1j, 2]), np.array([2**63 - 1, -(2**63)]), [1, 2], "x", None])
def test_no_value_breaks_a_check(check, value):
    """Warnings are errors here."""
    arguments = "to='a', times=1" if check == "squared_error" else ""
    verdict = judged(value, np.array([1.0, 2.0]), f"### CHECK a: {check}({arguments})")
    assert verdict.passed or verdict.message


def test_errors_and_missing_values():
    right = entry(a=1.0)
    raised = {"values": [], "error": "KeyError"}
    assert verdicts.judge(hidden(), right, raised).message == "On other inputs, your code raised KeyError."
    secretive = {"values": [], "error": "The input was 17"}
    assert "17" not in verdicts.judge(hidden(), right, secretive).message
    assert not verdicts.judge(hidden(), right, {"values": [], "error": None}).passed
    assert not verdicts.judge(hidden(), right, {**right, "error": "ValueError"}).passed
    assert not verdicts.judge(hidden(), right, None).passed
    assert not verdicts.judge(hidden(), right, entry(b=1.0)).passed
    assert not verdicts.judge(hidden(), right, {"values": [*right["values"], *right["values"]], "error": None}).passed


def test_what_is_sent_has_neither_comments_nor_checks():
    test = probes.parse("t", ["for n in (1, 2):  # two sizes", "    probe(a=f(n))", "### CHECK a: close(rtol=1e-3)"])
    assert test.code == "for n in (1, 2):\n    probe(a=f(n))"
    assert test.checks == (probes.Check("a", "close", {"rtol": 1e-3}),)
    request = probes.requests({"t": test}, b"key", "one")["t"]
    assert request.code == test.code
    assert request.seed != probes.requests({"t": test}, b"another key", "one")["t"].seed


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["x = 1"], "hands out no value"),
        (["probe(a=1)", "assert a"], "got an assert"),
        (["probe(a=1"], "not Python"),
        (["probe(a=1)", "### CHECK b: close()"], "about 'b'"),
        (["probe(a=1)", "### CHECK a: nonsense()"], "expected one of close"),
        (["probe(a=1)", "### CHECK a: close(tolerance=1)"], "unexpected keyword"),
        (["probe(a=1)", "### CHECK a: close(rtol=open('x'))"], "malformed"),
        (["probe(a=1)", "### CHECK a close"], "CHECK name"),
        (["probe(a=1)", "## CHECK a: close()"], "CHECK name"),
        (["probe(a=1)", "### check a: close()"], "CHECK name"),
        (["probe(a=1)", '### CHECK a: squared_error(to="z", times=1)'], "about 'z'"),
    ],
)
def test_a_hidden_test_that_breaks_a_rule_is_refused(lines, word):
    with pytest.raises(SourceError, match=word):
        probes.parse("t-values", lines)


def test_every_check_says_what_it_does():
    assert all(check.__doc__ and name == check.__name__ for name, check in checks.CHECKS.items())


def test_the_secret_is_made_once_and_is_nobody_elses(tmp_path):
    first = secret.of(tmp_path)
    assert secret.of(tmp_path) == first
    assert secret.of(tmp_path / "other") != first
    path = tmp_path / ".autograder" / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["secret"]
    os.chmod(path, 0o644)
    with pytest.raises(secret.SecretError, match="chmod 600"):
        secret.of(tmp_path)
    os.chmod(path, 0o600)
    path.write_bytes(b"short")
    with pytest.raises(secret.SecretError, match="holds 5 bytes"):
        secret.of(tmp_path)


def test_seeds_differ_by_course_assignment_and_test():
    seeds = {secret.seed(key, name, test) for key in (b"a", b"b") for name in ("1", "2") for test in ("x", "y")}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
