"""Quizzes on the built site in a real browser: what an option answers, what is kept, what paper shows."""

import json

import pytest

PAGE = "book/02_variants/08_vae.html"
pytestmark = pytest.mark.slow


@pytest.fixture
def page(served, chromium):
    """The page of a reader who has never been here."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{served}/{PAGE}")
    yield page
    context.close()


def questions(page):
    return page.locator("div.quiz.container")


def option(page, question, kind, number=0):
    return questions(page).nth(question).locator(f"details.quiz-{kind}").nth(number)


def progress(page):
    return page.locator(".quiz-progress span").inner_text()


def tick(page):
    return page.locator(".bd-sidebar-primary a.current .quiz-done")


def test_an_option_answers_when_it_is_chosen(page):
    wrong, right = option(page, 0, "wrong"), option(page, 0, "right")
    assert not wrong.locator(".quiz-feedback").is_visible()
    assert not page.locator(".quiz-progress").is_visible()
    wrong.locator("summary").click()
    assert wrong.locator(".quiz-feedback").inner_text().startswith("Not quite.")
    right.locator("summary").press("Enter")
    assert right.locator(".quiz-feedback").inner_text().startswith("Correct.")


def test_answers_are_counted_and_kept_in_the_browser(page):
    total = questions(page).count()
    option(page, 0, "wrong").locator("summary").click()
    option(page, 0, "right").locator("summary").click()
    option(page, 1, "right").locator("summary").click()
    page.wait_for_function("() => document.querySelector('.quiz-progress span').textContent.startsWith('2 of')")
    assert progress(page).startswith(f"2 of {total} answered right, 1 of them at the first try.")
    page.reload()
    assert progress(page).startswith(f"2 of {total} answered right, 1 of them at the first try.")
    assert option(page, 0, "wrong").locator(".quiz-feedback").is_visible()
    assert not option(page, 2, "right").locator(".quiz-feedback").is_visible()
    page.get_by_role("button", name="Start again").click()
    assert not option(page, 0, "right").locator(".quiz-feedback").is_visible()
    assert page.evaluate(
        "() => localStorage.length && Object.keys(localStorage).filter(key => key.includes('quiz'))"
    ) in (0, [])


def test_a_chapter_whose_quiz_is_solved_has_a_tick_on_every_page(page, served):
    assert tick(page).count() == 0
    for question in range(questions(page).count()):
        option(page, question, "right").locator("summary").click()
    tick(page).wait_for()
    page.goto(f"{served}/book/index.html")
    link = page.locator(f".bd-sidebar-primary a[href$='{PAGE.removeprefix('book/')}']")
    assert link.locator(".quiz-done").get_attribute("aria-label") == "quiz done"
    assert page.locator(".quiz-done").count() == 1


@pytest.mark.parametrize(
    "kept",
    ["no JSON", "null", "[]", '{"chosen": 3}', '{"chosen": {"QUESTION": [99, "x"]}}', '{"chosen": {"QUESTION": 1}}'],
)
def test_what_is_kept_may_be_anything(page, kept):
    first = questions(page).first.get_attribute("id")
    script = "([page, kept]) => localStorage.setItem('autoencoders/quiz/' + page, kept)"
    page.evaluate(script, [PAGE, kept.replace("QUESTION", first)])
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.reload()
    option(page, 0, "right").locator("summary").click()
    page.wait_for_function("() => document.querySelector('.quiz-progress span').textContent.startsWith('1 of')")
    assert errors == []
    assert json.loads(page.evaluate("page => localStorage.getItem('autoencoders/quiz/' + page)", PAGE))["solved"] == 1


def test_a_quiz_answers_where_nothing_can_be_kept(served, chromium):
    context = chromium.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden') } })")
    page = context.new_page()
    page.goto(f"{served}/{PAGE}")
    option(page, 0, "right").locator("summary").click()
    assert option(page, 0, "right").locator(".quiz-feedback").is_visible()
    page.wait_for_function("() => document.querySelector('.quiz-progress span').textContent.startsWith('1 of')")
    context.close()


def test_on_paper_every_answer_is_open_and_no_button_is_left(page):
    page.emulate_media(media="print")
    assert option(page, 0, "right").locator(".quiz-feedback").is_visible()
    assert not page.locator(".quiz-progress").is_visible()
