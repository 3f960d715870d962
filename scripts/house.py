"""The package's modules, who takes what from whom, and the notebooks' cells, as rooms.py looks at them."""
import ast
import re
from dataclasses import dataclass
from importlib.util import resolve_name
from pathlib import Path
from typing import Iterator

from fastcore.nbio import NbCell, read_nb

PACKAGE = 'deepfake_nbdev'
MODULE_NAME = re.compile(rf'\b{PACKAGE}(?:\.\w+)+')


@dataclass(frozen=True)
class Module:
    "A Python file of the package, or beside it."
    name: str  # dotted: `deepfake_nbdev.core.files`; that of a wing for its __init__.py
    path: Path
    lines: list[str]
    tree: ast.Module

    @property
    def package(self) -> str:
        "Where a relative import starts from"
        return self.name if self.path.name == '__init__.py' else self.name.rpartition('.')[0]


@dataclass(frozen=True)
class Import:
    "One name, or one whole module, that a module takes from another of the package."
    taker: str  # a module's dotted name
    giver: str
    name: str  # '' for the module itself
    line: int


@dataclass(frozen=True)
class Cell:
    "A code cell of a notebook."
    place: str  # `nbs/01_faces.ipynb #1a2b3c4d`
    source: str
    body: list[ast.stmt] | None  # None where it is not Python alone
    exports: bool

    @property
    def lines(self) -> list[str]: return self.source.splitlines()

    @property
    def only_imports(self) -> bool:
        "Whether it is neither something to show nor an example of it"
        return self.body is not None and all(isinstance(part, (ast.Import, ast.ImportFrom)) for part in self.body)


def load_modules(
    root: Path,
    folder: str,
    top: str='',  # the folder that imports start from
) -> dict[str, Module]:  # by dotted name
    "The Python files of a folder, but for nbdev's index"
    modules = {}
    for path in sorted((root / folder).rglob('*.py')):
        if path.name == '_modidx.py': continue
        name = '.'.join(path.relative_to(root / top).with_suffix('').parts).removesuffix('.__init__')
        text = path.read_text(encoding='utf-8')
        modules[name] = Module(name, path.relative_to(root), text.splitlines(), ast.parse(text))
    return modules


def as_cell(place: Path, cell: NbCell) -> Cell:
    "What the guards look at in a code cell"
    exports = {'export', 'exports', 'exporti'} & cell.directives.keys()
    return Cell(f'{place} #{cell.id}', cell.source, cell.parsed_(), bool(exports))


def load_notebooks(root: Path) -> dict[str, list[Cell]]:
    "The code cells of every notebook"
    notebooks = {}
    for path in sorted((root / 'nbs').rglob('*.ipynb')):
        place = path.relative_to(root)
        if any(part.startswith(('_', '.')) for part in place.parts): continue
        code = [cell for cell in read_nb(path).cells if cell.cell_type == 'code']
        notebooks[str(place)] = [as_cell(place, cell) for cell in code]
    return notebooks


def known_module(
    name: str,  # dotted, of a module or of something in one
    known: dict[str, Module],
) -> str:  # '' where there is none
    """The module that a dotted name leads to, as far as there are modules

    >>> known_module('deepfake_nbdev.core.files.atomic_path', {'deepfake_nbdev.core.files': ...})
    'deepfake_nbdev.core.files'
    """
    while name and name not in known: name = name.rpartition('.')[0]
    return name


def imports(
    module: Module,
    known: dict[str, Module],  # every module of the package
) -> Iterator[Import]:  # those from the package alone, inside functions too
    "What a module takes from others"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import): names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name('.' * node.level + (node.module or ''), module.package)
            names = [f'{base}.{alias.name}' for alias in node.names]
        else: continue
        for name in names:
            giver = known_module(name, known)
            if giver: yield Import(module.name, giver, name.removeprefix(giver).lstrip('.'), node.lineno)


def module_aliases(
    module: Module,
    known: dict[str, Module],
) -> dict[str, str]:  # what a module of the package is called here -> its dotted name
    "`from deepfake_nbdev.core import files as f` makes `f` stand for `deepfake_nbdev.core.files`"
    aliases = {PACKAGE: PACKAGE}
    for node in ast.walk(module.tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)): continue
        from_import = isinstance(node, ast.ImportFrom)
        base = resolve_name('.' * node.level + (node.module or ''), module.package) + '.' if from_import else ''
        for alias in node.names:
            called = alias.asname or alias.name
            if base + alias.name in known and '.' not in called: aliases[called] = base + alias.name
    return aliases


def docstrings(tree: ast.Module) -> set[int]:
    "The identities of the nodes that are docstrings"
    with_docstring = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, with_docstring) and node.body]
    return {id(first.value) for first in firsts if isinstance(first, ast.Expr)}


def named_in_strings(module: Module, known: dict[str, Module]) -> Iterator[Import]:
    "Modules of the package that a string names, to be imported or run later"
    prose = docstrings(module.tree)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose: continue
        for name in MODULE_NAME.findall(node.value):
            giver = known_module(name, known)
            if giver: yield Import(module.name, giver, '', node.lineno)
