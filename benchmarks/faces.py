"""In how many of a model's pictures a detector finds exactly one face. The rest is `personne evaluate`.

    python -m benchmarks.faces MODEL --detector YUNET.onnx [--samples 1000] [--psi 0.7] [--store FOLDER]

The detector (YuNet, MIT) is the reader's own copy.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from models.catalogue import find_models
from models.contact_sheet import Picture
from personne.commands.sample import draw_faces

DETECTOR_SIDE = 256


def main() -> None:
    options = parse()
    entry = find_models(options.store).named(options.model)
    faces = draw_faces(entry, range(options.samples), options.psi, device="cpu")
    print(f"{'face_share':24} {face_share(faces, options.detector):.4g}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--psi", type=float, default=0.7)
    parser.add_argument("--store", type=Path, default=Path("store"))
    return parser.parse_args()


def face_share(pictures: Iterable[Picture], detector: Path) -> float:
    """The share of pictures [R, R, 3] uint8 in which YuNet finds exactly one face."""
    size = (DETECTOR_SIDE, DETECTOR_SIDE)
    yunet = cv2.FaceDetectorYN.create(str(detector), "", size, score_threshold=0.7)
    single = []
    for picture in pictures:
        blue_first = np.ascontiguousarray(picture[..., ::-1])
        faces = yunet.detect(cv2.resize(blue_first, size, interpolation=cv2.INTER_CUBIC))[1]
        single.append(faces is not None and len(faces) == 1)
    return float(np.mean(single))


if __name__ == "__main__":
    main()
