"""The package's facts stand in settings.ini; this file hands them to setuptools.

Name, description and links stand in pyproject.toml, where nbdev wants them.
"""
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

config = ConfigParser(delimiters=['='])
config.read(Path(__file__).with_name('settings.ini'), encoding='utf-8')
settings = config['DEFAULT']

def words(key): return settings.get(key, '').split()

extras = ('dev', 'ray', 'distributed', 'offline')
minor_versions = range(int(settings['min_python'].split('.')[1]), 15)

setup(
    version=settings['version'],
    long_description=Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    author=settings['author'],
    author_email=settings['author_email'],
    keywords=words('keywords'),
    classifiers=['Development Status :: 4 - Beta', 'Intended Audience :: Developers', 'Intended Audience :: Science/Research',
                 'Natural Language :: English', 'Topic :: Scientific/Engineering :: Image Recognition', 'Typing :: Typed']
                + [f'Programming Language :: Python :: 3.{minor}' for minor in minor_versions],
    packages=find_packages(include=[settings['lib_name'], settings['lib_name'] + '.*']),
    package_data={settings['lib_name']: ['py.typed']},
    install_requires=words('requirements'),
    extras_require={extra: words(f'{extra}_requirements') for extra in extras},
    entry_points={'console_scripts': words('console_scripts'), 'nbdev': [f"{settings['lib_name']}={settings['lib_name']}._modidx:d"]},
    zip_safe=False,
)
