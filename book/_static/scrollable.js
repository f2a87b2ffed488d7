// What is wider than its column scrolls sideways. Then the Tab key must reach it, or nobody can scroll it without a mouse.
"use strict";

const WIDE = "mjx-container[display], table, pre, p, li, dd, dt";

function reach() {
  for (const element of document.querySelectorAll(`.bd-article :is(${WIDE})`)) {
    const larger = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    const scrolls = larger && ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    if (scrolls && !element.hasAttribute("tabindex")) {
      element.tabIndex = 0;
      element.dataset.scrolls = "";
    } else if (!scrolls && "scrolls" in element.dataset) {
      element.removeAttribute("tabindex");
      delete element.dataset.scrolls;
    }
  }
}

let waiting = 0;
function reachSoon() {
  clearTimeout(waiting); // when the page has come to rest: to ask for sizes while it changes is slow
  waiting = setTimeout(reach, 100);
}

function start() {
  reach();
  window.addEventListener("resize", reachSoon);
  document.addEventListener("toggle", reachSoon, true); // a folded solution that is opened
  new ResizeObserver(reachSoon).observe(document.querySelector(".bd-article") ?? document.body); // images that come late
}

window.addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(start));
