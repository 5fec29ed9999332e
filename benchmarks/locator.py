"""How well the face locator finds what YuNet finds: everyday photographs, raw portraits, and people that no network was
trained on, composed onto photographs.

    python -m benchmarks.locator [--graph FILE] [--data ../shared/data]

YuNet is the judge: a face counts from 60 pixels (the longer side of its box); it is found where the middle of our
landmarks lies within half an eye distance of its own. Landmark errors are means over the five points, as shares of the
eye distance. `invented` counts faces that YuNet does not see even at a score of 0.3.

A judge has errors too. `itself`: what YuNet says of the same picture at twice its size, against what it said first. Of
the composites the landmarks are known, from the labels of the faces at 128 pixels: `labels` compares both with those.
"""
# H W photo

import argparse
import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from models.alignment import FaceSquare, Picture, Points, face_square, paste
from models.engines.opening import open_engine
from models.locating import Face, Locator

DATA = Path(__file__).parents[2] / "shared" / "data"
FROM_PIXELS = 60
SURE, DOUBTFUL = 0.7, 0.3
COMPOSITES = 120
LABELLED_SIDE = 128


def judged(photo: Picture, data: Path, score: float) -> Any:
    """YuNet's faces [F, 15]: box, five points, score."""
    height, width = photo.shape[:2]
    path = str(data / "tools" / "face_detection_yunet_2023mar.onnx")
    found = cv2.FaceDetectorYN.create(path, "", (width, height), score_threshold=score).detect(
        np.ascontiguousarray(photo[:, :, ::-1])
    )[1]
    return np.zeros((0, 15), np.float32) if found is None else found


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


def compare(locator: Locator, photos: Iterator[Picture], data: Path) -> dict[str, float]:
    """Figures of one set."""
    errors, itself, missed, invented, seconds, count = [], [], 0, 0, 0.0, 0
    for photo in photos:
        started = time.perf_counter()
        ours = locator.find(photo)
        seconds, count = seconds + time.perf_counter() - started, count + 1
        for face in judged(photo, data, SURE):
            if max(face[2:4]) < FROM_PIXELS:
                continue
            error = nearest(ours, face[4:14].reshape(5, 2))
            again = nearest(twice(photo, data), face[4:14].reshape(5, 2))
            itself += [] if again is None else [again]
            missed += error is None
            errors += [] if error is None else [error]
        doubtful = [face[4:14].reshape(5, 2) for face in judged(photo, data, DOUBTFUL)]
        invented += sum(all(nearest([face], points) is None for points in doubtful) for face in ours)
    faces = len(errors) + missed
    return {
        "photos": count,
        "faces": faces,
        "found": len(errors) / max(faces, 1),
        "error_median": float(np.median(errors or [math.nan])),
        "error_90": float(np.percentile(errors or [math.nan], 90)),
        "itself": float(np.median(itself or [math.nan])),
        "invented": invented,
        "ms": 1000 * seconds / max(count, 1),
    }


def twice(photo: Picture, data: Path) -> list[Face]:
    """YuNet's faces in the photo at twice its size, in pixels of the photo."""
    large = Image.fromarray(photo).resize((2 * photo.shape[1], 2 * photo.shape[0]), Image.Resampling.BICUBIC)
    return [Face(face[4:14].reshape(5, 2) / 2, 1.0) for face in judged(np.asarray(large), data, SURE)]


def against_labels(locator: Locator, data: Path) -> tuple[float, float]:
    """Median landmark errors of ours and of YuNet's, on composites whose landmarks are known."""
    ours, theirs = [], []
    for photo, points in composed(data):
        yunet = [Face(face[4:14].reshape(5, 2), 1.0) for face in judged(photo, data, SURE)]
        ours.append(nearest(locator.find(photo), points))
        theirs.append(nearest(yunet, points))
    medians = [float(np.median([error for error in errors if error is not None])) for errors in (ours, theirs)]
    return medians[0], medians[1]


def nearest(ours: list[Face], points: Any) -> float | None:
    """The landmark error of ours that lies there, as a share of the eye distance; None where none does."""
    eyes = face_square(points).side / 4
    errors = [
        float(np.linalg.norm(face.landmarks - points, axis=1).mean() / eyes)
        for face in ours
        if np.linalg.norm(face.landmarks.mean(0) - points.mean(0)) < eyes / 2
    ]
    return min(errors, default=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", type=Path, default=Path("models/bundled/locator/locator.onnx"))
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    locator = Locator(open_engine(options.graph, "cpu"))
    print("set          photos  faces  found  median error  90 % below  itself  invented  ms a photo")
    for photos in (everyday, portraits, composites):
        row = compare(locator, photos(options.data), options.data)
        print(
            f"{photos.__name__:12} {row['photos']:6.0f} {row['faces']:6.0f} {row['found']:6.1%} "
            f"{row['error_median']:12.1%} {row['error_90']:11.1%} {row['itself']:7.1%} {row['invented']:9.0f} "
            f"{row['ms']:11.0f}"
        )
    ours, theirs = against_labels(locator, options.data)
    print(f"against the labels of the composites: ours {ours:.1%}, YuNet {theirs:.1%}")


if __name__ == "__main__":
    main()
