"""How well the face locator finds what YuNet finds: everyday photographs, raw portraits, and people that no network was
trained on, composed onto photographs.

    python -m benchmarks.locator [--locator FOLDER] [--data ../shared/data] [--draw FOLDER]

YuNet is the judge: a face counts from 60 pixels (the longer side of its box); it is found where the middle of our
landmarks lies within half an eye distance of its own. Landmark errors are means over the five points, as shares of the
eye distance. `invented` counts faces that YuNet does not see even at a score of 0.3.

A judge has errors too. Its consensus is the mean of what it says of the face at four sizes, each also in a mirror:
`consensus` is our error against that, `judge` its own, of the one look that `median error` is measured against. Of the
composites the landmarks are known, from the labels of the faces at 128 pixels: the last lines compare both with those,
and all our landmarks with what is surest of each: the label, else the consensus.
"""
# H W photo

import argparse
import csv
import functools
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from models.alignment import FaceSquare, Picture, Points, cut, face_square, paste
from models.locating import IN_A_MIRROR, Face, Locator
from models.locator_files import LOCATOR_FOLDER, open_locator

DATA = Path(__file__).parents[2] / "shared" / "data"
FROM_PIXELS = 60
SURE, DOUBTFUL = 0.7, 0.3
COMPOSITES = 120
LABELLED_SIDE = 128
CONSENSUS_EYES = (20, 26, 34, 44)
"""Eye distances in pixels at which YuNet looks again, in a square of six."""


def judged(photo: Picture, data: Path, score: float) -> Any:
    """YuNet's faces [F, 15]: box, five points, score."""
    height, width = photo.shape[:2]
    yunet = opened_yunet(str(data / "tools" / "face_detection_yunet_2023mar.onnx"))
    yunet.setInputSize((width, height))
    yunet.setScoreThreshold(score)
    found = yunet.detect(np.ascontiguousarray(photo[:, :, ::-1]))[1]
    return np.zeros((0, 15), np.float32) if found is None else found


@functools.cache
def opened_yunet(path: str) -> Any:
    return cv2.FaceDetectorYN.create(path, "", (64, 64))


def everyday(data: Path) -> Iterator[Picture]:
    """Photographs of streets, rooms, people."""
    for path in sorted((data / "everyday").glob("*.jpg")):
        yield opened(path)


def portraits(data: Path) -> Iterator[Picture]:
    """Official portraits as they were published."""
    for path in sorted((data / "faces" / "raw").glob("*.jpg")):
        yield opened(path)


def composites(data: Path) -> Iterator[Picture]:
    """See `composed`."""
    return (photo for photo, _ in composed(data))


def composed(data: Path) -> Iterator[tuple[Picture, Points]]:
    """Test people on test photographs, turned by up to 40 degrees, their square 120 to 360 pixels wide; and where their
    landmarks are."""
    random = np.random.default_rng(6)
    with (data / "faces" / "index.csv").open(encoding="utf-8") as file:
        people = [row for row in csv.DictReader(file) if row["split"] == "test"]
    with (data / "photos" / "index.csv").open(encoding="utf-8") as file:
        places = [row["file"] for row in csv.DictReader(file) if row["split"] == "test"]
    for number in range(COMPOSITES):
        row = people[number % len(people)]
        folder = "256" if row["has_256"] == "1" else "128"
        photo = opened(data / "photos" / "400" / places[number % len(places)])
        half, angle = random.uniform(60, 180), math.radians(random.uniform(-40, 40))
        middle = random.uniform(0.3, 0.7, 2) * photo.shape[1::-1]
        square = FaceSquare(*middle.tolist(), half * math.cos(angle), half * math.sin(angle))
        labelled = np.array([float(number) for number in row["landmarks"].split()]).reshape(5, 2)
        face = opened(data / "faces" / folder / row["file"])
        yield paste(photo, square, face, 0.1), square.to_photo(labelled / LABELLED_SIDE)


def opened(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("RGB"))


def compare(locator: Locator, photos: Iterator[Picture], data: Path) -> tuple[dict[str, float], list[float]]:
    """Figures of one set, and our error at each face that was found, against the consensus."""
    errors, agreed, judge, missed, invented, seconds, count = [], [], [], 0, 0, 0.0, 0
    for photo in photos:
        started = time.perf_counter()
        ours = locator.find(photo)
        seconds, count = seconds + time.perf_counter() - started, count + 1
        for face in judged(photo, data, SURE):
            if max(face[2:4]) < FROM_PIXELS:
                continue
            points = face[4:14].reshape(5, 2)
            error = nearest(ours, points)
            missed += error is None
            errors += [] if error is None else [error]
            mean = consensus(photo, points, data)
            agreed += [against for against in [nearest(ours, mean)] if against is not None]
            judge += [against for against in [nearest([Face(points, 1.0)], mean)] if against is not None]
        doubtful = [face[4:14].reshape(5, 2) for face in judged(photo, data, DOUBTFUL)]
        invented += sum(all(nearest([face], points) is None for points in doubtful) for face in ours)
    faces = len(errors) + missed
    figures = {
        "photos": count,
        "faces": faces,
        "found": len(errors) / max(faces, 1),
        "error_median": float(np.median(errors or [math.nan])),
        "error_90": float(np.percentile(errors or [math.nan], 90)),
        "consensus": float(np.median(agreed or [math.nan])),
        "judge": float(np.median(judge or [math.nan])),
        "invented": invented,
        "ms": 1000 * seconds / max(count, 1),
    }
    return figures, agreed


def consensus(photo: Picture, points: Points, data: Path) -> Points:
    """The mean of what YuNet says of this face at several sizes, upright in the photo, also in a mirror."""
    unit, (x, y) = face_square(points).side / 4, points.mean(0)
    square = FaceSquare(float(x), float(y), 3 * unit, 0.0)
    seen = [np.asarray(points, np.float64)]
    for eyes in CONSENSUS_EYES:
        picture = cut(photo, square, 6 * eyes)
        for in_a_mirror in (False, True):
            found = judged(picture[:, ::-1] if in_a_mirror else picture, data, DOUBTFUL)
            shares = [face[4:14].reshape(5, 2).astype(np.float64) / (6 * eyes) for face in found]
            if in_a_mirror:
                shares = [share[IN_A_MIRROR] * (-1, 1) + (1, 0) for share in shares]
            middle = [share for share in shares if np.abs(share.mean(0) - 0.5).max() < 0.5 / 6]
            seen += [square.to_photo(share) for share in middle[:1]]
    return np.mean(seen[1:] or seen, axis=0)


def against_labels(locator: Locator, data: Path) -> tuple[list[float], list[float]]:
    """Landmark errors of ours and of YuNet's, on composites whose landmarks are known, where a face was found."""
    ours, theirs = [], []
    for photo, points in composed(data):
        yunet = [Face(face[4:14].reshape(5, 2), 1.0) for face in judged(photo, data, SURE)]
        ours.append(nearest(locator.find(photo), points))
        theirs.append(nearest(yunet, points))
    return [error for error in ours if error is not None], [error for error in theirs if error is not None]


def nearest(ours: list[Face], points: Any) -> float | None:
    """The landmark error of ours that lies there, as a share of the eye distance; None where none does."""
    eyes = face_square(points).side / 4
    errors = [
        float(np.linalg.norm(face.landmarks - points, axis=1).mean() / eyes)
        for face in ours
        if np.linalg.norm(face.landmarks.mean(0) - points.mean(0)) < eyes / 2
    ]
    return min(errors, default=None)


def draw(locator: Locator, data: Path, out: Path) -> None:
    """The everyday photographs with YuNet's faces in green (doubtful ones in yellow) and ours in magenta."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((data / "everyday").glob("*.jpg")):
        photo = opened(path)
        image = Image.fromarray(photo)
        pen = ImageDraw.Draw(image)
        for face in judged(photo, data, DOUBTFUL):
            colour = "lime" if face[14] >= SURE and max(face[2:4]) >= FROM_PIXELS else "yellow"
            _mark(pen, face[:4].tolist(), face[4:14].reshape(5, 2), colour)
        for ours in locator.find(photo):
            _mark(pen, ours.box, ours.landmarks, "magenta")
            pen.text(ours.box[:2], f"{ours.score:.2f}", fill="red")
        image.save(out / path.name)


def _mark(pen: ImageDraw.ImageDraw, box: Sequence[float], points: Points, colour: str) -> None:
    left, top, width, height = box
    pen.rectangle((left, top, left + width, top + height), outline=colour, width=2)
    for x, y in points:
        pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locator", type=Path, default=LOCATOR_FOLDER)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draw", type=Path, help="a folder for the everyday photographs with what was found")
    options = parser.parse_args()
    locator = open_locator(None, options.locator)
    if options.draw:
        draw(locator, options.data, options.draw)
    print("set          photos  faces  found  median error  90 % below  consensus  judge  invented  ms a photo")
    surest: list[float] = []
    faces = found = 0.0
    for photos in (everyday, portraits, composites):
        row, agreed = compare(locator, photos(options.data), options.data)
        surest += agreed if photos is not composites else []
        faces, found = faces + row["faces"], found + row["faces"] * row["found"]
        print(
            f"{photos.__name__:12} {row['photos']:6.0f} {row['faces']:6.0f} {row['found']:6.1%} "
            f"{row['error_median']:12.1%} {row['error_90']:11.1%} {row['consensus']:10.1%} {row['judge']:6.1%} "
            f"{row['invented']:9.0f} {row['ms']:11.0f}",
            flush=True,
        )
    ours, theirs = against_labels(locator, options.data)
    print(f"against the labels of the composites: ours {np.median(ours):.1%}, YuNet {np.median(theirs):.1%}")
    print(f"all: {found / max(faces, 1):.1%} of {faces:.0f} found, landmarks {np.median(surest + ours):.1%} off")


if __name__ == "__main__":
    main()
