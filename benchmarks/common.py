"What the benchmarks share: the clips, the machine, and tables."
import os
import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import av
import cv2
import torch

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get('DEEPFAKE_REAL_DATA', ROOT.parent / 'shared' / 'data'))
# Of several sizes, codecs and recordings; the last ones are smaller than what datasets are released in
FORENSICS = 'datasets/FaceForensics++/'
CLIPS = ['clips/real/fsgan_conan_obrien.mp4', 'datasets/DFDC/dfdc_train_part_10/widuwuoiur.mp4',
         'datasets/DFDC/dfdc_train_part_0/brtujopkby.mp4', FORENSICS + 'original_sequences/youtube/c23/videos/004.mp4',
         FORENSICS + 'manipulated_sequences/FaceSwap/c23/videos/634_660.mp4',
         'clips/real/liveportrait_source_s32.mp4', 'clips/real/liveportrait_source_s13.mp4',
         'clips/real/intel_asl_book.mkv', 'clips/real/liveportrait_driving_d5.mp4', 'clips/fake/ghost_mark.webm']
N_FRAMES = 150


def one_thread():
    "Both sides get one thread: that is what a worker has"
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def find_clips(names: list[str]) -> list[Path]:
    "The clips asked for; where there is no real data, samples that this project makes"
    if names: return [Path(name) for name in names]
    if REAL_DATA.is_dir(): return [REAL_DATA / name for name in CLIPS]
    from deepfake_nbdev.video.finding import find_videos
    from deepfake_nbdev.samples.samples import make_samples
    folder = Path(tempfile.mkdtemp(prefix='deepfake_samples_'))
    print(f'{REAL_DATA} is not there: measured on samples', file=sys.stderr)
    make_samples(folder)
    return [video for video in find_videos(folder) if 'masks' not in video.parts][:6]


def seconds(function, *arguments) -> tuple[float, object]:
    "How long a call takes, and what it returns"
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def machine() -> str:
    "Where and when"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'
    versions = f'torch {torch.__version__}, OpenCV {cv2.__version__}, PyAV {av.__version__}'
    return f'{cores} cores, {platform.machine()}, {gpu}, Python {platform.python_version()}, {versions}, {date.today()}'


def show(columns: list[str], rows: list[list]):
    "A table that is Markdown, too"
    text = [columns] + [[f'{cell:.3g}' if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*text)]
    for number, row in enumerate(text):
        print('| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |', flush=True)
        if number == 0: print('|' + '|'.join('-' * (width + 2) for width in widths) + '|')


def verdict(what: str, values: list[float], bound: float, at_most: bool=False) -> bool:
    "Whether every value is within a bound, said in words"
    held = [value <= bound if at_most else value >= bound for value in values]
    worst = max(values) if at_most else min(values)
    found = f'{sum(held)} of {len(held)}, worst {worst:.3g}' if len(held) > 1 else f'{worst:.3g}'
    print(f'{"holds" if all(held) else "FAILS"}: {what} {"<=" if at_most else ">="} {bound:g}: {found}', flush=True)
    return all(held)
