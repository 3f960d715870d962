"""Run the notebooks' tests and the doctests; the last line is `N passed, N failed`.

    python scripts/test.py                             all notebooks, and realdata where there is real data
    python scripts/test.py nbs/01_faces.ipynb          one notebook
    python scripts/test.py --flags "slow ray"          also the cells with these flags
    python scripts/test.py --all                       also all flagged cells that this machine can run
"""
import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nbdev.config import get_config
from nbdev.doclinks import nbglob

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# One thread a process, since two run side by side; no display; and the tests promise to download nothing
SURROUNDINGS = {'MPLBACKEND': 'Agg', 'HF_HUB_OFFLINE': '1',
                'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1'}
DOCTESTED = ['deepfake_nbdev', 'scripts/readme.py', 'scripts/rooms.py', 'scripts/house.py', 'scripts/type_check.py']


@dataclass
class Result:
    "How one notebook, or all doctests, ended."
    name: str
    passed: int
    failed: int
    seconds: float
    output: str  # shown where something failed

    def __str__(self) -> str:
        verdict = 'FAIL' if self.failed else 'PASS' if self.passed else 'SKIP'
        return f'{verdict} {self.seconds:6.1f} s  {self.name}'


def run(
    command: list[str],
    limit: float,  # seconds, after which the process and all its children are killed
) -> tuple[int, str, float]:  # exit code, what it printed, seconds
    "Run a command with a time limit"
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | SURROUNDINGS, text=True, errors='replace',
                               start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try: output, code = process.communicate(timeout=limit)[0], process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, code = process.communicate()[0] + f'\nStopped: it took longer than {limit:.0f} s', 124
    return code, output, time.monotonic() - start


def test_notebook(path: Path, flags: str, limit: float) -> Result:
    "`nbdev-test` on one notebook"
    command = [str(BIN / 'nbdev-test'), str(path), '--flags', flags, '--n-workers', '0', '--do-print']
    code, output, seconds = run(command, limit)
    ran = f'Starting {path}' in output  # nbdev-test also calls it a success where the notebook says `skip_exec: true`
    return Result(str(path.relative_to(ROOT)), int(ran and code == 0), int(code != 0), seconds, output)


def test_docstrings(limit: float) -> Result:
    "The doctests of the exported modules and of the scripts; each counts"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / 'report.xml'
        command = [sys.executable, '-m', 'pytest', '-q', '--doctest-modules', *DOCTESTED, f'--junitxml={report}']
        code, output, seconds = run(command, limit)
        suites = ElementTree.parse(report).iter('testsuite') if report.exists() else []
        counts = [[int(suite.get(key)) for key in ('tests', 'failures', 'errors', 'skipped')] for suite in suites]
    tests, failures, errors, skipped = map(sum, zip(*counts)) if counts else (0, 0, 0, 0)
    failed = failures + errors or int(code not in (0, 5))  # 5: there is none
    return Result('doctests', tests - failures - errors - skipped, failed, seconds, output)


def has_real_data() -> bool:
    "Whether the real clips, which are never in the repository, are on this machine"
    return bool(os.environ.get('DEEPFAKE_REAL_DATA')) or (ROOT.parent / 'shared' / 'data').is_dir()


def possible_flags() -> list[str]:
    "The flags whose needs this machine meets, and a line on each of the others"
    import torch
    browsers = 'chromium', 'chromium-browser', 'google-chrome', 'chrome'
    met = {'slow': True, 'realdata': has_real_data(), 'cuda': torch.cuda.is_available(),
           'ray': importlib.util.find_spec('ray') is not None,
           'llm': all(map(importlib.util.find_spec, ('transformers', 'fastapi'))),
           'browser': any(map(shutil.which, browsers))}
    flags = get_config().tst_flags.split()
    for flag in flags:
        if not met.get(flag): print(f'Not run: cells marked `{flag}`, whose needs this machine does not meet')
    return [flag for flag in flags if met.get(flag)]


def longest_first() -> list[Path]:
    "All notebooks, so that the last ones to start are over soon"
    return sorted(nbglob(ROOT / 'nbs', as_path=True), key=lambda path: path.stat().st_size, reverse=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('notebooks', nargs='*', type=Path, help='which notebooks; none given: all, and the doctests')
    parser.add_argument('--flags', default='', help='run the cells with these flags too, e.g. "slow ray"')
    parser.add_argument('--all', action='store_true', help='run the cells with any flag whose needs this machine meets')
    parser.add_argument('--workers', type=int, default=2, help='how many notebooks at a time')
    parser.add_argument('--limit', type=float,
                        help='seconds a notebook may take; 300, or 1800 with flags that take longer')
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    flags = set(arguments.flags.split())
    if arguments.all: flags |= set(possible_flags())
    elif has_real_data(): flags.add('realdata')
    limit = arguments.limit or (1800 if flags - {'realdata'} else 300)
    notebooks = [path.resolve() for path in arguments.notebooks] or longest_first()
    if flags: print('With the cells marked', *sorted(flags), flush=True)
    with ThreadPoolExecutor(arguments.workers) as pool:
        jobs = [pool.submit(test_notebook, path, ' '.join(sorted(flags)), limit) for path in notebooks]
        if not arguments.notebooks: jobs.append(pool.submit(test_docstrings, limit))
        results = []
        for job in as_completed(jobs):
            results.append(job.result())
            print(results[-1], flush=True)
    for result in results:
        if result.failed: print(f'\n{"=" * 8} {result.name}\n{result.output.strip()}')
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    if not any(result.passed or result.failed for result in results if result.name != 'doctests'):
        print('\nNo notebook was tested: that is a failure')
        failed += 1
    print(f'\n{passed} passed, {failed} failed')
    return int(failed > 0)


if __name__ == '__main__': sys.exit(main())
