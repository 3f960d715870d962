"""Write README.md from nbs/index.ipynb, as `nbdev-readme` would, but without Quarto."""
import json
import re
from pathlib import Path
from posixpath import normpath

ROOT = Path(__file__).resolve().parent.parent
HEADER = '<!-- Made from nbs/index.ipynb by scripts/readme.py: edit that notebook, then run `make export` -->\n\n'
HIDING = re.compile(r'^#\|\s*(hide|include:\s*false|echo:\s*false)\s*$', re.MULTILINE)
DIRECTIVE = re.compile(r'^#\|.*\n?', re.MULTILINE)
RELATIVE_LINK = re.compile(r'(\]\(|src=")(?![a-z]+:|#|/)([^)"\s]+)')


def from_root(
    text: str,  # markdown with links as seen from nbs/
) -> str:  # the same with links as seen from the root
    """Relative links, to pictures and notebooks, lead to the same files from another folder

    >>> from_root('![](images/a.png) [b](../LICENSE) [c](https://c.org/d.png) [e](#f)')
    '![](nbs/images/a.png) [b](LICENSE) [c](https://c.org/d.png) [e](#f)'
    """
    return RELATIVE_LINK.sub(lambda found: found[1] + normpath('nbs/' + found[2]), text)


def printed(
    output: dict,  # an output of a code cell
) -> str:  # '' where it is a picture
    "The text of an output"
    return ''.join(output.get('text') or output.get('data', {}).get('text/plain', ''))


def cell_text(
    cell: dict,  # of a notebook
) -> str:  # '' where nothing of it is to be seen
    "A cell as markdown"
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return from_root(source).replace('```{mermaid}', '```mermaid')
    if cell['cell_type'] == 'raw' or HIDING.search(source): return ''
    code = DIRECTIVE.sub('', source).strip('\n')
    text = ''.join(map(printed, cell['outputs'])).rstrip()
    return f'``` python\n{code}\n```' + (f'\n\n```\n{text}\n```' if text else '')


def render(
    notebook: Path=ROOT / 'nbs' / 'index.ipynb',
) -> str:
    "The README's text"
    cells = json.loads(notebook.read_text(encoding='utf-8'))['cells']
    return HEADER + '\n\n'.join(filter(None, map(cell_text, cells))) + '\n'


if __name__ == '__main__': (ROOT / 'README.md').write_text(render(), encoding='utf-8')
