"""What training waits for: each change of the augmentation, the loader against that of version 0.1.0, and the Learner's
step against a bare loop.

One thread, and its CPU time: what else runs on the machine weighs less.

    python benchmarks/training.py
    python benchmarks/training.py --rounds 9 --backbone resnext50_32x4d
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterable

import numpy as np
import torch
from fastai.callback.core import Callback
from torch import Tensor
from torchvision.transforms import v2

from common import machine, one_thread, show, verdict
from deepfake_nbdev.datasets.files import TABLE_NAME, write_metadata
from deepfake_nbdev.datasets.table import as_table
from deepfake_nbdev.learning.augmentation import CHANGES, ClipAugmentation
from deepfake_nbdev.learning.batches import ClipFrames, Item, known_methods, ReadClip, read_items, side_of
from deepfake_nbdev.learning.config import ModelConfig
from deepfake_nbdev.learning.loaders import clip_dataloaders
from deepfake_nbdev.learning.losses import MultiTaskLoss
from deepfake_nbdev.learning.recipes import recipe_for
from deepfake_nbdev.model import DeepfakeModel
from deepfake_nbdev.samples.people import invent_person
from deepfake_nbdev.samples.scenes import film
from deepfake_nbdev.samples.testing import make_face_clip
from deepfake_nbdev.training import deepfake_learner

SIZE, N_FRAMES, CLIPS_A_BATCH, N_TRAIN = 224, 16, 8, 16
LOADER, STEP = 3, 1.05  # times the frames a second of 0.1.0, at least; times the seconds of a bare loop, at most


def seconds(function: Callable, *arguments) -> float:
    "CPU time of a call"
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def make_items(folder: Path) -> list[Item]:
    "Face clips of people who do not exist; that half of them is called fake tells nothing here"
    rows = []
    for number in range(N_TRAIN + 2):
        images = [film(invent_person(number % 4), number + t).image[16:240, 48:272] for t in range(N_FRAMES)]
        make_face_clip(folder / f'faces/{number}.avi', np.stack(images))
        label, method = (('real', 'real'), ('fake', 'Deepfakes'))[number % 2]
        rows.append({'video_id': f'drawn/{number}', 'face_path': f'faces/{number}.avi', 'method': method,
                     'label': label, 'is_fake': number % 2, 'status': 'ok', 'n_face_frames': N_FRAMES,
                     'split': 'train' if number < N_TRAIN else 'valid'})
    write_metadata(as_table(rows), folder / TABLE_NAME)
    return read_items(folder / TABLE_NAME)


def changes(items: list[Item], rounds: int):
    "What each change of a clip costs, over many draws, in the order of the rounds"
    torch.manual_seed(0)
    clip = read(items[0])[None].float() / 255
    functions = {name: ClipAugmentation(1, {name: draw}) for name, draw in CHANGES.items()}
    functions |= {'none': ClipAugmentation(0), 'all, at p = .5': ClipAugmentation()}
    taken = {name: [] for name in functions}
    for _ in range(10 * rounds):
        for name, function in functions.items(): taken[name].append(seconds(function, clip))
    rows = [[name, *(f'{1e6 / N_FRAMES * function(times):.0f}' for function in (np.min, np.median, np.mean))]
            for name, times in taken.items()]
    print(f'Each change of a clip of {N_FRAMES} frames of {SIZE} px, one thread, {machine()}\n')
    show(['change', 'least, us a frame', 'median', 'mean'], rows)


def read(item: Item) -> Tensor: # (T,3,H,W) uint8
    "All frames of a clip"
    return ReadClip()(ClipFrames(item.clip, N_FRAMES, SIZE, .5)).as_subclass(Tensor)


def first_loader(items: list[Item]) -> Iterable[Tensor]:
    "Batches as version 0.1.0 made them: each clip changed by itself, as bytes"
    colour = v2.ColorJitter(brightness=.2, contrast=.2, saturation=.2, hue=.02)
    augment = v2.Compose([v2.RandomHorizontalFlip(), colour,
                          v2.RandomResizedCrop(SIZE, scale=(.8, 1), ratio=(.95, 1.05), antialias=True)])
    for start in range(0, len(items), CLIPS_A_BATCH):
        clips = [augment(read(item)) for item in items[start:start + CLIPS_A_BATCH]]
        yield torch.stack(clips).float() / 255


def exhaust(loader: Iterable):
    "Go through all batches once"
    for _ in loader: pass


def loaders(items: list[Item], rounds: int) -> bool:
    "Frames a second of this version and of the first, in turn"
    config, train = ModelConfig('test_resnet', known_methods(items), N_FRAMES, SIZE), side_of(items, 'train')
    dls = clip_dataloaders(items, config, CLIPS_A_BATCH, num_workers=0, device='cpu')
    exhaust(dls.train)
    pairs = [(seconds(exhaust, first_loader(train)), seconds(exhaust, dls.train)) for _ in range(rounds)]
    first, ours = (len(train) * N_FRAMES * rounds / sum(side) for side in zip(*pairs))
    print(f'\nBatches of {CLIPS_A_BATCH} clips, one thread: {first:.0f} frames a CPU second by version 0.1.0, '
          f'{ours:.0f} now')
    return verdict('times the frames a second of 0.1.0', [ours / first], LOADER)


class TrainSeconds(Callback):
    "CPU time of the training side of an epoch, validation apart"
    def before_train(self): self.start = time.process_time()
    def after_train(self): self.seconds = time.process_time() - self.start


def bare_epoch(model: DeepfakeModel, loss: MultiTaskLoss, optimizer: torch.optim.Optimizer, loader: Iterable):
    "The same by hand"
    model.train()
    for clips, *targets in loader:
        loss(model(clips.as_subclass(Tensor)), *targets).backward()
        optimizer.step()
        optimizer.zero_grad()


def steps(items: list[Item], rounds: int, backbone: str) -> bool:
    "The Learner and the bare loop, in turn, on the same clips"
    config = ModelConfig(backbone, known_methods(items), 8, 96)
    dls = clip_dataloaders(items, config, 4, ClipAugmentation(0), num_workers=0, device='cpu')
    watch, learn = TrainSeconds(), deepfake_learner(dls, config, recipe_for(pretrained=False))
    model, loss = DeepfakeModel(config), MultiTaskLoss()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    pairs = []
    with learn.no_bar(), learn.no_logging(), learn.added_cbs(watch):
        for _ in range(rounds + 1):
            bare = seconds(bare_epoch, model, loss, optimizer, dls.train)
            learn.fit(1, 1e-3)
            pairs.append((bare, watch.seconds))
    pairs = np.array(pairs[1:]) / len(dls.train)
    bare, ours = np.median(pairs, 0)
    print(f'\n{backbone}, 4 clips x 8 frames of 96 px, one thread: {1000 * bare:.0f} ms a step by a bare loop, '
          f'{1000 * ours:.0f} by the Learner')
    return verdict('times a step of the bare loop', [float(np.median(pairs[:, 1] / pairs[:, 0]))], STEP, at_most=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=5, help='how often the two sides take turns')
    parser.add_argument('--backbone', default='efficientnet_b0', help='of the step')
    arguments = parser.parse_args()
    one_thread()
    with tempfile.TemporaryDirectory() as folder:
        items = make_items(Path(folder))
        changes(items, arguments.rounds)
        held = [loaders(items, arguments.rounds), steps(items, arguments.rounds, arguments.backbone)]
    return int(not all(held))


if __name__ == '__main__': sys.exit(main())
