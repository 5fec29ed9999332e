"""What the watermark survives, what it costs the eye, and what it finds where there is none: on real pictures.

    python -m benchmarks.watermark --data ../shared/data              1,000 marked and 10,000 unmarked pictures
    python -m benchmarks.watermark --data ../shared/data --sides 64 128 192 --marked 200 --unmarked 0

--part 3/20 does a twentieth and adds it to --json; without --part, the table of what --json holds is printed.
"""

import argparse
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from marks.watermark import SMALLEST_SIDE, THRESHOLD, Pixels, find, marked

SETS = {"faces": "faces/256", "photos": "photos/400", "everyday": "everyday", "paintings": "paintings"}
UNMARKED_SETS = ("faces/128", *SETS.values())
Change = Callable[[Pixels, random.Random], Pixels]


def jpeg(picture: Pixels, _: random.Random) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


def resized(share: float) -> Change:
    def change(picture: Pixels, _: random.Random) -> Pixels:
        height, width = (round(side * share) for side in picture.shape[:2])
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))

    return change


def cropped(picture: Pixels, chance: random.Random) -> Pixels:
    """A window of 95 % of both sides, anywhere."""
    height, width = picture.shape[:2]
    down, right = round(height * 0.95), round(width * 0.95)
    top, left = chance.randint(0, height - down), chance.randint(0, width - right)
    return picture[top : top + down, left : left + right]


def all_three(picture: Pixels, chance: random.Random) -> Pixels:
    return jpeg(resized(0.5)(cropped(picture, chance), chance), chance)


CHANGES: dict[str, Change] = {
    "JPEG quality 75": jpeg,
    "50 %": resized(0.5),
    "200 %": resized(2.0),
    "crop of 5 %": cropped,
    "crop, 50 % and JPEG": all_three,
}


def files(data: Path, name: str) -> list[Path]:
    found = sorted((data / name).rglob("*.jpg"))
    random.Random(0).shuffle(found)
    return found


def to_mark(data: Path, count: int, sides: list[int]) -> Iterator[tuple[str, Callable[[], Image.Image]]]:
    """Of every kind of picture, from 256 pixels up; of the faces every fourth at 512 and every fourth at 1024. With
    `sides`, faces of those sides alone."""
    if sides:
        faces = files(data, SETS["faces"])
        for index in range(count * len(sides)):
            side = sides[index % len(sides)]
            yield f"faces {side}", square(faces[index // len(sides) % len(faces)], side)
        return
    shares = {name: files(data, folder) for name, folder in SETS.items()}
    order = [(name, path) for name, paths in shares.items() for path in paths]
    for index, (name, path) in enumerate(order[:count]):
        side = (256, 512, 256, 1024)[index % 4] if name == "faces" else None
        yield name, square(path, side) if side else opened(path)


def opened(path: Path) -> Callable[[], Image.Image]:
    return lambda: Image.open(path).convert("RGB")


def square(path: Path, side: int) -> Callable[[], Image.Image]:
    return lambda: Image.open(path).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def unmarked(data: Path, count: int) -> Iterator[Callable[[], Image.Image]]:
    """Every picture once, then pieces of them, half of them mirrored."""
    paths = [path for name in UNMARKED_SETS for path in files(data, name)]
    large = [path for path in paths if "128" not in path.parts]
    for index in range(count):
        yield opened(paths[index]) if index < len(paths) else piece(large[index % len(large)], index)


def piece(path: Path, index: int) -> Callable[[], Image.Image]:
    def cut() -> Image.Image:
        image, chance = Image.open(path).convert("RGB"), random.Random(index)
        width, height = (round(side * chance.uniform(0.5, 0.9)) for side in image.size)
        left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
        image = image.crop((left, top, left + width, top + height))
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else image

    return cut


def psnr_db(one: Pixels, other: Pixels) -> float:
    error = float(np.mean((one.astype(np.float32) - other) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else 99.0


def measure(options: argparse.Namespace) -> list[dict[str, object]]:
    """One row a picture."""
    part, parts = (int(number) for number in options.part.split("/"))
    rows: list[dict[str, object]] = []
    for index, (name, make) in enumerate(to_mark(options.data, options.marked, options.sides)):
        if index % parts == part:
            picture, chance = np.asarray(make()), random.Random(index)
            result = marked(picture)
            scores = {change: find(Image.fromarray(do(result, chance))).score for change, do in CHANGES.items()}
            rows.append({"set": name, "psnr_db": psnr_db(picture, result), "scores": scores})
    for index, make in enumerate(unmarked(options.data, options.unmarked)):
        if index % parts == part:
            rows.append({"set": "unmarked", "scores": {"as it is": find(make()).score}})
    return rows


def show(rows: list[dict[str, object]]) -> None:
    print(f"threshold {THRESHOLD}; pictures below {SMALLEST_SIDE} pixels are not marked")
    for name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == name]
        print(f"{name}: {len(of_set)} pictures", psnr_line(of_set))
        for change in of_set[0]["scores"]:  # type: ignore[attr-defined]
            scores = np.array([row["scores"][change] for row in of_set])  # type: ignore[index]
            low, middle, high = np.percentile(scores, [0, 50, 100])
            print(f"  {change:22s} found {np.mean(scores >= THRESHOLD):8.2%}  score {low:.1f} {middle:.1f} {high:.1f}")
            if name == "unmarked":
                print(f"  chance of an unmarked one above the threshold, by an exponential tail: {tail(scores):.1e}")
    together = [row["scores"] for row in rows if row["set"] != "unmarked"]
    for change in CHANGES if together else ():
        print(f"all marked  {change:22s} {np.mean([one[change] >= THRESHOLD for one in together]):.2%}")  # type: ignore[index]


def psnr_line(rows: list[dict[str, object]]) -> str:
    values = [float(str(row["psnr_db"])) for row in rows if "psnr_db" in row]
    return f"PSNR {min(values):.1f} dB at least, {np.median(values):.1f} dB in the middle" if values else ""


def tail(scores: np.ndarray) -> float:
    """How far the highest twentieth lies above where it begins, on average, says how fast the rest must thin out."""
    begins = np.percentile(scores, 95)
    excess = scores[scores > begins] - begins
    return float(0.05 * np.exp(-(THRESHOLD - begins) / excess.mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--marked", type=int, default=1000)
    parser.add_argument("--unmarked", type=int, default=10_000)
    parser.add_argument("--sides", type=int, nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", default="")
    options = parser.parse_args()
    kept = json.loads(options.json.read_text()) if options.json and options.json.exists() else []
    if options.part or not kept:
        options.part = options.part or "0/1"
        kept += measure(options)
        if options.json:
            options.json.write_text(json.dumps(kept))
    show(kept)


if __name__ == "__main__":
    main()
