// Keeps what a reader chose in the quizzes, in this browser alone, and shows it again. Without it the quizzes still answer (quiz.py).
"use strict";

const PREFIX = "autoencoders/quiz";
const ROOT = new URL(document.documentElement.dataset.content_root || "./", location.href).pathname;

/** The name of the page at an address, such as book/02_variants/08_vae.html; null for one outside of the book. */
function pageOf(address) {
  const url = new URL(address, location.href);
  return url.host === location.host && url.pathname.startsWith(ROOT) ? url.pathname.slice(ROOT.length) : null;
}

/** What was chosen on a page: the id of a question -> the numbers of its options, in the order of choice; and how many there are. */
function read(page) {
  try {
    const kept = JSON.parse(localStorage.getItem(`${PREFIX}/${page}`));
    if (kept && typeof kept.chosen === "object" && kept.chosen) return kept;
  } catch {
    // Storage may be forbidden, or hold what another version wrote: then nothing is known.
  }
  return { chosen: {}, questions: 0, solved: 0 };
}

function write(page, kept) {
  try {
    if (Object.keys(kept.chosen).length) localStorage.setItem(`${PREFIX}/${page}`, JSON.stringify(kept));
    else localStorage.removeItem(`${PREFIX}/${page}`);
  } catch {
    // A full or forbidden storage must not keep anybody from answering.
  }
}

/** Ticks in the table of contents for pages of which every question was answered right. */
function tick() {
  for (const link of document.querySelectorAll(".bd-sidebar-primary a.reference.internal")) {
    const kept = read(pageOf(link.href));
    const done = kept.questions > 0 && kept.solved === kept.questions;
    const mark = link.querySelector(".quiz-done");
    if (done && !mark) {
      link.insertAdjacentHTML("beforeend", '<span class="quiz-done" role="img" aria-label="quiz done" title="quiz done">\u2713</span>');
    } else if (!done && mark) mark.remove();
  }
}

class Quizzes {
  constructor(boxes) {
    this.page = pageOf(location.href);
    this.questions = boxes.map((box) => ({ id: box.id, options: [...box.querySelectorAll("details.quiz-option")] }));
    this.chosen = {};
    this.boxes = boxes;
    const before = read(this.page).chosen;
    for (const { id, options } of this.questions) {
      // A question that was changed has another id, and begins anew.
      const numbers = Array.isArray(before[id]) ? before[id].filter((number) => Number.isInteger(number) && options[number]) : [];
      for (const number of numbers) options[number].open = true;
      if (numbers.length) this.chosen[id] = numbers;
      options.forEach((option, number) => option.addEventListener("toggle", () => option.open && this.choose(id, number)));
    }
    this.line = document.createElement("p");
    this.line.className = "quiz-progress";
    this.line.innerHTML = '<span aria-live="polite"></span> <button type="button" class="btn btn-sm">Start again</button>';
    this.line.querySelector("button").addEventListener("click", () => this.startAgain());
    boxes.at(-1).after(this.line);
    this.show();
  }

  right(option) {
    return option.classList.contains("quiz-right");
  }

  choose(id, number) {
    const numbers = (this.chosen[id] ??= []);
    if (!numbers.includes(number)) numbers.push(number);
    this.show();
  }

  startAgain() {
    this.chosen = {};
    for (const { options } of this.questions) for (const option of options) option.open = false;
    this.show();
    this.questions[0].options[0].querySelector("summary").focus();
  }

  show() {
    const answered = this.questions.filter(({ id }) => this.chosen[id]);
    const solved = answered.filter(({ id, options }) => this.chosen[id].some((number) => this.right(options[number]))).length;
    const first = answered.filter(({ id, options }) => this.right(options[this.chosen[id][0]])).length;
    write(this.page, { chosen: this.chosen, questions: this.questions.length, solved });
    this.line.hidden = answered.length === 0;
    this.line.querySelector("span").textContent =
      `${solved} of ${this.questions.length} answered right, ${first} of them at the first try. This is kept in your browser only.`;
    tick();
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const boxes = [...document.querySelectorAll("div.quiz.container[id]")];
  if (boxes.length) new Quizzes(boxes);
  else tick();
});
