"""Do what `nbdev-docs` does before it calls Quarto, notebook by notebook, and print a JSON list of what went wrong.

nbdev runs the exported cells of a notebook and those with an import in them, no others, and then shows the signature
and docstring of everything exported. Where a cell imports something *and* uses what an earlier cell made, that fails.
"""
import json
import os
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Iterator

from fastcore.nbio import read_nb
from nbdev.doclinks import nbglob
from nbdev.processors import FilterDefaults


def faults(path: Path) -> Iterator[str]:
    "What keeps a notebook from becoming a page"
    notebook, printed = read_nb(path), StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed): FilterDefaults()(notebook)
    except Exception as error:  # of whatever kind the notebook's code raises
        where = '\n'.join(str(error).splitlines()[:4])
        yield f'{path}: {error.__cause__!r}: put imports into a cell of their own. {where}'
        return
    for cell in notebook.cells:
        if cell.cell_type != 'code' or 'show_doc(' not in cell.source: continue
        shown = any('text/markdown' in output.get('data', {}) for output in cell.outputs)
        if shown: continue
        yield f'{path}: {cell.source.splitlines()[-1]} fails. Is a default value an array? Let None stand for it'


if __name__ == '__main__':
    os.environ['IN_TEST'] = '1'  # nbdev_export() in a notebook's last cell does nothing
    warnings.simplefilter('ignore')
    print(json.dumps([fault for path in sorted(nbglob(as_path=True)) for fault in faults(path)]))
