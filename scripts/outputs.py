"""Run notebooks and keep what they show, so that readers of the documentation and of GitHub see it.

    python scripts/outputs.py                      all notebooks
    python scripts/outputs.py nbs/01_faces.ipynb   this one
"""
import os
import subprocess
import sys
from pathlib import Path

os.environ |= {'TQDM_DISABLE': '1', 'MPLBACKEND': 'agg'}

from execnb.nbio import read_nb, write_nb
from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.process import NBProcessor

ROOT = Path(__file__).resolve().parent.parent


def is_skipped(cell: dict) -> bool:
    "Cells that need special equipment, those marked not to run, and the export at the end"
    directives = getattr(cell, 'directives_', None) or {}
    return (directives.get('eval:', [''])[0] == 'false' or bool(set(get_config().tst_flags.split()) & directives.keys())
            or 'nbdev_export()' in cell.source)


def is_progress(output: dict) -> bool:
    "Warnings, and bars that draw over themselves"
    return output.get('name') == 'stderr' or '\r' in ''.join(output.get('text', ''))


def keep_outputs(path: Path):
    "Run a notebook's cells in its folder and write them back with what they show, but no progress bars and warnings"
    os.chdir(path.parent)
    shell, notebook, processed = CaptureShell(mpl_format='png'), read_nb(path), NBProcessor(path, process=True).nb
    for cell, known in zip(notebook.cells, processed.cells, strict=True):
        if cell.cell_type != 'code': continue
        cell.outputs = []
        if is_skipped(known): continue
        shell.cell(cell)
        if shell.exc: raise SystemExit(f'{path.name}: {shell.exc!r} in\n{cell.source}')
        cell.outputs = [output for output in cell.outputs if not is_progress(output)]
    write_nb(notebook, path)


if __name__ == '__main__':
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(nbglob(ROOT / 'nbs', as_path=True))
    if len(paths) == 1: keep_outputs(paths[0])
    for path in paths if len(paths) > 1 else []:  # each in a process of its own
        subprocess.run([sys.executable, __file__, path], check=True)
        print(path.name, flush=True)
