"""How soon an explorer answers in a browser, on a built page that is served from this machine.

Each round opens the page in a browser without anything in its cache. "runtime ready": from the explorer coming into view to its
model being ready; a reader does not wait for it unless to touch the explorer at once. "first response": from the first key that
moves something to the changed picture. "response": the same for the keys after it, in the median.
"""

import statistics

import report
from built_site import chromium, served
from playwright.sync_api import sync_playwright

PAGE = "book/02_variants/08_vae.html"
KEYS = 20

# Presses a key on the first control, and waits for the frame in which the first canvas is another.
RESPONSE = """(root, key) => new Promise(resolve => {
  const canvas = root.querySelector("canvas"), pad = root.querySelector(".explorer-pad");
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const shown = () => context.getImageData(0, 0, canvas.width, canvas.height).data.join();
  const before = shown(), start = performance.now();
  const look = () => shown() === before ? requestAnimationFrame(look) : resolve((performance.now() - start) / 1000);
  pad.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true}));
  look();
})"""
READY = """root => new Promise(resolve => {
  const start = performance.now();
  const look = () => root.matches(".explorer-ready") ? resolve((performance.now() - start) / 1000) : requestAnimationFrame(look);
  root.scrollIntoView({behavior: "instant"});
  look();
})"""


def measure(browser, address):
    """The three times of one round."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.wait_for_timeout(500)  # the page's own scripts have come to rest
    root = page.locator(".explorer").first.element_handle()
    ready = root.evaluate(READY)
    first, *others = [root.evaluate(RESPONSE, key) for key in ("ArrowRight", "ArrowLeft") * (KEYS // 2)]
    context.close()
    return ready, first, statistics.median(others)


def main():
    options = report.options(__doc__)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        rounds = [measure(browser, f"{address}/{PAGE}") for _ in range(2 if options.quick else 9)]
        result = {**report.about(options), "browser": f"Chromium {browser.version}", "page": PAGE}
        browser.close()
    for name, times in zip(("runtime ready", "first response", "response"), zip(*rounds)):
        result[name] = report.summary(list(times))
    result["rounds"] = len(rounds)
    report.write(options.out, result)


if __name__ == "__main__":
    main()
