"""Guards on what keeps the house readable: sizes, examples, private names, and imports that point downward only.

    python scripts/rooms.py           what breaks them, a line each
    python scripts/rooms.py --table   how the code stands, in numbers

A room is a module of the hall, or a whole wing (a sub-package). The order of the rooms stands here and nowhere else.
"""
import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles
from typing import Collection, Iterator

from house import PACKAGE, Cell, Module, imports, load_modules, load_notebooks, module_aliases, named_in_strings

ROOT = Path(__file__).resolve().parent.parent
LOWEST_FIRST = ('core video faces datasets preprocessing metadata learning model scoring training evaluation '
                'prediction gradcam_roi verdict explanation report app samples').split()
PLACES = ['', *LOWEST_FIRST]  # '': the package's own __init__.py, on which everything may rest
MAX_MODULE_LINES, MAX_CELL_LINES, MAX_LINE, MAX_EXPORTS_IN_A_ROW = 400, 30, 120, 3


def room(
    name: str,  # of a module, dotted
) -> str:  # '' for the package's own __init__.py
    """The room that a module lies in

    >>> room('deepfake_nbdev.core.files'), room('deepfake_nbdev.report'), room('deepfake_nbdev')
    ('core', 'report', '')
    """
    return name.removeprefix(PACKAGE).lstrip('.').partition('.')[0]


def is_above(
    giver: str,  # a module, dotted
    taker: str,
) -> bool:  # False where one of them has no place in the house: that is said elsewhere
    """Whether a module lies in a higher room than another

    >>> is_above('deepfake_nbdev.app', 'deepfake_nbdev.core.files'), is_above('deepfake_nbdev', 'deepfake_nbdev.core')
    (True, False)
    """
    both = room(giver), room(taker)
    return set(both) <= set(PLACES) and PLACES.index(both[0]) > PLACES.index(both[1])


def is_private(
    name: str,
) -> bool:
    """Whether a name is nobody else's business

    >>> is_private('_count'), is_private('__version__'), is_private('count')
    (True, False, False)
    """
    return name.startswith('_') and not name.endswith('__')


def private_attributes(
    module: Module,
    known: dict[str, Module],
) -> Iterator[tuple[str, int]]:  # dotted name, line
    "`files._count`, where `files` is another module"
    aliases = module_aliases(module, known)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or not is_private(node.attr): continue
        first, *others = ast.unparse(node.value).split('.')
        giver = '.'.join([aliases.get(first, ''), *others])
        if giver in known and giver != module.name: yield f'{giver}.{node.attr}', node.lineno


def private_names(module: Module, known: dict[str, Module]) -> Iterator[str]:
    "Names that begin with an underscore stay where they are made"
    for taken in imports(module, known):
        if is_private(taken.name) and taken.giver != module.name:
            yield f'{module.path}:{taken.line}: takes the private name {taken.giver}.{taken.name}'
    for name, line in private_attributes(module, known): yield f'{module.path}:{line}: uses the private name {name}'


def without_place(known: dict[str, Module]) -> Iterator[str]:
    "Every module lies in a room"
    for module in known.values():
        if room(module.name) not in PLACES:
            yield f'{module.path}: no room `{room(module.name)}` in the order that scripts/rooms.py holds'


def upward(known: dict[str, Module]) -> Iterator[str]:
    "Imports point downward only, inside functions and in strings too"
    for module in known.values():
        taken_from = {}
        for taken in [*imports(module, known), *named_in_strings(module, known)]:
            taken_from.setdefault(taken.giver, taken.line)
        for giver, line in taken_from.items():
            if is_above(giver, module.name):
                yield f'{module.path}:{line}: {module.name} knows {giver}, which lies above it'


def cycles(known: dict[str, Module]) -> Iterator[str]:
    "No two modules of a wing need each other; between rooms the order sees to that"
    rooms: dict[str, dict[str, set[str]]] = {}
    for module in known.values():
        here = room(module.name)
        givers = {taken.giver for taken in imports(module, known)} - {module.name}
        rooms.setdefault(here, {})[module.name] = {giver for giver in givers if room(giver) == here}
    for graph in rooms.values():
        try: TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = ' -> '.join(reversed(error.args[1]))
            yield f'{PACKAGE}: modules that need each other: {circle}'


def module_sizes(modules: dict[str, Module]) -> Iterator[str]:
    "A module is one subject"
    for module in modules.values():
        lines = len(module.lines)
        if lines > MAX_MODULE_LINES: yield f'{module.path}: {lines} lines, more than {MAX_MODULE_LINES}'


def long_lines(
    place: str,
    lines: list[str],
) -> Iterator[str]:
    """One fault a place, however many there are

    >>> list(long_lines('here', ['a' * 120, 'b' * 130, 'c' * 140]))
    ['here: 2 lines over 120 characters, the longest has 140']
    """
    lengths = [len(line) for line in lines if len(line) > MAX_LINE]
    if lengths: yield f'{place}: {len(lengths)} lines over {MAX_LINE} characters, the longest has {max(lengths)}'


def cell_sizes(cells: list[Cell]) -> Iterator[str]:
    "An exporting cell is one concept, in lines that need no scrolling"
    for cell in cells:
        if not cell.exports: continue
        lines = len(cell.lines)
        if lines > MAX_CELL_LINES: yield f'{cell.place}: exports {lines} lines, more than {MAX_CELL_LINES}'
        yield from long_lines(cell.place, cell.lines)


def runs(
    cells: list[Cell],  # of one notebook
) -> Iterator[list[Cell]]:  # exporting cells
    """Exporting cells with no example and no assert between; cells that only import count neither way

    >>> def cell(source, exports): return Cell('', source, ast.parse(source).body, exports)
    >>> story = [cell('import os', True), cell('a = 1', True), cell('import re', False), cell('b = 2', True)]
    >>> [len(run) for run in runs([*story, cell('assert b', False), cell('c = 3', True)])]
    [2, 1]
    """
    run: list[Cell] = []
    for cell in cells:
        if cell.only_imports: continue
        if cell.exports: run.append(cell)
        elif run:
            yield run
            run = []
    if run: yield run


def without_example(cells: list[Cell]) -> Iterator[str]:
    "What is exported is shown on an example soon"
    for run in runs(cells):
        if len(run) <= MAX_EXPORTS_IN_A_ROW: continue
        yield (f'{run[0].place}: {len(run)} exporting cells from here on without an example or assert, '
               f'more than {MAX_EXPORTS_IN_A_ROW}')


def faults(root: Path=ROOT) -> Iterator[str]:
    "What breaks the guards"
    package, notebooks = load_modules(root, PACKAGE), load_notebooks(root)
    beside = load_modules(root, 'scripts', 'scripts') | load_modules(root, 'benchmarks', 'benchmarks')
    yield from module_sizes(package | beside)
    for module in beside.values(): yield from long_lines(str(module.path), module.lines)
    for cells in notebooks.values():
        yield from cell_sizes(cells)
        yield from without_example(cells)
    for module in (package | beside).values(): yield from private_names(module, package | beside)
    yield from without_place(package)
    yield from upward(package)
    yield from cycles(package)


def names_given(modules: dict[str, Module]) -> dict[str, set[str]]:
    "By module, the names that others take from it"
    given: dict[str, set[str]] = {name: set() for name in modules}
    for module in modules.values():
        for taken in imports(module, modules):
            if taken.name and taken.giver != PACKAGE: given[taken.giver].add(taken.name)
    return given


def parameters(modules: dict[str, Module]) -> dict[str, int]:
    "How many parameters each function takes, `self` and `cls` apart"
    counts = {}
    for module in modules.values():
        for node in ast.walk(module.tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            counts[f'{module.name}.{node.name}'] = len([part for part in arguments if part.arg not in ('self', 'cls')])
    return counts


def busiest(counts: dict[str, int]) -> str:
    "The largest count, and whose it is"
    name = max(counts, key=lambda name: counts[name])
    return f'{counts[name]} ({name.removeprefix(PACKAGE + ".")})'


def share(
    some: list,
    of_all: Collection,
) -> str:
    """A count and what share it is

    >>> share([1], [1, 2])
    '1 (50.0%)'
    """
    return f'{len(some)} ({len(some) / len(of_all):.1%})'


def module_numbers(modules: dict[str, Module]) -> Iterator[tuple[str, str]]:
    "What is asked of modules"
    sizes = {name: len(module.lines) for name, module in modules.items() if module.path.name != '__init__.py'}
    large = [size for size in sizes.values() if size > MAX_MODULE_LINES]
    given = {name: len(names) for name, names in names_given(modules).items()}
    yield 'modules', f'{len(sizes)}'
    yield 'module lines, median / max', f'{median(sizes.values()):.0f} / {busiest(sizes)}'
    yield f'modules over {MAX_MODULE_LINES} lines', share(large, sizes)
    yield 'names that the busiest module gives to others', busiest(given)
    yield 'parameters of a function, most', busiest(parameters(modules))


def definitions(cell: Cell) -> int:
    "Functions and classes at the top of a cell"
    return sum(isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for part in cell.body or [])


def cell_numbers(notebooks: dict[str, list[Cell]]) -> Iterator[tuple[str, str]]:
    "What is asked of exporting cells"
    cells = [cell for story in notebooks.values() for cell in story if cell.exports]
    sizes = [len(cell.lines) for cell in cells]
    lines = [line for cell in cells for line in cell.lines]
    row = {run[0].place: len(run) for story in notebooks.values() for run in runs(story)}
    large = [size for size in sizes if size > MAX_CELL_LINES]
    crowded = [cell for cell in cells if definitions(cell) >= 3]
    p90 = quantiles(sizes, n=10)[-1]
    yield 'exporting cells, median / p90 / max of their lines', f'{median(sizes):.0f} / {p90:.0f} / {max(sizes)}'
    yield f'exporting cells over {MAX_CELL_LINES} lines', share(large, sizes)
    yield f'exported lines over {MAX_LINE} characters', share([line for line in lines if len(line) > MAX_LINE], lines)
    yield 'exporting cells with three definitions or more', share(crowded, cells)
    yield 'exporting cells in a row without an example, most', busiest(row)


def main(arguments: list[str]) -> int:
    if arguments == ['--table']:
        print('| | |\n|---|---|')
        for what, value in module_numbers(load_modules(ROOT, PACKAGE)): print(f'| {what} | {value} |')
        for what, value in cell_numbers(load_notebooks(ROOT)): print(f'| {what} | {value} |')
        return 0
    if arguments: sys.exit(__doc__)
    found = list(faults())
    for fault in found: print(fault)
    print(f'{len(found)} faults')
    return int(bool(found))


if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
