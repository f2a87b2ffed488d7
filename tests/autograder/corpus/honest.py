"""Right answers that look different from the model's, and what students do beside. None may lose a mark."""

from typing import Any

from .assignment import FULL, Material
from .case import Case, as_bytes, cell, filled, honest

CENTER_LOOP = """def center(x):
    mean = torch.zeros(x.shape[1])
    for row in x:
        mean += row / len(x)
    return torch.stack([row - mean for row in x])"""
CENTER_NUMPY = "def center(x):\n    x = x.numpy()\n    return x - x.mean(axis=0)"
CENTER_IN_PLACE = "def center(x):\n    x -= x.mean(0)\n    return x"
CENTER_CLASS = '''from dataclasses import dataclass

@dataclass
class Centerer:
    """\u4e2d\u5fc3\u5316\uff1a\u51cf\u53bb\u5747\u503c\u3002 Zieht den Mittelwert ab: \u00fcberall."""

    mean: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.mean

def center(x: torch.Tensor) -> torch.Tensor:
    return Centerer(x.mean(dim=0, keepdim=True))(x)'''
KL_TORCH = """from torch.distributions import Normal, kl_divergence

def gaussian_kl(mu, logvar):
    each = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    return each.sum(-1)"""
KL_LOUD = """import warnings, sys, logging

def gaussian_kl(mu, logvar):
    warnings.warn("is this right?")
    print("mu", mu, file=sys.stderr)
    logging.warning("computing")
    with torch.no_grad():
        return 0.5 * (mu.pow(2) + logvar.exp() - 1 - logvar).sum(dim=-1)"""
KL_LIST = """def gaussian_kl(mu, logvar):
    import math
    rows = zip(mu.reshape(-1, mu.shape[-1]).tolist(), logvar.reshape(-1, mu.shape[-1]).tolist())
    return np.array([sum((m * m + math.exp(v) - 1 - v) / 2 for m, v in zip(*row)) for row in rows]).reshape(mu.shape[:-1])"""
KL_FLOAT32 = """def gaussian_kl(mu, logvar):
    return (0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)).to(torch.float32).double()"""
KL_GRADIENT = """def gaussian_kl(mu, logvar):
    mu = mu.clone().requires_grad_()
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)"""
DIRECTION_SVD = "def direction(S):\n    return -torch.linalg.svd(S)[2][0]"
DIRECTION_POWER = """def direction(S):
    w = torch.arange(1.0, len(S) + 1)
    for _ in range(3000):
        w = S @ w
        w = w / w.norm()
    return w"""
DIRECTION_NUMPY = """def direction(S):
    values, vectors = np.linalg.eig(S.numpy())
    return torch.from_numpy(vectors[:, values.argmax()])"""

FIGURE = """%matplotlib inline
import matplotlib.pyplot as plt
fig, axes = plt.subplots(1, 2)
axes[0].plot(center(torch.tensor([[1.0], [5.0]])).numpy())
axes[1].imshow(np.random.rand(8, 8))
plt.show()"""
BAR = "from tqdm.auto import tqdm\nimport time\nfor _ in tqdm(range(20)): time.sleep(0.01)"
FILES = """import tempfile, pathlib
path = pathlib.Path("mine.txt")
path.write_text("notes")
assert path.read_text() == "notes"
with tempfile.TemporaryDirectory() as folder: torch.save(torch.ones(3), folder + "/x.pt"); print(torch.load(folder + "/x.pt"))"""
POOL = """import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(abs, [-1, -2, -3]))"""
LOADER = """from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
print(sum(float(batch[0].sum()) for batch in loader))"""
TRAIN = """model = torch.nn.Linear(3, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(200):
    loss = (model(torch.ones(5, 3)) - 1).square().mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
print(float(loss))"""
MAGICS = (
    "%time sum(range(1000))\n%timeit -n 1 -r 1 sum(range(1000))\n%env\n!echo hello\n%load_ext autoreload\n%autoreload 2"
)
WIDGETS = """from IPython.display import HTML, Markdown, display
display(HTML("<b onclick='alert(1)'>bold</b><script>alert(1)</script>"), Markdown("**mine**"), {"a": 1})"""

CASES: list[Case] = [
    honest("the model's answers"),
    honest("loops", center=CENTER_LOOP, direction=DIRECTION_POWER),
    honest("numpy", center=CENTER_NUMPY, kl=KL_LIST, direction=DIRECTION_NUMPY),
    honest("in place", center=CENTER_IN_PLACE),
    honest("a class, type hints, other languages", center=CENTER_CLASS),
    honest("torch's own", kl=KL_TORCH, direction=DIRECTION_SVD),
    honest("warnings and prints", kl=KL_LOUD),
    honest("float32 within the tolerance", kl=KL_FLOAT32),
    honest("values with a gradient", kl=KL_GRADIENT),
    honest(
        "helpers before an answer",
        {"center-task": "def helper(x):\n    return x.mean(0)"},
        center="def center(x):\n    return x - helper(x)",
    ),
    honest("answers in a cell of one's own", {"kl": KL_TORCH}, kl="def gaussian_kl(mu, logvar):\n    pass"),
    honest("names redefined later", {"direction-line": "x = mean = k = torch = np = probe = draw = 3"}),
    honest("a function redefined later", {"center-values": "def center(x):\n    return None"}),
    honest(
        "a cell that fails", {"setup": "1 / 0", "center-values": "undefined_name", "direction-line": "raise SystemExit"}
    ),
    honest("figures", {"center-values": FIGURE}),
    honest("a progress bar", {"setup": BAR}),
    honest("files of one's own", {"setup": FILES}),
    honest("two processes", {"setup": POOL}),
    honest("a data loader with two workers", {"setup": LOADER}),
    honest("training", {"direction-line": TRAIN}),
    honest("magics", {"setup": MAGICS}),
    honest(
        "cells within cells",
        {
            "intro": "%%capture\nx = 1",
            "setup": "%%capture out\n%time x = 2",
            "center-task": "get_ipython().run_cell('x = 3')",
        },
    ),
    honest("HTML and widgets", {"setup": WIDGETS}),
    honest(
        "another default type, put back",
        {"setup": "torch.set_default_dtype(torch.float32)", "intro": "import torch"},
        center="def center(x):\n    return x.double() - x.double().mean(0)",
    ),
    honest(
        "seeds and threads",
        {"setup": "torch.manual_seed(0); np.random.seed(0); torch.set_num_threads(2); import random; random.seed(1)"},
    ),
    honest("no gradients anywhere", {"setup": "torch.set_grad_enabled(False); torch.inference_mode(True).__enter__()"}),
    honest(
        "a second of work",
        {
            "direction-line": "import time\nend = time.time() + 1\nwhile time.time() < end: torch.ones(100) @ torch.ones(100)"
        },
    ),
    honest("a long output", {"direction-line": "for i in range(5000): print(i, 'of many lines')"}),
    honest(
        "asserts and tests of one's own",
        {"center": "import unittest\nassert torch.allclose(center(torch.ones(2, 2)), torch.zeros(2, 2))"},
    ),
    honest("input that is not reached", {"setup": "if False:\n    input('go on?')"}),
    honest(
        "a deep recursion that ends",
        {"setup": "import sys\nsys.setrecursionlimit(5000)\ndef f(n): return n and f(n - 1)\nf(3000)"},
    ),
    honest("half a gigabyte, freed again", {"setup": "big = torch.ones(50_000_000)\nprint(float(big.sum()))\ndel big"}),
]


def _as_jupyterlab_saves(material: Material) -> bytes:
    """With what editors write into cells: times, outputs, folded headings, pictures, slides, other kernels' names."""
    notebook: dict[str, Any] = filled(material, material.right)
    notebook["metadata"] = {
        "kernelspec": {"display_name": "course", "language": "python", "name": "conda-env-course-py"},
        "language_info": {"name": "python", "version": "3.12.1", "codemirror_mode": {"name": "ipython", "version": 3}},
        "toc-autonumbering": True,
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    }
    for number, one in enumerate(notebook["cells"]):
        one["metadata"] |= {"scrolled": True, "collapsed": False, "tags": [], "slideshow": {"slide_type": "slide"}}
        one["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
        if one["cell_type"] == "code":
            one["execution_count"] = number
            one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1\n", "2\n"]}]
        one["source"] = one["source"].splitlines(keepends=True)
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    notes = {
        **cell(
            "My notes \U0001f600: ![](attachment:image.png)", "markdown", nbgrader={"grade": False, "solution": False}
        )
    }
    notebook["cells"] += [{**notes, "attachments": {"image.png": {"image/png": png}}}, cell("", "raw"), cell("")]
    return as_bytes(notebook)


CASES.append(Case("as JupyterLab saves it", "honest", _as_jupyterlab_saves, score=FULL))
