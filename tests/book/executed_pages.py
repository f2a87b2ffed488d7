"""Write the pages of the book, as the last build executed them, to a folder for nbval: ``python executed_pages.py FOLDER``.

They come from the execution cache, because the build takes the glued numbers out of the notebooks that it leaves in
``_build/jupyter_execute``, and these are what must come out the same a second time.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from book_pages import PAGES, ROOT, code_cells
from jupyter_cache import get_cache


def main(folder):
    cache = get_cache(ROOT / "_build" / ".jupyter_cache")
    for page in PAGES:
        if not code_cells(page):
            continue
        executed = cache.get_cache_bundle(cache.match_cache_notebook(jupytext.read(page)).pk).nb
        if not any(cell.get("outputs") for cell in executed.cells):
            # nbval has nothing to compare then, and passes.
            sys.exit(f"{page}: its execution left no output")
        target = folder / page.relative_to(ROOT).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(executed, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
