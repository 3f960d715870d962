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
from zipfile import ZipFile

import rooms as guards
import type_check
import yaml
from nbdev.config import get_config, read_version
from nbdev.doclinks import nbglob
from readme import RELATIVE_LINK, render

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LIBRARY, NOTEBOOKS = ROOT / 'deepfake_nbdev', ROOT / 'nbs'
MAX_OUTPUT, MAX_FILE = 50 * 1024, 1_000_000
CLIPS_AND_WEIGHTS = set('.avi .mkv .mov .mp4 .mpg .webm .npz .onnx .pt .pth .safetensors'.split())
CODE_IN_PROSE = re.compile(r'```.*?```|`[^`\n]*`', re.DOTALL)
COLAB_LINK = re.compile(r'https://colab\.research\.google\.com/github/[^)"\s]+')
COUNT = re.compile(r'^(\d+) passed, (\d+) failed$')


def project_files() -> list[Path]:
    "The project as it stands here: tracked files and new ones that git does not ignore, relative to its root"
    command = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z']
    names = set(subprocess.check_output(command, cwd=ROOT, text=True).split('\0')) - {''}
    return [Path(name) for name in sorted(names) if (ROOT / name).is_file()]


def copy_project(folder: Path) -> Path:
    "A copy of the project in a folder, for what changes files"
    for name in project_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def run(command: list, folder: Path, limit: float=600, **environment: str) -> str:
    "What a command prints; where it fails, that goes into the error"
    words = list(map(str, command))
    done = subprocess.run(words, cwd=folder, env=os.environ | environment, text=True, errors='replace', timeout=limit,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode: raise RuntimeError(f'{" ".join(words)} ended in {done.returncode}:\n{done.stdout.strip()}')
    return done.stdout


def load_notebooks() -> dict[Path, list[dict]]:  # relative to the root
    "The cells of every notebook that nbdev looks at"
    paths = sorted(nbglob(NOTEBOOKS, as_path=True))
    return {path.relative_to(ROOT): json.loads(path.read_text(encoding='utf-8'))['cells'] for path in paths}


def prose(cells: list[dict]) -> str:
    "What a notebook says, without the code in it"
    said = [''.join(cell['source']) for cell in cells if cell['cell_type'] == 'markdown']
    return CODE_IN_PROSE.sub('', '\n\n'.join(said))


def package_facts() -> Mapping[str, str]:
    "What settings.ini says of the package"
    config = ConfigParser(delimiters=['='])
    config.read(ROOT / 'settings.ini', encoding='utf-8')
    return config['DEFAULT']


def read_tree(folder: Path, pattern: str) -> dict[Path, bytes]:
    "The files of a folder and of those in it, by their names from there"
    paths = [path for path in folder.rglob(pattern) if '.ipynb_checkpoints' not in path.parts]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def exports() -> Iterator[str]:
    "Notebooks are clean, and the modules are what they export"
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_project(Path(folder))
        for module in (copy / LIBRARY.name).rglob('*.py'):
            if module.parent.name != LIBRARY.name or module.name != '__init__.py': module.unlink()
        for command in 'nbdev-clean', 'nbdev-export': run([BIN / command], copy)
        for part, pattern, fault in ((NOTEBOOKS, '*.ipynb', 'is not clean'),
                                     (LIBRARY, '*.py', 'is not what the notebooks export')):
            here, there = read_tree(part, pattern), read_tree(copy / part.name, pattern)
            for name in sorted(here.keys() | there.keys()):
                if here.get(name) != there.get(name): yield f'{part.name}/{name} {fault}: run `make export`'


def readme() -> Iterator[str]:
    "README.md is what index.ipynb says"
    if (ROOT / 'README.md').read_text(encoding='utf-8') == render(): return
    yield 'README.md is not in step with nbs/index.ipynb: run `make export`'


def colab() -> str:
    "How links to this repository on Colab begin"
    config = get_config()
    return f'https://colab.research.google.com/github/{config.user}/{config.repo}/blob/{config.branch}/'


def links() -> Iterator[str]:
    "The links of all notebooks lead somewhere: to files, and to notebooks rather than to the pages made from them"
    for path, cells in load_notebooks().items():
        text = prose(cells)
        for link in COLAB_LINK.findall(text):
            if not link.startswith(colab()): yield f'{path}: {link} is not in this repository, {colab()}'
            elif not (ROOT / link.removeprefix(colab())).is_file(): yield f'{path}: {link} leads to no notebook'
        for _, link in RELATIVE_LINK.findall(text):
            target = (ROOT / path.parent / link.partition('#')[0]).resolve()
            if not target.exists() or not target.is_relative_to(ROOT): yield f'{path}: there is no {link}'


def strings(part: object) -> Iterator[str]:
    "Every string of nested dicts and lists, but for the keys"
    if isinstance(part, str): yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part: yield from strings(inner)


def index() -> Iterator[str]:
    "Every notebook is in the sidebar and in the tables of index.ipynb, those of the hall with a link to Colab"
    notebooks = load_notebooks()
    names = {path.relative_to(NOTEBOOKS.name).as_posix() for path in notebooks}
    sidebar = set(strings(yaml.safe_load((NOTEBOOKS / 'sidebar.yml').read_text(encoding='utf-8'))))
    text = prose(notebooks[Path('nbs/index.ipynb')])
    for name in sorted(names):
        if name not in sidebar: yield f'nbs/{name} is not in nbs/sidebar.yml'
        if name == 'index.ipynb': continue
        if f']({name})' not in text: yield f'nbs/{name} is not in the table of index.ipynb'
        in_hall = '/' not in name
        if in_hall and f'{colab()}nbs/{name})' not in text: yield f'nbs/{name} has no link to Colab in index.ipynb'
    for name in sorted(sidebar):
        if name.endswith('.ipynb') and name not in names: yield f'nbs/sidebar.yml: there is no {name}'


def sizes() -> Iterator[str]:
    "Outputs and files are small, and there are no clips or weights among them"
    for path, cells in load_notebooks().items():
        output = sum(len(json.dumps(cell.get('outputs', []))) for cell in cells)
        if output > MAX_OUTPUT: yield f'{path}: {output // 1024} KB of output, more than {MAX_OUTPUT // 1024}'
    for name in project_files():
        size = (ROOT / name).stat().st_size
        if size > MAX_FILE: yield f'{name} has {size / 1e6:.1f} MB, more than {MAX_FILE / 1e6:.0f}'
        if name.suffix.lower() in CLIPS_AND_WEIGHTS: yield f'{name}: clips and weights stay out of the repository'


def rooms() -> Iterator[str]:
    "Modules, cells and lines are short, exports are shown on examples, imports point downward and take nothing private"
    yield from guards.faults(ROOT)


def types() -> Iterator[str]:
    "pyright finds nothing in the package"
    yield from type_check.faults(ROOT)


def pins() -> Iterator[str]:
    "constraints.txt pins every requirement of settings.ini"
    normal = lambda name: re.sub(r'[-_.]+', '-', name).lower()
    found = re.findall(r'^([\w.-]+)==', (ROOT / 'constraints.txt').read_text(), re.MULTILINE)
    pinned = {normal(name) for name in found}
    for key, value in package_facts().items():
        if not key.endswith('requirements'): continue
        for requirement in value.split():
            name = re.match(r'[\w.-]+', requirement)[0]
            if normal(name) in pinned: continue
            yield f'{name} ({key} in settings.ini) is not in constraints.txt: run `make lock`'


def facts() -> Iterator[str]:
    "What has to stand in two places is the same in both"
    said = package_facts()
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    elsewhere = {'lib_name': project['name'], 'version': read_version(LIBRARY),
                 'min_python': project['requires-python'].removeprefix('>=')}
    for key, value in elsewhere.items():
        place = f'{LIBRARY.name}/__init__.py' if key == 'version' else 'pyproject.toml'
        if said[key] != value: yield f'{key} is {said[key]} in settings.ini, and {value} in {place}'


def docs() -> Iterator[str]:
    "The notebooks can be made into documentation, up to where Quarto takes over"
    with tempfile.TemporaryDirectory() as folder:
        printed = run([sys.executable, ROOT / 'scripts/docs.py'], copy_project(Path(folder)), MPLBACKEND='Agg')
    yield from json.loads(printed.splitlines()[-1])


IMPORT_ALL = '''
import importlib, pathlib, pkgutil, sys, deepfake_nbdev, fastai, fastcore
folder = pathlib.Path(deepfake_nbdev.__file__).parent
assert folder.is_relative_to(sys.prefix), f'imported from {folder}'
for module in pkgutil.walk_packages([str(folder)], 'deepfake_nbdev.'): importlib.import_module(module.name)
'''


def not_in_wheel(built: Path) -> Iterator[str]:
    "Files of the package that are missing from its wheel, those of sub-packages among them"
    with ZipFile(built) as archive: packed = set(archive.namelist())
    for name in project_files():
        if name.parts[0] == LIBRARY.name and name.as_posix() not in packed: yield f'{name} is not in the wheel'


def wheel() -> Iterator[str]:
    "The built wheel, installed elsewhere with fastai's newest and nothing pinned, imports, answers, and runs the demo"
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        source, dist, venv = copy_project(top / 'source'), top / 'dist', top / 'venv'
        uv, python = BIN / 'uv', venv / 'bin/python'
        run([uv, 'build', '--quiet', '--out-dir', dist], source)  # the wheel from the sdist: both hold all they need
        built, = dist.glob('*.whl')
        yield from not_in_wheel(built)
        run([uv, 'venv', '--quiet', '--python', sys.executable, venv], top)
        run([uv, 'pip', 'install', '--quiet', '--python', python, '--upgrade', 'fastai', f'{built}[offline]'], top)
        run([python, '-I', '-c', IMPORT_ALL], top)
        for name in (script.split('=')[0] for script in package_facts()['console_scripts'].split()):
            for option in '--help', '--version': run([venv / 'bin' / name, option], top, limit=20)
        demo = [venv / 'bin/deepfake_demo', '--quick', '--out', top / 'demo']
        said = run(demo, top, MPLBACKEND='Agg', HF_HUB_OFFLINE='1')
        if 'Warning:' in said: yield f'deepfake_demo --quick shows a warning:\n{said}'
        if not (top / 'demo/summary.json').exists(): yield 'deepfake_demo --quick wrote no summary.json'


def tests() -> tuple[int, int]:  # passed, failed
    "Run the tests, shown as they go"
    command = [sys.executable, ROOT / 'scripts/test.py']
    process = subprocess.Popen(command, cwd=ROOT, text=True, errors='replace', stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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
    seconds = time.monotonic() - start
    print(f'{"FAIL" if faults else "PASS"} {seconds:6.1f} s  {check.__name__}: {check.__doc__}', flush=True)
    for fault in faults: print('    ' + fault.replace('\n', '\n    '), flush=True)
    return not faults


def main(names: list[str]) -> int:
    checks = exports, readme, links, index, sizes, rooms, types, pins, facts, docs, tests, wheel
    steps = {check.__name__: check for check in checks}
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
