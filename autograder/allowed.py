"""What a task asks for is not to be imported: its stub says what is not allowed, and who uses it is told so.

    # Not allowed here: aelib, torch.distributions, torch.nn.functional.gaussian_nll_loss, .backward

A name forbids everything below it, and one that begins with a dot forbids methods and attributes of that name. A long list
is given in several such lines. Code is only read here, never run. It follows names through imports, assignments and functions
of the student's own cells; it does not see through everything that a determined author can write.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from nbformat import NotebookNode

from autograder import source

LINE = re.compile(r"^ *# Not allowed here: *(.+)$", re.MULTILINE)
OPEN = ("aelib.data", "aelib.viz")
"""What every assignment works with, and what a task that forbids aelib does not mean."""
ROUNDABOUT = ("importlib", "__import__", "eval", "exec")
"""Ways to a name that cannot be followed; where anything is forbidden, these are too."""


def rules(notebook: NotebookNode) -> dict[str, tuple[str, ...]]:
    """The name of a solution cell -> what is not allowed there, for those of a source notebook that say so."""
    found = {}
    for cell in notebook.cells:
        if source.kind_of(cell) == "solution" and (lists := LINE.findall(cell.source)):
            found[cell.id] = tuple(name.strip() for names in lists for name in names.split(","))
    return found


def broken(master: NotebookNode, submission: NotebookNode) -> dict[str, str]:
    """Task -> what to say to a student who uses what is not allowed there.

    Args:
        master: the source notebook.
        submission: it, or a released notebook, with a student's text in its cells.
    """
    trees = {cell.id: _tree(cell.source) for cell in submission.cells if cell.cell_type == "code"}
    own = [trees[cell.id] for cell in submission.cells if cell.id in trees and source.kind_of(cell) in ("solution", "")]
    aliases = dict(alias for tree in trees.values() for alias in _aliases(tree))
    definitions = dict(definition for tree in own for definition in _definitions(tree))
    said = {}
    for cell, names in rules(master).items():
        used = _used(trees.get(cell, ast.Module([], [])), aliases, definitions)
        used |= {f"{module}.*" for tree in own for module in _stars(tree)}
        found = next((name for name in sorted(used) if _forbidden(name, (*names, *ROUNDABOUT))), None)
        if found:
            said[source.task_of(cell)] = (
                f"This task asks you to write it yourself. Your code uses {found.lstrip('.').removesuffix('.*')}, which is not "
                "allowed here; comparing with it in a cell of your own is fine."
            )
    return said


@lru_cache(maxsize=1024)  # most cells are the same in all submissions
def _tree(text: str) -> ast.Module:
    """The code of a cell without the lines that only IPython knows; what cannot be read uses nothing, and does not run either."""
    lines = ("" if line.lstrip().startswith(("%", "!", "?")) else line for line in text.splitlines())
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What imports make a name stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _stars(tree: ast.Module) -> Iterator[str]:
    """The modules of which everything is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield str(node.module)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The names that a student's cell defines at its top level, with what they stand for."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield name.id, node.value


def _used(tree: ast.AST, aliases: Mapping[str, str], definitions: Mapping[str, ast.AST]) -> set[str]:
    """The full names that code uses, also through the student's own definitions, and ".name" of each attribute."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [tree]
    while waiting:
        for node, local in _walk(waiting.pop(), frozenset()):
            if isinstance(node, ast.Attribute):
                found.add(f".{node.attr}")
            first, dot, rest = _dotted(node).partition(".")
            if not first or first in local:
                continue
            found.add(aliases.get(first, first) + dot + rest)
            if first in definitions and first not in seen:
                seen.add(first)
                waiting.append(definitions[first])
    return found


def _walk(node: ast.AST, local: frozenset[str]) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """All nodes, each with the names that are a function's own there: its arguments, and what it assigns to."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        inside = list(ast.walk(node))
        local |= {one.arg for one in inside if isinstance(one, ast.arg)}
        local |= {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    yield node, local
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, local)


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or of an attribute of one; "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _forbidden(name: str, names: tuple[str, ...]) -> bool:
    if any(name == one or name.startswith(f"{one}.") for one in OPEN):
        return False
    return any(name == one or name.startswith(f"{one}.") for one in names)
