"""What preprocessing costs: against decoding alone, stage by stage, from a second worker, and in memory.

    python benchmarks/preprocess.py                     the clips of ../shared/data, or samples
    python benchmarks/preprocess.py --clips a.mp4 b.mp4 --rounds 9
"""
import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import Callable
from unittest import mock

import av
import cv2
import imageio_ffmpeg
import numpy as np
import psutil

from common import N_FRAMES, find_clips, machine, one_thread, seconds, show, verdict
from deepfake_nbdev.faces import cropping, tracking
from deepfake_nbdev.faces.clips import Settings
from deepfake_nbdev.faces.detection import load_detector
from deepfake_nbdev.preprocessing import crop_faces, preprocess
from deepfake_nbdev.video.frames import Kept
from deepfake_nbdev.video.mjpeg import MjpegWriter
from deepfake_nbdev.video.reading import Reading

SETTINGS = Settings(min_frames=1, n_frames=N_FRAMES)
# Preprocessing over OpenCV's bare decode, at most. Where a frame decodes in a millisecond, the rest weighs more
BOUNDS = {'004.mp4': .9, '634_660.mp4': .9, 'fsgan_conan_obrien.mp4': 1.55, 'widuwuoiur.mp4': 1.25,
          'brtujopkby.mp4': 1.38, 'liveportrait_source_s32.mp4': 1.8, 'intel_asl_book.mkv': 2.5,
          'liveportrait_driving_d5.mp4': 4.7}
OTHER_BOUND = 3  # of clips that are not listed: heads that never rest, and clips of one's own
SECOND_WORKER, MEMORY_GB, MEMORY_4K_GB, GROWTH_GB = 1.7, .9, 1.2, .05
STAGES = {  # the functions whose time is a stage's
    'decode': ((av, 'open'), (Reading, '__init__'), (Reading, '__next__'), (Reading, 'count_rest')),
    'detect and follow': ((tracking.FaceTracker, 'add'), (tracking.FaceTracker, 'finish')),
    'crop': ((cropping, 'cut_face_clip'), (Kept, 'patch'), (cropping, 'warp')),
    'encode': ((MjpegWriter, 'write'), (MjpegWriter, 'close'))}


def decode(path: Path) -> int:
    "Decoding alone, in one thread: as many frames as preprocessing takes"
    capture, n = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]), 0
    while n < N_FRAMES and capture.read()[0]: n += 1
    return n


class Stopwatch:
    "Seconds by stage. What a stage calls belongs to it, even if it is a function of another stage."
    def __init__(self): self.seconds, self.running = dict.fromkeys(STAGES, 0.), False

    def timed(self, stage: str, function: Callable) -> Callable:
        "The same function, on the clock"
        @functools.wraps(function)
        def call(*arguments, **options):
            if self.running: return function(*arguments, **options)
            self.running, start = True, time.perf_counter()
            try: return function(*arguments, **options)
            finally:
                self.seconds[stage] += time.perf_counter() - start
                self.running = False
        return call


@contextlib.contextmanager
def stopwatch():
    "The library's functions are on the clock within the block, and as before after it"
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for stage, places in STAGES.items():
            for owner, name in places:
                stack.enter_context(mock.patch.object(owner, name, watch.timed(stage, getattr(owner, name))))
        yield watch


def by_stage(path: Path, face_path: Path) -> list[float]:
    "Seconds of each stage, of the rest, and of the whole"
    with stopwatch() as watch: total = seconds(crop_faces, path, face_path, SETTINGS)[0]
    return [*watch.seconds.values(), total - sum(watch.seconds.values()), total]


def measure(path: Path, rounds: int, face_path: Path) -> tuple[list, list]:
    "A row of each table: the two sides in turn, and where the time goes in the run of median length"
    load_detector('cpu').find(np.zeros((64, 64, 3), np.uint8))
    pairs, stages = [], []
    for _ in range(rounds):
        alone, n = seconds(decode, path)
        pairs.append((alone, seconds(crop_faces, path, face_path, SETTINGS)[0]))
        stages.append(by_stage(path, face_path))
    pairs = np.array(pairs)
    ratio = float(np.median(pairs[:, 1] / pairs[:, 0]))
    middle = sorted(stages, key=lambda stage: stage[-1])[rounds // 2]
    return ([path.name, frame_size(path), n, *map(float, 1000 * np.median(pairs, 0) / n), ratio],
            [path.name, *(1000 * stage / n for stage in middle)])


def frame_size(path: Path) -> str:
    "Width and height as stored"
    capture = cv2.VideoCapture(str(path))
    return f'{capture.get(cv2.CAP_PROP_FRAME_WIDTH):.0f}x{capture.get(cv2.CAP_PROP_FRAME_HEIGHT):.0f}'


def against_decoding(clips: list[Path], rounds: int) -> list[bool]:
    "Both tables, and whether each clip keeps within its bound"
    with tempfile.TemporaryDirectory() as folder:
        rows, stages = zip(*(measure(path, rounds, Path(folder) / 'face.avi') for path in clips))
    print(f'One video, one thread, {machine()}\n')
    show(['clip', 'size', 'frames', 'decoding ms a frame', 'preprocessing ms a frame', 'ratio'], rows)
    print('\nWhere the time goes, ms a frame\n')
    show(['clip', *STAGES, 'rest', 'all'], stages)
    print()
    return [verdict(f'{name}, times the bare decode', [ratio], BOUNDS.get(name, OTHER_BOUND), at_most=True)
            for name, *_, ratio in rows]


def run_side(n_workers: int, names: list[str]):
    "In a process of its own: preprocess clips with so many workers on as many cores; seconds and memory as JSON"
    if n_workers == 1 and hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    videos = {str(i): name for i, name in enumerate(names)}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(contextlib.redirect_stderr(stack.enter_context(open(os.devnull, 'w'))))
        preprocess({'warm': names[0]}, folder / 'warm', SETTINGS, n_workers)  # the libraries are loaded once a run
        with peak_memory() as peak: took, table = seconds(preprocess, videos, folder / 'out', SETTINGS, n_workers)
    print(json.dumps({'seconds': took, 'n_ok': int((table.status == 'ok').sum()), 'peak_gb': peak}))


@contextlib.contextmanager
def peak_memory():
    "Peaks in GB: of any one worker, of it in the first and in the last third of the time, and of the fork server"
    stop, samples, peak = threading.Event(), [], {}
    def watch():
        while not stop.wait(.05):
            with contextlib.suppress(psutil.Error): samples.append(resident())
    thread = threading.Thread(target=watch)
    thread.start()
    try: yield peak
    finally:
        stop.set()
        thread.join()
        workers, servers = zip(*samples)
        third = max(1, len(workers) // 3)
        peak |= {'whole': max(workers), 'first_third': max(workers[:third]), 'last_third': max(workers[-third:]),
                 'fork_server': max(servers)}


def resident() -> tuple[float, float]:
    "GB of the largest worker, and of the process that loads the libraries once, of which workers are copies"
    children = {child.pid: child.memory_info().rss / 1e9 for child in psutil.Process().children(recursive=True)}
    server = children.pop(getattr(forkserver._forkserver, '_forkserver_pid', None), 0.)
    return max(children.values(), default=0.), server


def side(n_workers: int, names: list[Path]) -> dict:
    "`run_side` in a process of its own"
    command = [sys.executable, __file__, '--side', str(n_workers), '--clips', *map(str, names)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def second_worker(clips: list[Path]) -> bool:
    "Whether two workers on two cores do nearly twice as much as one on one"
    work = [clip for clip in clips for _ in range(3)]
    one, two = (60 * len(work) / side(n_workers, work)['seconds'] for n_workers in (1, 2))
    print(f'\n{len(work)} videos: {one:.0f} a minute with one worker on one core, {two:.0f} with two on two')
    return verdict('times as many with the second worker', [two / one], SECOND_WORKER)


def worker_memory(videos: list[Path], what: str) -> dict[str, float]:
    "GB that a worker took, also in words"
    done = side(1, videos)
    words = ', '.join(f'{name.replace("_", " ")} {gb:.2f} GB' for name, gb in done['peak_gb'].items())
    print(f'\nA worker over {len(videos)} videos of {what}, {done["n_ok"]} of them ok: {words}')
    return done['peak_gb']


def memory(large: list[Path]) -> list[bool]:
    "Whether a worker keeps within its memory, over many videos and on one of 4K"
    peak = worker_memory(large * max(1, 24 // len(large)), ' and '.join(sorted(set(map(frame_size, large)))))
    held = [verdict('GB for a worker', [peak['whole']], MEMORY_GB, at_most=True),
            verdict('GB more in the last third than in the first', [peak['last_third'] - peak['first_third']],
                    GROWTH_GB, at_most=True)]
    with tempfile.TemporaryDirectory() as folder:
        peak = worker_memory([make_4k(large[0], Path(folder) / '4k.mp4')] * 3, '3840x2160')
    return held + [verdict('GB for a worker on 4K', [peak['whole']], MEMORY_4K_GB, at_most=True)]


def make_4k(source: Path, target: Path) -> Path:
    "60 frames of a clip, enlarged; a shorter one is repeated"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), '-v', 'error', '-stream_loop', '-1', '-i', str(source), '-an']
    command += ['-vf', 'scale=3840:2160,setsar=1', '-frames:v', '60']
    command += ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', str(target)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--clips', nargs='*', default=[], help='video files; if not given, the real clips, or samples')
    parser.add_argument('--rounds', type=int, default=5, help='how often the two sides take turns')
    parser.add_argument('--side', type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side: return run_side(arguments.side, arguments.clips)
    clips = find_clips(arguments.clips)
    one_thread()
    held = against_decoding(clips, arguments.rounds)
    held.append(second_worker(clips))
    held += memory([clip for clip in clips if '1080' in frame_size(clip).split('x')] or clips)
    return int(not all(held))


if __name__ == '__main__': sys.exit(main())
