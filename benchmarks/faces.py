"""Finding faces in the first 150 frames of real clips: this library, facenet-pytorch on every frame, and on every 4th.

    python benchmarks/faces.py                     the clips of ../shared/data, or samples
    python benchmarks/faces.py --clips a.mp4 b.mp4
    python benchmarks/faces.py --device cuda
"""
import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from facenet_pytorch import MTCNN

from common import N_FRAMES, find_clips, machine, one_thread, seconds, show, verdict
from deepfake_nbdev.faces.boxes import iou, square
from deepfake_nbdev.faces.cropping import crop_boxes
from deepfake_nbdev.faces.detection import MTCNNDetector
from deepfake_nbdev.faces.tracking import FaceTrack, track_faces
from deepfake_nbdev.video.frames import Frame
from deepfake_nbdev.video.reading import iter_frames

COLUMNS = ['clip', 'size', 'frames', 'every frame s', 'ours s', 'ratio', 'every 4th ratio', 'found', 'IoU median',
           'IoU 5th pct', '4th: IoU median', '4th: 5th pct', 'motion MTCNN %', 'track %', 'crop %']


def fresh(frame: Frame) -> Frame:
    "The same as it comes from the decoder. A frame keeps its colours once made; each run shall make its own"
    return replace(frame)


def ours(frames: list[Frame], detector: MTCNNDetector) -> list[FaceTrack]:
    "This library's way"
    return track_faces(map(fresh, frames), detector)


def detect(mtcnn: MTCNN, frames: list[Frame]) -> list[np.ndarray]:
    "The usual way: the boxes that MTCNN is sure of, the largest first, picture by picture, at full size"
    found = (mtcnn.detect(fresh(frame).image) for frame in frames)
    return [np.zeros((0, 4)) if boxes is None else np.array(boxes[probs > .9], float) for boxes, probs in found]


def every_fourth(mtcnn: MTCNN, frames: list[Frame]) -> list[np.ndarray]:
    "The widespread short cut: detect on every 4th frame, and use its boxes for the three after it"
    return [boxes for boxes in detect(mtcnn, frames[::4]) for _ in range(4)][:len(frames)]


def by_frame(tracks: list[FaceTrack], n_frames: int) -> list[np.ndarray]:
    "The boxes of each frame"
    boxes = [[] for _ in range(n_frames)]
    for track in tracks:
        for index, box in zip(track.frames, track.boxes): boxes[index].append(box)
    return [np.reshape(here, (-1, 4)) for here in boxes]


def agreement(reference: list[np.ndarray], boxes: list[np.ndarray]) -> tuple[float, float, float]:
    "The share of the reference's main faces that was found too, and median and 5th percentile of the IoU with those"
    pairs = [(wanted[:1], here) for wanted, here in zip(reference, boxes) if len(wanted)]
    overlap = [iou(wanted, here).max() for wanted, here in pairs if len(here)]
    return len(overlap) / len(pairs), float(np.median(overlap)), float(np.percentile(overlap, 5))


def motion(boxes: np.ndarray, side: float) -> float:
    "Mean motion of a box from frame to frame, in percent of the face's side"
    return 100 * float(np.abs(np.diff(boxes, axis=0)).mean()) / side


def motions(reference: list[np.ndarray], track: FaceTrack) -> list[float]:
    "That of MTCNN's own boxes, of the track, and of the squares that are cut out, on the main face"
    nearest = lambda boxes, place: max(boxes, key=lambda box: iou(box, place)[0, 0], default=place)
    same = [nearest(reference[index], box) for index, box in zip(track.frames, track.boxes)]
    side = np.ptp(np.reshape(track.boxes, (-1, 2, 2)), axis=1).max(-1).mean()
    squares = square(np.array(same)), square(np.array(track.boxes)), crop_boxes(track, 0)
    return [motion(boxes, side) for boxes in squares]


def measure(path: Path, mtcnn: MTCNN, detector: MTCNNDetector) -> list:
    "A row of the table. The sides take turns, so that a change of the machine's speed meets them all"
    frames = list(iter_frames(path, N_FRAMES))
    ours(frames[:20], detector), detect(mtcnn, frames[:1])  # warm up
    times = [seconds(ours, frames, detector)[0]]
    usual_time, reference = seconds(detect, mtcnn, frames)
    time, tracks = seconds(ours, frames, detector)
    fourth_time, fourth = seconds(every_fourth, mtcnn, frames)
    ours_time = float(np.median(times + [time, seconds(ours, frames, detector)[0]]))
    size = 'x'.join(map(str, frames[0].size))
    return [path.name, size, len(frames), usual_time, ours_time, usual_time / ours_time, usual_time / fourth_time,
            *agreement(reference, by_frame(tracks, len(frames))), *agreement(reference, fourth)[1:],
            *motions(reference, tracks[0])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--clips', nargs='*', default=[], help='video files; if not given, the real clips, or samples')
    parser.add_argument('--device', default='cpu', help='cpu or cuda, for both sides')
    arguments = parser.parse_args()
    one_thread()
    mtcnn, detector = MTCNN(keep_all=True, device=arguments.device), MTCNNDetector(arguments.device)
    rows = []
    for path in find_clips(arguments.clips):
        rows.append(measure(path, mtcnn, detector))
        print(f'{rows[-1][0]}: {rows[-1][COLUMNS.index("ratio")]:.1f} times faster', file=sys.stderr, flush=True)
    print(f'Finding faces, one thread, {machine()}\n')
    show(COLUMNS, rows)
    large = [row for row in rows if min(map(int, row[1].split('x'))) >= 480]  # what DESIGN's figures are for
    column = lambda name: [row[COLUMNS.index(name)] for row in large]
    print(f'\nOn the {len(large)} clips of 480 lines and more:')
    held = [verdict('times less time than MTCNN on every frame', column('ratio'), 20),
            verdict('faces found where it finds one', column('found'), .99),
            verdict('median IoU', column('IoU median'), .92),
            verdict('5th percentile of the IoU', column('IoU 5th pct'), .85)]
    return int(not all(held))


if __name__ == '__main__': sys.exit(main())
