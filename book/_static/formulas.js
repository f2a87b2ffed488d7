// MathJax sets a few formulas at a time, those in view first. In between the page answers its reader.
"use strict";

const AT_ONCE = 8;

function near(element) {
  const box = element.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

async function setInParts() {
  const all = [...document.querySelectorAll(".math")];
  const inView = all.filter(near);
  const waiting = [...inView, ...all.filter(element => !inView.includes(element))];
  while (waiting.length) {
    await MathJax.typesetPromise(waiting.splice(0, AT_ONCE));
    await new Promise(resolve => setTimeout(resolve));
  }
}

if (window.MathJax) {
  // MathJax.startup.promise is kept when all formulas are set.
  window.MathJax.startup = {
    typeset: false,
    pageReady: () => MathJax.startup.defaultPageReady().then(setInParts),
  };
}
