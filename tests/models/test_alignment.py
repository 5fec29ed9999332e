"""The square around a face: its framing, its way back into the photo, and the shipped training data as the judge."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.alignment import FaceSquare, cut, face_square, padding_share, paste, paste_change

FACES = Path(__file__).parents[3] / "shared" / "data" / "faces"
UPRIGHT = np.array([[48.0, 60.0], [80.0, 60.0], [64.0, 78.0], [50.0, 94.0], [78.0, 94.0]])


def scene(height: int, width: int) -> np.ndarray:
    """Smooth colours, so that a pixel more or less shows as a small difference only."""
    down, across = np.mgrid[0:height, 0:width]
    levels = [128 + 90 * np.sin(across / 19 + i) * np.cos(down / (23 + i)) for i in range(3)]
    return np.rint(np.stack(levels, -1)).astype(np.uint8)


def turned(points: np.ndarray, degrees: float, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return scale * (points - 64) @ np.array([[cos, sin], [-sin, cos]]) + 64 + shift


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.square(one.astype(float) - other).mean(), 1e-9)))


def test_the_square_is_four_eye_distances_wide() -> None:
    square = face_square(UPRIGHT)
    assert square.side == pytest.approx(128)
    assert (square.x, square.y) == pytest.approx((64, 60 + 3.4))
    assert square.across_y == pytest.approx(0)


def test_a_long_face_is_not_cut_off() -> None:
    long_face = np.array([[48.0, 60.0], [80.0, 60.0], [64.0, 88.0], [50.0, 114.0], [78.0, 114.0]])
    assert face_square(long_face).side == pytest.approx(2 * 1.8 * 54)


@pytest.mark.parametrize("degrees", [-120, -30, 0, 17, 90, 179])
def test_the_square_turns_and_grows_with_the_face(degrees: float) -> None:
    plain, moved = face_square(UPRIGHT), face_square(turned(UPRIGHT, degrees, 2.5, (30, -7)))
    assert moved.side == pytest.approx(2.5 * plain.side)
    np.testing.assert_allclose(moved.corners, turned(plain.corners, degrees, 2.5, (30, -7)), atol=1e-9)


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2)), np.ones((5, 2))])
def test_landmarks_that_make_no_face_are_refused(landmarks: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"landmarks"):
        face_square(landmarks)


def test_a_turned_square_has_its_middle_and_its_corner_elsewhere() -> None:
    square = FaceSquare(10, 20, 4, 0).turned(math.pi / 2, 1.5)
    assert square.side == pytest.approx(12)
    np.testing.assert_allclose(square.to_photo(np.array([[0.5, 0.5], [1, 0.5]])), [[10, 20], [10, 26]], atol=1e-9)


def test_places_go_to_the_crop_and_back() -> None:
    square = face_square(turned(UPRIGHT, 33, 1.7, (200, 50)))
    places = np.array([[10.0, 20.0], [300.0, 5.0]])
    np.testing.assert_allclose(square.to_photo(square.to_crop(places)), places, atol=1e-9)
    np.testing.assert_allclose(square.to_crop(square.corners), [[0, 0], [1, 0], [1, 1], [0, 1]], atol=1e-12)


def test_an_upright_crop_at_its_own_size_is_the_photo_itself() -> None:
    photo = scene(200, 220)
    crop = cut(photo, FaceSquare(100, 90, 32, 0), 64)
    np.testing.assert_array_equal(crop, photo[58:122, 68:132])


@pytest.mark.parametrize("side", [32, 64, 300])
def test_a_turned_crop_shows_what_lies_there(side: int) -> None:
    photo = scene(300, 320)
    square = face_square(turned(UPRIGHT, 21, 1.2, (90, 80)))
    crop = cut(photo, square, side)
    shares = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.5) / side
    places = square.to_photo(shares)
    inside = ((places > 2) & (places < (318, 298))).all(1)
    x, y = (places - 0.5).T
    levels = np.stack([128 + 90 * np.sin(x / 19 + i) * np.cos(y / (23 + i)) for i in range(3)], -1)
    assert np.abs(crop.reshape(-1, 3) - levels)[inside].mean() < 2.5


def test_beyond_the_edge_is_a_reflection() -> None:
    photo = scene(64, 64)
    crop = cut(photo, FaceSquare(0, 32, 32, 0), 64)
    np.testing.assert_array_equal(crop[:, 33:], photo[:, 1:32])
    np.testing.assert_array_equal(crop[:, 31:0:-1], photo[:, 1:32])
    assert padding_share(64, 64, FaceSquare(0, 32, 32, 0)) == pytest.approx(0.5)
    assert padding_share(64, 64, FaceSquare(32, 32, 32, 0)) == 0


def test_a_square_far_larger_than_its_photo_takes_little_memory() -> None:
    assert cut(scene(50, 40), FaceSquare(20, 20, 9000, 4000), 64).shape == (64, 64, 3)


def test_a_face_goes_back_where_it_was() -> None:
    photo = scene(300, 320)
    square = face_square(turned(UPRIGHT, -25, 1.0, (80, 70)))
    assert psnr(paste(photo, square, cut(photo, square, 128)), photo) > 45


def test_a_pasted_face_ends_softly_and_leaves_the_rest_alone() -> None:
    photo = np.full((200, 200, 3), 100, np.uint8)
    square = FaceSquare(100, 100, 40, 0)
    result = paste(photo, square, np.full((64, 64, 3), 200, np.uint8)).astype(int)
    assert (result[100, 75:125] == 200).all()
    outside = np.ones((200, 200), bool)
    outside[60:140, 60:140] = False
    assert (result[outside] == 100).all()
    assert np.abs(np.diff(result[100, :, 0])).max() < 25


def test_a_pasted_face_may_hang_over_the_edge_or_lie_beyond_it() -> None:
    photo, face = scene(100, 100), np.zeros((64, 64, 3), np.uint8)
    assert paste(photo, FaceSquare(0, 0, 30, 10), face)[0, 0].max() == 0
    np.testing.assert_array_equal(paste(photo, FaceSquare(500, 500, 30, 10), face), photo)


def test_a_pasted_change_keeps_what_did_not_change() -> None:
    photo = scene(300, 320)
    square = face_square(turned(UPRIGHT, 12, 1.0, (80, 70)))
    before, after = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64, 3), 90, np.uint8)
    np.testing.assert_array_equal(paste_change(photo, square, before, after), photo)
    after[:32], after[32:] = 120, 70
    result = paste_change(photo, square, before, after).astype(int)
    above, below = (np.rint(square.to_photo(np.array([[0.5, y]]))[0]).astype(int) for y in (0.3, 0.7))
    assert (result - photo)[above[1], above[0]].tolist() == [30, 30, 30]
    assert (result - photo)[below[1], below[0]].tolist() == [-20, -20, -20]


@pytest.mark.skipif(not FACES.is_dir(), reason="../shared/data/faces is not here")
def test_the_shipped_training_faces_stand_in_that_square() -> None:
    """Their own landmarks ask for the picture as it is: the data was framed in the same way."""
    rows = list(csv.DictReader((FACES / "index.csv").read_text(encoding="utf-8").splitlines()))
    points = np.array([[float(number) for number in row["landmarks"].split()] for row in rows]).reshape(-1, 5, 2)
    squares = [face_square(landmarks) for landmarks in points]
    sides = np.array([square.side for square in squares])
    middles = np.array([(square.x, square.y) for square in squares])
    assert abs(np.median(sides) - 128) < 0.5
    assert np.percentile(np.abs(sides - 128), 99) < 3
    assert np.percentile(np.abs(middles - 64), 99) < 2


@pytest.mark.skipif(not FACES.is_dir(), reason="../shared/data/faces is not here")
def test_a_raw_portrait_is_framed_as_its_shipped_crop() -> None:
    """By the detector's landmarks, which tremble from one copy of a picture to the next: so by the median of twelve."""
    cv2 = pytest.importorskip("cv2")
    detector = FACES.parent / "tools" / "face_detection_yunet_2023mar.onnx"
    differences = []
    for name in [path.stem for path in sorted((FACES / "raw").glob("*.jpg"))][::10]:
        raw = np.asarray(Image.open(FACES / "raw" / f"{name}.jpg").convert("RGB"))
        finder = cv2.FaceDetectorYN.create(str(detector), "", (raw.shape[1], raw.shape[0]), score_threshold=0.7)
        landmarks = finder.detect(raw[:, :, ::-1].copy())[1][0][4:14].reshape(5, 2)
        shipped = Image.open(FACES / "128" / f"gpo_{name}.jpg").convert("L")
        crop = Image.fromarray(cut(raw, face_square(landmarks), 128)).convert("L")
        grey = [np.asarray(picture, np.float32) for picture in (shipped, crop)]
        start = np.eye(2, 3, dtype=np.float32)
        likeness, move = cv2.findTransformECC(*grey, start, cv2.MOTION_AFFINE, (3, 60, 1e-4), None, 5)
        assert likeness > 0.97, name
        differences.append([*(move @ [64, 64, 1] - 64), 100 * np.sqrt(np.linalg.det(move[:, :2])) - 100])
    middle_x, middle_y, percent = np.median(differences, axis=0)
    assert abs(middle_x) < 2
    assert abs(middle_y) < 2
    assert abs(percent) < 3
