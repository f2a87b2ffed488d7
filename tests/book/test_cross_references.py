"""What pages refer to, as a notebook says it."""

import pytest
from pybtex.database import parse_string

FIRST = """(first)=
# The first page

$$
a
$$ (eq-a)

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-a
    caption: "A."
---
# not a title
```

```{prf:theorem} T
:label: thm-a
```

```{exercise}
:label: ex-a
```

(inner)=
## A *section*

$$ b $$

$$
c
$$ (eq-c)

```{prf:lemma}
:label: lem-a
```

```{exercise} Named
:class: hard
:label: ex-b
```
"""
WORKS = r"""
@misc{one2001, author = {Bj{\"o}rck, {\AA}ke}, title = {On {F}r{\'e}chet}, year = {2001}, doi = {10.1/x(1)}}
@misc{two2002, author = {van den Oord, A. and Razavi, B.}, title = {Two}, year = {2002}, url = {https://example.org/two}}
@misc{three2003, author = {Gao, A. and B, B. and C, C.}, title = {Three}, year = {2003}, doi = {10.1/y}}
"""


@pytest.fixture
def module(script):
    return script("cross_references")


@pytest.fixture
def roles(module):
    """The roles of a second page, beside one with code and one without."""
    texts = {
        "part/first": FIRST,
        "part/second": "(second)=\n# The second page\n```{code-cell}\n```\n```{exercise}\n:label: ex-s\n```\n$$\nx\n$$ (eq-s)",
        "reference/words": "(words)=\n# Words",
    }
    titles = {"part/first": "The first page", "part/second": "The second page", "reference/words": "Words"}
    works = parse_string(WORKS, "bibtex").entries
    book = module.Book(texts, titles, {page: module.names(text) for page, text in texts.items()}, works)
    return module.page_of(book, "part/second", {"n": "3.14"}).roles


def test_numbers_count_from_one_for_each_kind(module):
    assert module.names(FIRST) == {
        "first": "The first page",
        "eq-a": "(1)",
        "fig-a": "Figure 1",
        "thm-a": "Theorem 1",
        "ex-a": "Exercise 1",
        "inner": "A *section*",
        "eq-c": "(2)",
        "lem-a": "Lemma 1",
        "ex-b": "Exercise 2",
    }


@pytest.mark.parametrize(
    ("role", "content", "plain"),
    [
        ("ref", "ex-s", "[Exercise 1](#ex-s)"),
        ("eq", "eq-s", "(1)"),
        ("eq", "eq-c", "[(2) of The first page](first.ipynb)"),
        ("numref", "fig-a", "[Figure 1 of The first page](first.ipynb#fig-a)"),
        ("prf:ref", "the theorem <thm-a>", "[the theorem](first.ipynb#thm-a)"),
        ("ref", "first", "[The first page](first.ipynb#first)"),
        ("ref", "some words <words>", "some words"),
        ("doc", "first", "[The first page](first.ipynb)"),
        ("doc", "back <first>", "[back](first.ipynb)"),
        ("doc", "/part/first", "[The first page](first.ipynb)"),
        ("doc", "../reference/words", "Words"),
        ("term", "codes <code>", "codes"),
        ("term", "code", "code"),
        ("glue:text", "n", "3.14"),
        ("cite:t", "one2001", "Björck (2001)"),
        ("cite:t", "two2002, three2003", "van den Oord and Razavi (2002), Gao et al. (2003)"),
        ("cite", "two2002,three2003", "(van den Oord and Razavi, 2002; Gao et al., 2003)"),
    ],
)
def test_a_reference_says_what_it_leads_to(roles, role, content, plain):
    assert roles[role](content) == plain


@pytest.mark.parametrize(
    ("role", "content"),
    [("ref", "none"), ("doc", "none"), ("doc", "/first"), ("cite", "none1999"), ("glue:text", "m")],
)
def test_what_is_not_there_is_a_key_error(roles, role, content):
    with pytest.raises(KeyError, match=r"none|first|m"):
        roles[role](content)


def test_a_link_to_a_page_without_code_is_an_error(module):
    texts = {"a": "# A\n```{code-cell}\n```", "b": "# B"}
    page = module.page_of(module.Book(texts, {"a": "A", "b": "B"}, {"a": {}, "b": {}}, {}), "a", {})
    with pytest.raises(KeyError, match="b has no code"):
        page.link("b")


def test_the_list_of_works_has_titles_and_places(module):
    works = parse_string(WORKS, "bibtex").entries
    texts = {"a": "# A\n{cite}`two2002,one2001` {cite:t}`one2001`"}
    text = module.references(module.Book(texts, {"a": "A"}, {"a": {}}, works), "a")
    assert text.splitlines()[2:] == [
        "- Björck (2001). *On Fréchet*. <https://doi.org/10.1/x(1)>",
        "- van den Oord and Razavi (2002). *Two*. <https://example.org/two>",
    ]
