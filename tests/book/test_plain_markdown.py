"""MyST as plain Markdown: what each construct becomes, and that nothing passes through unknown."""

import pytest

QUESTION = {
    "question": "What is $z$ in {eq}`eq-a`?",
    "answers": [
        {"answer": "A code", "correct": True, "feedback": "It is short."},
        {"answer": "A loss", "correct": False, "feedback": "See {doc}`other`."},
    ],
}


@pytest.fixture
def plain(script):
    return script("plain_markdown")


@pytest.fixture
def convert(plain):
    """The plain form of a text on a page that has a few things to refer to."""
    page = plain.Page(
        name="page.md",
        names={"eq-a": "(1)", "ex-a": "Exercise 1", "thm-a": "Theorem 2"},
        roles={
            "doc": {"other": "[Other](other.ipynb)", "two words": "Two"}.__getitem__,
            "eq": {"eq-a": "(1)"}.__getitem__,
        },
        link={"../other": "../other.ipynb"}.__getitem__,
        quiz={"one": [QUESTION]}.__getitem__,
    )
    return lambda text, line=1: plain.to_markdown(text, page, line)


def test_roles_are_replaced_also_over_a_line_end(convert):
    assert convert("By {eq}`eq-a`, see {doc}`two\nwords`.") == "By (1), see Two."


def test_nothing_is_replaced_in_code(convert):
    for text in (
        "Write `{eq}` or `` {eq}`eq-a` `` or `[a](b)`.",
        "```python\nx = {eq}\n% no comment\n(label)=\n```",
        "```\n{eq}`eq-a`\n```",
    ):
        assert convert(text) == text


def test_links_to_pages_are_made_anew_and_others_stay(convert):
    text = "[Other](../other), [web](https://example.org/a_(b)), [below](#place)"
    assert convert(text) == text.replace("../other", "../other.ipynb")


def test_labels_become_anchors_and_comments_go(convert):
    text = "(top)=\n# Title\n\n% covers: A1\n% and more\n\nText."
    assert convert(text) == '<a id="top"></a>\n\n# Title\n\nText.'


def test_an_equation_with_a_label_gets_its_number(convert):
    assert convert("So\n\n$$\nx = 1\n$$ (eq-a)\n\nand $$ y $$.") == "So\n\n$$\nx = 1\n\\tag{1}\n$$\n\nand $$ y $$."


def test_a_definition_list_becomes_a_list(convert):
    assert convert("Code\n: What is kept,\n  and no more.") == "- **Code.** What is kept,\n  and no more."


def test_a_box_is_quoted_with_its_formulas_on_one_line(convert):
    text = (
        "```{admonition} Mind $x$\n:class: pitfall\nFrom $a\n+ b$ follows\n\n$$\nc\n= d\n$$ (eq-a)\n\n- one\n- two\n```"
    )
    assert convert(text).splitlines() == [
        "> **Mind $x$**",
        ">",
        "> From $a + b$ follows",
        ">",
        "> $$ c = d \\tag{1} $$",
        ">",
        "> - one",
        "> - two",
    ]
    assert convert(":::{note}\nText.\n:::") == "> **Note**\n>\n> Text."


def test_what_has_a_number_says_it(convert):
    exercise = "```{exercise} Hard\n:label: ex-a\n\nProve {eq}`eq-a`.\n```"
    assert convert(exercise) == '### <a id="ex-a"></a>Exercise 1 (Hard)\n\nProve (1).'
    theorem = "```{prf:theorem}\n:label: thm-a\n\nIt is so.\n```"
    assert convert(theorem) == '> <a id="thm-a"></a>**Theorem 2.**\n>\n> It is so.'
    assert convert("```{prf:proof}\nClear.\n```") == "**Proof.**\n\nClear."


def test_what_holds_other_blocks_converts_them_too(convert):
    note = "```{note}\nInner {eq}`eq-a`.\n```"
    text = f"Before.\n\n````{{solution}} ex-a\n:class: dropdown\n\nFirst.\n\n{note}\n\nLast.\n````\nAfter."
    assert convert(text) == (
        "Before.\n\n<details>\n<summary>Solution of Exercise 1</summary>\n\n"
        "First.\n\n> **Note**\n>\n> Inner (1).\n\nLast.\n\n</details>\n\nAfter."
    )
    assert convert(":::{dropdown} Why\nSo.\n:::") == "<details>\n<summary>Why</summary>\n\nSo.\n\n</details>"


def test_an_indented_block_stays_in_its_list_item(convert):
    assert convert("- item\n\n  ```{note}\n  Text.\n  ```").splitlines()[2:] == ["  > **Note**", "  >", "  > Text."]


def test_a_table_has_a_head_and_keeps_its_bars(convert):
    rows = "* - Need\n  - $p(x|z)$ and $\\|x\\|$,\n    and {eq}`eq-a`\n* - Have\n  - `a|b`"
    assert convert(f"```{{list-table}}\n:stub-columns: 1\n\n{rows}\n```").splitlines() == [
        "|  |  |",
        "| --- | --- |",
        r"| **Need** | $p(x\vert z)$ and $\Vert x\Vert $, and (1) |",
        r"| **Have** | `a\|b` |",
    ]
    headed = "```{list-table}\n:header-rows: 1\n\n* - A\n  - B\n* - 1\n  - 2\n```"
    assert convert(headed).splitlines() == ["| A | B |", "| --- | --- |", "| 1 | 2 |"]


def test_a_quiz_shows_the_options_and_folds_what_they_lead_to(convert):
    text = convert("```{quiz} one\n```")
    assert text.startswith("### Question 1 of 1\n\nWhat is $z$ in (1)?\n\n- (a) A code\n- (b) A loss\n\n<details>")
    assert "<summary>(a)</summary>\n\n**Correct.** It is short.\n" in text
    assert "<summary>(b)</summary>\n\n**Not quite.** See [Other](other.ipynb).\n" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n\n{what}`x`", r"page\.md:12: the role \{what\} is not known"),
        ("a\n{eq}`eq-b`", r"page\.md:11: \{eq\}`eq-b` leads nowhere: 'eq-b'"),
        ("[a](nowhere)", r"page\.md:10: .*leads nowhere: 'nowhere'"),
        ("a\n```{what}\n```", r"page\.md:11: the directive \{what\} is not known"),
        ("```{note}\ntext", r"page\.md:10: ```\{note\} is never closed"),
        ("```{exercise}\ntext\n```", r"page\.md:10: \{exercise\} : there is no 'label'"),
        ("```{solution} ex-b\n```", r"page\.md:10: \{solution\} ex-b: there is no 'ex-b'"),
        ("```{quiz} two\n```", r"page\.md:10: \{quiz\} two: there is no 'two'"),
        ("````{note}\n:class: a\n\n```{note}\n{what}`x`\n```\n````", r"page\.md:14: the role \{what\}"),
        ("half\n% of it", r"page\.md:11: a line that begins with % is a comment"),
        ("- half\n  of\n% it", r"page\.md:12: a line that begins with % is a comment"),
    ],
)
def test_what_is_not_known_is_an_error_that_says_where(plain, convert, text, message):
    with pytest.raises(plain.MystError, match=message):
        convert(text, line=10)
