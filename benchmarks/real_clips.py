"""What training finds on real clips, by folds of groups, beside what needs no training at all.

    python benchmarks/real_clips.py [--folds 5] [--seeds 3] [--epochs 12]

A few dozen clips from many sources say little about deepfakes, but much about shortcuts: where file size, bitrate or
sharpness alone tell real from fake, a network that does so has shown nothing. Each AUC has a 95% interval from a
bootstrap over groups, of people or recordings.
"""
import argparse
import csv
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from common import machine, REAL_DATA, show
from deepfake_nbdev.core.tables import write_csv
from deepfake_nbdev.datasets.registry import Source
from deepfake_nbdev.faces.clips import FaceClip, Settings
from deepfake_nbdev.learning.batches import usable_rows
from deepfake_nbdev.metadata import preprocess_dataset
from deepfake_nbdev.samples.folds import demo_recipe, train_parts

MIN_FRAMES = 30
BLENDS = {'no self-blends': 0., 'half of the fakes self-blends': .5, 'self-blends alone': 1.}


def gather(folder: Path) -> dict[str, int]:
    "Labelled clips that decode, in one folder with a table; bytes by name"
    with open(REAL_DATA / 'manifest.csv', newline='', encoding='utf-8') as file: rows = list(csv.DictReader(file))
    rows = [row for row in rows if row['label'] in ('real', 'fake') and int(row['n_frames'] or 0) >= MIN_FRAMES]
    sizes, table = {}, []
    for row in rows:
        path = REAL_DATA / row['file']
        shutil.copy(path, folder / path.name)
        sizes[path.stem] = path.stat().st_size
        table.append({'path': path.name, 'label': row['label'], 'person': row['group'] or path.stem})
    write_csv(pd.DataFrame(table), folder / 'labels.csv')
    return sizes


def sharpness(clip: FaceClip) -> float:
    "Variance of the Laplacian, over some frames"
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip.read(clip.looks(1, 8)[0])]
    return float(np.mean([cv2.Laplacian(grey, cv2.CV_64F).var() for grey in greys]))


def interval(rows: pd.DataFrame, score: str, either_way: bool = False) -> str:
    "AUC of a score, from 1,000 draws of groups"
    def auc(some: pd.DataFrame) -> float:
        value = roc_auc_score(some.is_fake, some[score])
        return max(value, 1 - value) if either_way else value
    rng, groups, draws = np.random.default_rng(0), dict(list(rows.groupby('group'))), []
    while len(draws) < 1000:
        some = pd.concat([groups[name] for name in rng.choice(list(groups), len(groups))])
        if some.is_fake.nunique() == 2: draws.append(auc(some))
    low, high = np.quantile(draws, [.025, .975])
    return f'{auc(rows):.2f} ({low:.2f} to {high:.2f})'


def trained(meta: Path, out: Path, n_folds: int, seed: int, epochs: int, blends: float) -> pd.DataFrame:
    "Rows of all folds"
    recipe = replace(demo_recipe(epochs, seed), self_blend=blends)
    done = train_parts(range(n_folds), meta, out, n_folds, recipe)
    return pd.DataFrame([row for _, rows in done for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    for name, default in ('folds', 5), ('seeds', 3), ('epochs', 12):
        parser.add_argument(f'--{name}', type=int, default=default)
    given = parser.parse_args()
    if not REAL_DATA.is_dir(): sys.exit(f'{REAL_DATA} is not there; DEEPFAKE_REAL_DATA names another folder')
    with tempfile.TemporaryDirectory() as top:
        videos, made = Path(top, 'videos'), Path(top, 'made')
        videos.mkdir()
        sizes = gather(videos)
        table = usable_rows(preprocess_dataset(Source([videos]), made, Settings(min_frames=MIN_FRAMES)))
        names = table.path.map(lambda path: Path(path).stem)
        table = table.assign(bytes=names.map(sizes), sharpness=[
            sharpness(FaceClip.open(made / path)) for path in table.face_path])
        table['bitrate'] = table.bytes / table.duration.astype(float)
        rows = [[f'{name} alone, either way', '', interval(table, name, either_way=True)]
                for name in ('bytes', 'bitrate', 'sharpness')]
        groups = table.set_index('video_id').group
        for words, share in BLENDS.items():
            for seed in range(given.seeds):
                scored = trained(made, Path(top), given.folds, seed, given.epochs, share)
                rows.append([words, seed, interval(scored.assign(group=scored.video_id.map(groups)), 'logit')])
                print(rows[-1], file=sys.stderr, flush=True)
        n_real, n_fake = (table.is_fake == 0).sum(), (table.is_fake == 1).sum()
        print(f'{n_real} real and {n_fake} fake clips of {table.group.nunique()} groups; {machine()}\n')
        show(['by', 'seed', 'AUC'], rows)


if __name__ == '__main__': main()
