"""Make .venv and install into it what is asked for, or leave it as it is where nothing it was made from has changed.

    python3 scripts/environment.py                 only uv
    python3 scripts/environment.py -e '.[dev]'     this project, editable, with its extra `dev`

The whole environment is pinned by constraints.txt. Needs nothing but Python's standard library; kept readable for old
Pythons too, so that they reach the message below.
"""
import hashlib, os, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MADE_FROM = 'constraints.txt', 'settings.ini', 'setup.py', 'pyproject.toml'
VENV = os.path.join(ROOT, '.venv')
PYTHON, UV, STAMP = (os.path.join(VENV, name) for name in ('bin/python', 'bin/uv', 'installed.txt'))


def check_python():
    version = '.'.join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):
        sys.exit('Python 3.11 or newer is needed; %s is %s. Choose another one: make PYTHON=python3.12 ...' % (sys.executable, version))
    try: import ensurepip, venv  # noqa: F401
    except ImportError:
        sys.exit('%s cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv' % sys.executable)


def fingerprint():
    "What the environment is made from, where, and by which Python, as one line"
    digest = hashlib.sha256('{} {}.{}'.format(VENV, *sys.version_info).encode())
    for name in MADE_FROM:
        with open(os.path.join(ROOT, name), 'rb') as file: digest.update(file.read())
    return digest.hexdigest()


def installed(stamp):
    "What the stamp file says was installed, if it was made from the same files; else None"
    try:
        with open(STAMP) as file: lines = file.read().splitlines()
    except IOError: return None
    return lines[1:] if lines[:1] == [stamp] else None


def runs_here(python):
    "Whether the environment's Python works, is at this place, and of the version that was asked for"
    code = 'import sys; print(sys.prefix, sys.version_info[:2])'
    try: said = subprocess.check_output([python, '-c', code], stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.CalledProcessError): return False
    return said == '{} {}'.format(VENV, sys.version_info[:2])


def make_venv():
    "An empty environment that has uv; one that is there and works is kept"
    if not runs_here(PYTHON): subprocess.check_call([sys.executable, '-m', 'venv', '--clear', VENV])
    if not os.path.exists(UV):
        subprocess.check_call([PYTHON, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check',
                               '-c', os.path.join(ROOT, 'constraints.txt'), 'uv'])


def main(wanted):
    check_python()
    stamp = fingerprint()
    there = installed(stamp)
    if there is not None and ' '.join(wanted) in there: return
    if os.path.exists(STAMP): os.remove(STAMP)  # until the installation below has ended well, nothing is known
    make_venv()
    if wanted:
        subprocess.check_call([UV, 'pip', 'install', '--python', PYTHON, '-c', 'constraints.txt'] + wanted, cwd=ROOT)
    with open(STAMP, 'w') as file: file.write('\n'.join([stamp] + (there or []) + [' '.join(wanted)]) + '\n')


try: main(sys.argv[1:])
except subprocess.CalledProcessError as error: sys.exit('Setting up .venv failed in: ' + ' '.join(map(str, error.cmd)))
