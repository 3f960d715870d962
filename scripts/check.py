"""All that must hold before a change is merged; the last line is `N passed, N failed`.

    python scripts/check.py                  every check, the tests, the built wheel
    python scripts/check.py exports readme   these checks alone
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Callable, Iterator, Mapping

from nbdev.config import get_config, read_version
from nbdev.doclinks import nbglob
import rooms as guards
from readme import RELATIVE_LINK, render

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIBRARY, NOTEBOOKS = ROOT / 'deepfake_nbdev', ROOT / 'nbs'
MAX_OUTPUT, MAX_FILE = 50 * 1024, 1_000_000
CLIPS_AND_WEIGHTS = {'.avi', '.mkv', '.mov', '.mp4', '.mpg', '.webm', '.npz', '.onnx', '.pt', '.pth', '.safetensors'}
COUNT = re.compile(r'^(\d+) passed, (\d+) failed$')


def project_files() -> list[Path]:
    "The project as it stands here: tracked files and new ones that git does not ignore, relative to its root"
    listed = subprocess.check_output(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], cwd=ROOT, text=True)
    return [Path(name) for name in sorted(set(listed.split('\0')) - {''}) if (ROOT / name).is_file()]


def copy_project(folder: Path) -> Path:
    "A copy of the project in a folder, for what changes files"
    for name in project_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def run(command: list, folder: Path, limit: float=600, **environment: str) -> str:
    "What a command prints; where it fails, that goes into the error"
    done = subprocess.run(list(map(str, command)), cwd=folder, env=os.environ | environment, text=True, errors='replace', timeout=limit,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode: raise RuntimeError(f'{" ".join(map(str, command))} ended in {done.returncode}:\n{done.stdout.strip()}')
    return done.stdout


def load_notebooks() -> dict[Path, list[dict]]:
    "The cells of every notebook that nbdev looks at"
    return {path: json.loads(path.read_text(encoding='utf-8'))['cells'] for path in sorted(nbglob(NOTEBOOKS, as_path=True))}


def package_facts() -> Mapping[str, str]:
    "What settings.ini says of the package"
    config = ConfigParser(delimiters=['='])
    config.read(ROOT / 'settings.ini', encoding='utf-8')
    return config['DEFAULT']


def exports() -> Iterator[str]:
    "Notebooks are clean, and the modules are what they export"
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_project(Path(folder))
        for module in (copy / LIBRARY.name).rglob('*.py'):
            if module.name != '__init__.py': module.unlink()
        for command in 'nbdev-clean', 'nbdev-export': run([BIN / command], copy)
        for part, pattern, fault in ((NOTEBOOKS, '*.ipynb', 'is not clean'), (LIBRARY, '*.py', 'is not what the notebooks export')):
            here, there = ({path.relative_to(top): path.read_bytes() for path in (top / part.name).rglob(pattern)} for top in (ROOT, copy))
            for name in sorted(here.keys() | there.keys()):
                ignored = '.ipynb_checkpoints' in name.parts
                if here.get(name) != there.get(name) and not ignored: yield f'{name} {fault}: run `make export`'


def readme() -> Iterator[str]:
    "README.md is what index.ipynb says"
    if (ROOT / 'README.md').read_text(encoding='utf-8') != render(): yield 'README.md is not in step with nbs/index.ipynb: run `make export`'


def index() -> Iterator[str]:
    "The links of index.ipynb lead somewhere, and every notebook is in its table and in the sidebar"
    config = get_config()
    text = '\n'.join(''.join(cell['source']) for cell in load_notebooks().get(NOTEBOOKS / 'index.ipynb', []))
    colab = f'https://colab.research.google.com/github/{config.user}/{config.repo}/blob/{config.branch}/'
    for link in re.findall(r'https://colab\.research\.google\.com/github/[^)"\s]+', text):
        if not link.startswith(colab): yield f'index.ipynb: {link} is not in this repository, {colab}'
        elif not (ROOT / link.removeprefix(colab)).is_file(): yield f'index.ipynb: {link} leads to no notebook'
    for _, link in RELATIVE_LINK.findall(text):
        if not (NOTEBOOKS / link).exists(): yield f'index.ipynb: there is no {link}'
    sidebar = (NOTEBOOKS / 'sidebar.yml').read_text(encoding='utf-8')
    for name in (path.relative_to(NOTEBOOKS).as_posix() for path in load_notebooks()):
        if name not in sidebar: yield f'nbs/{name} is not in nbs/sidebar.yml'
        if name != 'index.ipynb' and f'{colab}nbs/{name}' not in text: yield f'nbs/{name} is not in the table of index.ipynb'


def sizes() -> Iterator[str]:
    "Outputs and files are small, and there are no clips or weights among them"
    for path, cells in load_notebooks().items():
        output = sum(len(json.dumps(cell.get('outputs', []))) for cell in cells)
        if output > MAX_OUTPUT: yield f'{path.name}: {output // 1024} KB of output, more than {MAX_OUTPUT // 1024}'
    for name in project_files():
        size = (ROOT / name).stat().st_size
        if size > MAX_FILE: yield f'{name} has {size / 1e6:.1f} MB, more than {MAX_FILE / 1e6:.0f}'
        if name.suffix.lower() in CLIPS_AND_WEIGHTS: yield f'{name}: clips and weights stay out of the repository'


def rooms() -> Iterator[str]:
    "Modules, cells and lines are short, exports are shown on examples, imports point downward and take no private names"
    yield from guards.faults(ROOT)


def pins() -> Iterator[str]:
    "constraints.txt pins every requirement of settings.ini"
    normal = lambda name: re.sub(r'[-_.]+', '-', name).lower()
    pinned = {normal(found) for found in re.findall(r'^([\w.-]+)==', (ROOT / 'constraints.txt').read_text(), re.MULTILINE)}
    for key, value in package_facts().items():
        if not key.endswith('requirements'): continue
        for requirement in value.split():
            name = re.match(r'[\w.-]+', requirement)[0]
            if normal(name) not in pinned: yield f'{name} ({key} in settings.ini) is not in constraints.txt: run `make lock`'


def facts() -> Iterator[str]:
    "What has to stand in two places is the same in both"
    said = package_facts()
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    for key, elsewhere, place in (('lib_name', project['name'], 'pyproject.toml'), ('version', read_version(LIBRARY), f'{LIBRARY.name}/__init__.py'),
                                  ('min_python', project['requires-python'].removeprefix('>='), 'pyproject.toml')):
        if said[key] != elsewhere: yield f'{key} is {said[key]} in settings.ini, and {elsewhere} in {place}'


def docs() -> Iterator[str]:
    "The notebooks can be made into documentation, up to where Quarto takes over"
    with tempfile.TemporaryDirectory() as folder:
        printed = run([sys.executable, ROOT / 'scripts/docs.py'], copy_project(Path(folder)), MPLBACKEND='Agg')
    yield from json.loads(printed.splitlines()[-1])


IMPORT_ALL = '''
import importlib, pathlib, pkgutil, sys, deepfake_nbdev, fastai, fastcore
folder = pathlib.Path(deepfake_nbdev.__file__).parent
assert folder.is_relative_to(sys.prefix), f'imported from {folder}'
assert (folder / 'py.typed').exists(), 'py.typed is not in the wheel'
for module in pkgutil.iter_modules([str(folder)], 'deepfake_nbdev.'): importlib.import_module(module.name)
'''


def wheel() -> Iterator[str]:
    "The built wheel, installed elsewhere with fastai's newest and nothing pinned, imports, answers, and runs the demo"
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        source, dist, venv = copy_project(top / 'source'), top / 'dist', top / 'venv'
        run([BIN / 'uv', 'build', '--quiet', '--out-dir', dist], source)  # the wheel from the sdist: both hold all they need
        built, = dist.glob('*.whl')
        run([BIN / 'uv', 'venv', '--quiet', '--python', sys.executable, venv], top)
        run([BIN / 'uv', 'pip', 'install', '--quiet', '--python', venv / 'bin/python', '--upgrade', 'fastai', built], top)
        run([venv / 'bin/python', '-I', '-c', IMPORT_ALL], top)
        for name in (script.split('=')[0] for script in package_facts()['console_scripts'].split()):
            for option in '--help', '--version': run([venv / 'bin' / name, option], top, limit=20)
        said = run([venv / 'bin/deepfake_demo', '--quick', '--out', top / 'demo'], top, MPLBACKEND='Agg', HF_HUB_OFFLINE='1')
        if 'Warning:' in said: yield f'deepfake_demo --quick shows a warning:\n{said}'
        if not (top / 'demo/summary.json').exists(): yield 'deepfake_demo --quick wrote no summary.json'


def tests() -> tuple[int, int]:  # passed, failed
    "Run the tests, shown as they go"
    process = subprocess.Popen([sys.executable, ROOT / 'scripts/test.py'], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors='replace')
    last = ''
    for line in process.stdout:
        print(line, end='', flush=True)
        last = line.strip() or last
    process.wait()
    counted = COUNT.match(last)
    return (int(counted[1]), int(counted[2])) if counted else (0, 1)


def holds(check: Callable[[], Iterator[str]]) -> bool:
    "Make one check and say how it went"
    start = time.monotonic()
    try: faults = list(check())
    except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error: faults = [str(error)]
    print(f'{"FAIL" if faults else "PASS"} {time.monotonic() - start:6.1f} s  {check.__name__}: {check.__doc__}', flush=True)
    for fault in faults: print('    ' + fault.replace('\n', '\n    '), flush=True)
    return not faults


def main(names: list[str]) -> int:
    steps = {check.__name__: check for check in (exports, readme, index, sizes, rooms, pins, facts, docs, tests, wheel)}
    unknown = set(names) - steps.keys()
    if unknown: sys.exit(f'No such check: {", ".join(sorted(unknown))}. There are: {", ".join(steps)}')
    passed = failed = 0
    for name in names or steps:
        if name == 'tests': more_passed, more_failed = tests()
        else: more_passed = int(holds(steps[name])); more_failed = 1 - more_passed
        passed, failed = passed + more_passed, failed + more_failed
    print(f'\n{passed} passed, {failed} failed')
    return int(failed > 0)


if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
