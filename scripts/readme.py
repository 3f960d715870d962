"""Write README.md from nbs/index.ipynb, as `nbdev-readme` would, but without Quarto."""
import re
from pathlib import Path
from posixpath import normpath

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent
HEADER = '<!-- Made from nbs/index.ipynb by scripts/readme.py: edit that notebook, then run `make export` -->\n\n'
HIDING = re.compile(r'^#\|\s*(hide|include:\s*false|echo:\s*false)\s*$', re.MULTILINE)
DIRECTIVE = re.compile(r'^#\|.*\n?', re.MULTILINE)
RELATIVE_LINK = re.compile(r'(\]\(|(?:src|href)=")(?![a-z]+:|#|/)([^)"\s]+)')


def from_root(
    text: str,  # markdown with links as seen from nbs/
) -> str:  # the same with links as seen from the root
    """Relative links, to pictures and notebooks, lead to the same files from another folder

    >>> from_root('![](images/a.png) [b](../LICENSE) [c](https://c.org/d.png) [e](#f)')
    '![](nbs/images/a.png) [b](LICENSE) [c](https://c.org/d.png) [e](#f)'
    """
    return RELATIVE_LINK.sub(lambda found: found[1] + normpath('nbs/' + found[2]), text)


def render(
    path: Path=ROOT / 'nbs/index.ipynb',
) -> str:
    "The README's text: what a reader of the notebook's page sees"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.language_info = {'name': 'python'}  # nbdev-clean drops what the colours of code go by
    notebook.cells = [cell for cell in notebook.cells if not HIDING.search(cell.source)]
    for cell in notebook.cells:
        if cell.cell_type == 'code': cell.source = DIRECTIVE.sub('', cell.source).strip('\n')
        else: cell.source = from_root(cell.source).replace('```{mermaid}', '```mermaid')
    return HEADER + MarkdownExporter(exclude_raw=True).from_notebook_node(notebook)[0].strip() + '\n'


if __name__ == '__main__': (ROOT / 'README.md').write_text(render(), encoding='utf-8')
