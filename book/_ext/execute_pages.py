"""Execute the pages of the book side by side, before Sphinx would do it one after the other: ``python execute_pages.py``.

The results go into the execution cache, in which Sphinx then finds them. A page that fails is left to Sphinx, which says where.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import jupytext
import yaml
from contents import ROOT, pages
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from nbformat import NotebookNode


def with_code() -> list[Path]:
    """The pages that hold code, the longest first: the best guess of what takes longest."""
    paths = [path for name in pages() if (path := ROOT / f"{name}.md").exists()]
    found = [path for path in paths if "{code-cell}" in path.read_text(encoding="utf-8")]
    return sorted(found, key=lambda page: -page.stat().st_size)


def execute(page: Path, timeout: int) -> tuple[NotebookNode, ExecutionResult]:
    """Run one page in a kernel of its own, as Sphinx would."""
    notebook = jupytext.read(page)
    return notebook, single_nb_execution(notebook, cwd=str(page.parent), timeout=timeout, allow_errors=False)


def silence() -> None:
    """Kernels say on stderr that they use TCP, each of them; what matters of a page comes back as its result."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def main() -> None:
    """Execute what the cache does not have."""
    # Several processes with one thread each are faster than many threads that fight.
    os.environ["OMP_NUM_THREADS"] = "1"
    timeout = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["execute"]["timeout"]
    cache = get_cache(ROOT / "_build" / ".jupyter_cache")
    waiting = []
    for page in with_code():
        try:
            cache.match_cache_notebook(jupytext.read(page))
        except KeyError:
            waiting.append(page)
    with ProcessPoolExecutor(min(len(waiting), os.cpu_count() or 1) or 1, initializer=silence) as pool:
        running = {pool.submit(execute, page, timeout): page for page in waiting}
        for done in as_completed(running):
            page, (notebook, result) = running[done].relative_to(ROOT), done.result()
            if result.err is not None:
                print(f"{page}: {result.err}", file=sys.stderr)
                continue
            bundle = CacheBundleIn(notebook, str(ROOT / page), data={"execution_seconds": result.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            print(f"{result.time:6.1f} s  {page}", flush=True)


if __name__ == "__main__":
    main()
