"""The ``{at-scale}`` directive: a box with what a chapter's question gives on real data of full size.

    ```{at-scale} codes
    :columns: mse knn
    What the table shows.
    ```

The table is read from ``benchmarks/results/at_scale.json``, which ``make at-scale`` writes: mean and spread over seeds. Without
``:columns:`` it has all of them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from contents import ROOT
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec

RESULTS = ROOT / "benchmarks" / "results" / "at_scale.json"
DATA = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "ecg5000": "ECG5000"}
METHODS = {
    "pca": "PCA",
    "vae": "VAE",
    "linear": "best linear map",
    "sequence_transformer": "Transformer",
    "mahalanobis": "Mahalanobis distance",
}
# Metric -> the head of its column, and what its values are multiplied by.
COLUMNS = {
    "mse": ("1000 MSE", 1000),
    "explained_variance": ("explained variance (%)", 100),
    "knn": ("5 nearest neighbors (%)", 100),
    "few_labels": ("accuracy, 100 labels (%)", 100),
    "nll": (r"$-\log p(x)$ (nats)", 1),
    "negative_elbo": ("-ELBO (nats)", 1),
    "negative_elbo_first": ("-ELBO, the same images (nats)", 1),
    "negative_elbo_foreign": ("-ELBO, the other set (nats)", 1),
    "auroc_foreign": ("AUROC of foreign (%)", 100),
    "kl": ("KL (nats)", 1),
    "active_units": ("active units", 1),
    "auroc": ("AUROC (%)", 100),
    "auprc": ("AUPRC (%)", 100),
    "mse_normal": ("1000 MSE, normal", 1000),
    "mse_abnormal": ("1000 MSE, abnormal", 1000),
}


def read() -> dict[str, Any]:
    """All that was measured."""
    result: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return result


def value(entry: Mapping[str, float | None], scale: float) -> str:
    """mean ± standard deviation, with the digits that the spread allows; the mean alone where nothing varied."""
    mean, std = scale * (entry["mean"] or 0.0), scale * (entry["std"] or 0.0)
    places = 1 if abs(mean) >= 10 else 2
    return f"{mean:.{places}f}" + (f"\u202f±\u202f{std:.{places}f}" if round(std, places) else "")


def table(result: Mapping[str, Any], name: str, columns: Sequence[str] = ()) -> str:
    """One table as Markdown: a row for each data set, method and size of the code, as far as there are several.

    Raises:
        KeyError: if there is no such table or column.
    """
    rows = result["table"][name]
    about = {
        "data": [DATA[row["data"]] for row in rows],
        "method": [METHODS.get(row["method"], row["method"].replace("_", " ")) for row in rows],
        "code": [str(row["latent_dim"] or "") for row in rows],
    }
    about = {head: column for head, column in about.items() if len({*column} - {""}) > 1}
    metrics = columns or [metric for metric in COLUMNS if metric in rows[0]]
    lines = [[*about, *(COLUMNS[metric][0] for metric in metrics)]]
    lines.append([*(":--" for _ in about), *("--:" for _ in metrics)])
    for row, *first in zip(rows, *about.values(), strict=True):
        lines.append([*first, *(value(row[metric], COLUMNS[metric][1]) for metric in metrics)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def footnote(result: Mapping[str, Any], name: str) -> str:
    """How many examples and seeds are behind a table, and the command that makes it."""
    rows = result["table"][name]
    sizes = []
    for data in dict.fromkeys(row["data"] for row in rows):
        parts = result["examples"][data]
        sizes.append(f"{DATA[data]}: {parts['train']:,} to train on, {parts['test']:,} to test on.")
    seeds = max(row[metric]["seeds"] for row in rows for metric in COLUMNS if metric in row)
    about = f"Mean ± standard deviation over {seeds} seeds. `make at-scale` makes this table ({result['machine']})."
    return f"*{' '.join(sizes)} {about}*"


def text(name: str, prose: str, columns: str = "") -> str:
    """What stands in the box; the names of columns are separated by blanks."""
    result = read()
    return f"{prose}\n\n{table(result, name, columns.split())}\n\n{footnote(result, name)}"


def title(name: str) -> str:
    """The box's title: the data sets of its table."""
    return f"At scale: {' and '.join(dict.fromkeys(DATA[row['data']] for row in read()['table'][name]))}"


class AtScale(SphinxDirective):
    """``{at-scale} TABLE`` with what is to be said about it."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {"columns": directives.unchanged_required}
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        name = self.arguments[0]
        self.env.note_dependency(str(RESULTS))
        box = nodes.admonition(classes=["admonition", "at-scale"])
        box += nodes.title("", title(name))
        written = text(name, "\n".join(self.content), self.options.get("columns", ""))
        lines = StringList(written.splitlines(), self.get_source_info()[0])
        self.state.nested_parse(lines, self.content_offset, box)
        return [box]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("at-scale", AtScale)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
