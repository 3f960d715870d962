"""Run notebooks and keep what they show, so that readers of the documentation and of GitHub see it.

    python scripts/outputs.py                      all notebooks
    python scripts/outputs.py nbs/01_faces.ipynb   this one
"""
import os
import subprocess
import sys
from pathlib import Path

os.environ |= {'TQDM_DISABLE': '1', 'MPLBACKEND': 'agg', 'IN_TEST': '1'}  # IN_TEST: nbdev_export() does nothing

from execnb.shell import CaptureShell
from fastcore.nbio import read_nb, write_nb
from nbdev.clean import nbdev_clean
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.test import nb_test_cells

ROOT = Path(__file__).resolve().parent.parent


def is_progress(output: dict) -> bool:
    "Warnings, and bars that draw over themselves"
    return output.get('name') == 'stderr' or '\r' in ''.join(output.get('text', ''))


def keep_outputs(path: Path):
    "Run what a test would run of a notebook, in its folder, and keep what it shows, but no progress bars and warnings"
    os.chdir(path.parent)
    shell, notebook = CaptureShell(mpl_format='png'), read_nb(path)
    tested = {cell.id for cell in nb_test_cells(path, skip_flags=get_config().tst_flags.split())}
    for cell in notebook.cells:
        if cell.cell_type != 'code': continue
        cell.outputs = []
        if cell.id in tested: shell.cell(cell)
        if shell.exc: raise SystemExit(f'{path.name}: {shell.exc!r} in\n{cell.source}')
        cell.outputs = [output for output in cell.outputs if not is_progress(output)]
    write_nb(notebook, path)
    nbdev_clean(path)


if __name__ == '__main__':
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(nbglob(ROOT / 'nbs', as_path=True))
    if len(paths) == 1: keep_outputs(paths[0])
    for path in paths if len(paths) > 1 else []:  # each in a process of its own
        subprocess.run([sys.executable, __file__, path], check=True)
        print(path.relative_to(ROOT), flush=True)
