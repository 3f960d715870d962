"""pyright over the package, by what pyproject.toml asks of it; prints what it finds.

pyright does not see the methods that fastcore's `@patch` adds to a class. Rather than believing every attribute, what
it says of those methods is left out, and every other unknown attribute is a fault.
"""
import ast
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Iterator

from house import PACKAGE, load_modules

ROOT = Path(__file__).resolve().parent.parent
UNKNOWN_ATTRIBUTE = re.compile(r'attribute "(\w+)" for class "(?:type\[)?(\w+)')


def is_patch(node: ast.stmt) -> bool:
    "Whether a function is decorated with `patch` or `patch(...)`"
    decorators = [getattr(part, 'func', part) for part in getattr(node, 'decorator_list', [])]
    return any(isinstance(part, ast.Name) and part.id == 'patch' for part in decorators)


def patched_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Class and method of everything that `@patch` adds

    >>> list(patched_names(ast.parse('@patch\\ndef read(self: Reading|Writing, n): pass')))
    [('Reading', 'read'), ('Writing', 'read')]
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not is_patch(node): continue
        for part in ast.walk(node.args.args[0].annotation or node):
            if isinstance(part, ast.Name): yield part.id, node.name


def patched_methods(trees: list[ast.Module]) -> set[tuple[str, str]]:
    "The same of the whole package, for the heirs of a class too"
    methods = defaultdict(set)
    for tree in trees:
        for owner, name in patched_names(tree): methods[owner].add(name)
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in classes:  # as often as there are classes: an heir's heirs are reached whatever the order
        for heir in classes:
            for base in heir.bases: methods[heir.name] |= methods[ast.unparse(base)]
    return {(owner, name) for owner, names in methods.items() for name in names}


def findings(root: Path) -> list[dict]:
    "pyright's errors; it asks nobody whether there is a newer pyright"
    command = [Path(sys.executable).parent / 'pyright', '--pythonpath', sys.executable, '--outputjson']
    surroundings = os.environ | {'PYRIGHT_PYTHON_IGNORE_WARNINGS': '1'}
    done = subprocess.run(command, cwd=root, env=surroundings, text=True, capture_output=True, timeout=600)
    if done.returncode not in (0, 1):
        raise RuntimeError(f'pyright ended in {done.returncode}: {done.stdout}{done.stderr}')
    said = json.loads(done.stdout)
    if not said['summary']['filesAnalyzed']: raise RuntimeError('pyright looked at no file')
    return [found for found in said['generalDiagnostics'] if found['severity'] == 'error']


def faults(root: Path=ROOT) -> Iterator[str]:
    "What is wrong with the types, a line each"
    patched = patched_methods([module.tree for module in load_modules(root, PACKAGE).values()])
    for found in findings(root):
        unknown = UNKNOWN_ATTRIBUTE.search(found['message'])
        if unknown and (unknown[2], unknown[1]) in patched: continue
        place = f'{os.path.relpath(found["file"], root)}:{found["range"]["start"]["line"] + 1}'
        yield f'{place}: {found["message"].splitlines()[0]} ({found.get("rule", "syntax")})'


if __name__ == '__main__':
    for fault in faults(): print(fault)
