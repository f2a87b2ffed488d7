"""What a slip is: each kind is made, one at a time, and nothing else is touched."""

import ast

import pytest

from autograder.mutate import mutants


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("y = a + b", {"y = a - b"}),
        ("y = a @ b", set()),
        ("y -= a", {"y += a", "pass"}),
        ("y = a < b", {"y = a <= b", "y = a > b"}),
        ("y = a and b", {"y = a or b"}),
        ("y = -a", {"y = a"}),
        ("y = not a", {"y = a"}),
        ("y = x[3]", {"y = x[4]", "y = x[2]"}),
        ("y = 0.5", {"y = 1.0", "y = 0.25"}),
        ("y = 0.0", {"y = 1.0", "y = 2.0"}),
        ("y = True", {"y = False"}),
        ("y = x.sum()", {"y = x.mean()"}),
        ("y = torch.exp(x)", {"y = torch.expm1(x)"}),
        ("y = x.detach()", {"y = x"}),
        ("y = x.T", {"y = x"}),
        ("y = x.flip(0)", {"y = x", "y = x.flip(1)", "y = x.flip(-1)"}),
        ("y = f(a, b=c)", {"y = f(a, )"}),
        ("y = a if b else c", {"y = a if not (b) else c"}),
        ("y = a, b", {"y = b, a"}),
        ("f(x)", {"pass"}),
        ("if a:\n    y = b", {"if not (a):\n    y = b"}),
        ("with torch.no_grad():\n    y = b", {"if True:\n    y = b"}),
    ],
)
def test_each_kind_of_slip(code, expected):
    found = mutants(code)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_function_keeps_its_head_its_docstring_and_its_comments():
    code = 'def f(x: int = 3) -> int:\n    """Adds 1 and -2."""\n    # not 5\n    return x + 7\n'
    found = mutants(code)
    assert set(found) == {code.replace("x + 7", other) for other in ("x - 7", "x + 8", "x + 6")}


def test_every_mutant_is_python_and_another_program():
    code = "def f(x, k):\n    order = x.argsort(dim=-1)[..., :k]\n    return (x - x.mean(0)).T @ x / len(x), order\n"
    found = mutants(code)
    trees = {ast.dump(ast.parse(mutant)) for mutant in found}
    assert len(trees) == len(found)
    assert ast.dump(ast.parse(code)) not in trees
    assert len(found) > 10
