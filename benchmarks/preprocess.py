"""What preprocessing costs: against decoding alone, from a second worker, and in memory.

    python benchmarks/preprocess.py                     the clips of ../shared/data, or samples
    python benchmarks/preprocess.py --clips a.mp4 b.mp4 --rounds 9
"""
import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import psutil

from common import N_FRAMES, find_clips, machine, one_thread, seconds, show, verdict
from deepfake_nbdev.faces import load_detector
from deepfake_nbdev.preprocessing import Settings, crop_faces, preprocess

SETTINGS = Settings(min_frames=1, n_frames=N_FRAMES)


def decode(path: Path) -> int:
    "Decoding alone, in one thread: as many frames as preprocessing takes"
    capture, n = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]), 0
    while n < N_FRAMES and capture.read()[0]: n += 1
    return n


def against_decoding(path: Path, rounds: int, folder: Path) -> list:
    "A row of the table: the two sides in turn"
    load_detector('cpu').find(np.zeros((64, 64, 3), np.uint8))
    pairs = []
    for _ in range(rounds):
        alone, n = seconds(decode, path)
        pairs.append((alone, seconds(crop_faces, path, folder / 'face.avi', SETTINGS)[0]))
    pairs = np.array(pairs)
    capture = cv2.VideoCapture(str(path))
    size = f'{capture.get(cv2.CAP_PROP_FRAME_WIDTH):.0f}x{capture.get(cv2.CAP_PROP_FRAME_HEIGHT):.0f}'
    return [path.name, size, n, *map(float, 1000 * np.median(pairs, 0) / n), float(np.median(pairs[:, 1] / pairs[:, 0]))]


def run_side(n_workers: int, names: list[str]):
    "In a process of its own: preprocess clips with so many workers on as many cores; seconds and memory as JSON"
    if n_workers == 1 and hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, 'w') as nowhere, contextlib.redirect_stderr(nowhere):
        preprocess({'warm': names[0]}, Path(folder) / 'warm', SETTINGS, n_workers)  # the libraries are loaded once a run
        with peak_memory() as peak:
            took, table = seconds(preprocess, {str(i): name for i, name in enumerate(names)}, Path(folder) / 'out', SETTINGS, n_workers)
    print(json.dumps({'seconds': took, 'n_ok': int((table.status == 'ok').sum()), 'peak_gb': peak}))


@contextlib.contextmanager
def peak_memory():
    "The most that any one worker kept in memory, GB, and what it kept in the first and in the last third of the time"
    stop, samples, peak = threading.Event(), [], {}
    def watch():
        while not stop.wait(.05):
            workers = psutil.Process().children(recursive=True)
            with contextlib.suppress(psutil.Error): samples.append(max([w.memory_info().rss / 1e9 for w in workers], default=0))
    thread = threading.Thread(target=watch)
    thread.start()
    try: yield peak
    finally:
        stop.set()
        thread.join()
        third = max(1, len(samples) // 3)
        peak |= {'whole': max(samples), 'first_third': max(samples[:third]), 'last_third': max(samples[-third:])}


def side(n_workers: int, names: list) -> dict:
    "`run_side` in a process of its own"
    printed = subprocess.run([sys.executable, __file__, '--side', str(n_workers), '--clips', *map(str, names)], check=True, capture_output=True, text=True)
    return json.loads(printed.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--clips', nargs='*', default=[], help='video files; if not given, the real clips, or samples')
    parser.add_argument('--rounds', type=int, default=5, help='how often the two sides take turns')
    parser.add_argument('--side', type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side: return run_side(arguments.side, arguments.clips)
    clips = find_clips(arguments.clips)
    one_thread()
    with tempfile.TemporaryDirectory() as folder: rows = [against_decoding(path, arguments.rounds, Path(folder)) for path in clips]
    print(f'One video, one thread, {machine()}\n')
    show(['clip', 'size', 'frames', 'decoding ms a frame', 'preprocessing ms a frame', 'ratio'], rows)
    print()
    held = [verdict('times the bare decode', [row[-1] for row in rows], 3, at_most=True)]
    slow = [row[-1] for row in rows if row[3] >= 2.5]
    if slow: verdict('the same for clips whose frames take 2.5 ms or more to decode', slow, 3, at_most=True)

    work = [clip for clip in clips for _ in range(3)]
    one, two = (60 * len(work) / side(n_workers, work)['seconds'] for n_workers in (1, 2))
    print(f'\n{len(work)} videos: {one:.0f} a minute with one worker on one core, {two:.0f} with two on two')
    held.append(verdict('times as many with the second worker', [two / one], 1.7))

    large = [clip for clip, row in zip(clips, rows) if '1080' in row[1].split('x')] or clips
    memory = side(1, large * (24 // len(large)))['peak_gb']
    print(f'\nA worker over {len(large) * (24 // len(large))} videos of 1080 lines: ' + ', '.join(f'{name} {gb:.2f} GB' for name, gb in memory.items()))
    held += [verdict('GB for a worker', [memory['whole']], 1.2, at_most=True),
             verdict('GB more in the last third than in the first', [memory['last_third'] - memory['first_third']], .05, at_most=True)]
    return int(not all(held))


if __name__ == '__main__': sys.exit(main())
