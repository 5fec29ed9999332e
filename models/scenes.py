"""Pictures of nothing real, to show what a translator does: drawn, so that no photograph has to be shipped."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
DRAWN = 512
GRAIN = 6.0


def scenes(side: int) -> list[Picture]:
    """Four pictures [side, side, 3]: hills, a lake, fruit on a table, a house. Always the same ones."""
    drawn = (_hills(), _lake(), _fruit(), _house())
    return [_as_photograph(picture, side, seed) for seed, picture in enumerate(drawn)]


def _as_photograph(picture: Image.Image, side: int, seed: int) -> Picture:
    """Softened as by a lens, with grain: flat colour is what no translator has learnt."""
    small = picture.filter(ImageFilter.GaussianBlur(1.5)).resize((side, side), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(seed).normal(0, GRAIN, (side, side, 1))
    return np.clip(np.asarray(small, np.float32) + grain, 0, 255).astype(np.uint8)


def _sky(top: Colour, bottom: Colour) -> Image.Image:
    share = np.linspace(0, 1, DRAWN)[:, None, None]
    rows = (1 - share) * np.array(top) + share * np.array(bottom)
    return Image.fromarray(np.broadcast_to(rows, (DRAWN, DRAWN, 3)).astype(np.uint8))


def _ridge(base: float, height: float, seed: int) -> list[tuple[float, float]]:
    x = np.arange(0, DRAWN + 8, 8)
    random = np.random.default_rng(seed)
    waves = np.sum([np.sin(x / DRAWN * 6.3 * k + random.uniform(0, 6.3)) / k for k in (1, 2, 3, 5, 8)], axis=0)
    outline = list(zip(x.tolist(), (base - height * waves).tolist(), strict=True))
    return [(0.0, float(DRAWN)), *outline, (float(DRAWN), float(DRAWN))]


def _hills() -> Image.Image:
    picture = _sky((96, 150, 214), (240, 214, 186))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((360, 70, 430, 140), fill=(255, 240, 200))
    for i, colour in enumerate(((132, 150, 176), (96, 128, 110), (80, 122, 62), (58, 96, 40))):
        draw.polygon(_ridge(250 + 65 * i, 28, i), fill=colour)
    random = np.random.default_rng(9)
    for x, y in zip(random.uniform(0, DRAWN, 60), random.uniform(400, 500, 60), strict=True):
        draw.ellipse((x - 7, y - 9, x + 7, y + 5), fill=(40, 74, 32))
    return picture


def _lake() -> Image.Image:
    picture = _sky((50, 70, 130), (250, 170, 110))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((226, 210, 286, 270), fill=(255, 226, 150))
    draw.polygon(_ridge(265, 16, 4), fill=(60, 56, 84))
    above = picture.crop((0, 0, DRAWN, 270)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.paste(Image.blend(above, Image.new("RGB", above.size, (30, 50, 90)), 0.35), (0, 270))
    random = np.random.default_rng(5)
    for y in range(280, DRAWN, 7):
        x, length = random.uniform(-60, DRAWN), random.uniform(30, 200)
        draw.line((x, y, x + length, y), fill=(236, 190, 150), width=1 + y // 256)
    return picture


def _fruit() -> Image.Image:
    picture = _sky((70, 52, 44), (124, 100, 78))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 330, DRAWN, DRAWN), fill=(150, 104, 62))
    for y in range(340, DRAWN, 24):
        draw.line((0, y, DRAWN, y + 6), fill=(128, 86, 50), width=3)
    balls: tuple[tuple[int, int, int, Colour], ...] = (
        (150, 300, 78, (186, 40, 36)),
        (290, 318, 66, (226, 140, 34)),
        (400, 292, 84, (120, 156, 52)),
        (230, 388, 58, (206, 62, 40)),
    )
    for x, y, radius, colour in balls:
        draw.ellipse((x - radius, y + radius * 0.7, x + radius * 1.3, y + radius * 1.1), fill=(92, 60, 36))
        for step in range(12):
            shrunk, light = radius * (1 - step / 12), 0.7 + step / 24
            shade = (
                int(min(255, colour[0] * light)),
                int(min(255, colour[1] * light)),
                int(min(255, colour[2] * light)),
            )
            centre = (x - radius * step / 40, y - radius * step / 40)
            draw.ellipse((centre[0] - shrunk, centre[1] - shrunk, centre[0] + shrunk, centre[1] + shrunk), fill=shade)
    return picture


def _house() -> Image.Image:
    picture = _sky((150, 180, 210), (222, 226, 226))
    draw = ImageDraw.Draw(picture)
    draw.polygon(_ridge(380, 8, 7), fill=(94, 120, 66))
    draw.rectangle((120, 220, 400, 420), fill=(198, 178, 150))
    draw.polygon(((96, 226), (260, 110), (424, 226)), fill=(142, 62, 48))
    for x in (150, 235, 320):
        draw.rectangle((x, 260, x + 46, 320), fill=(54, 66, 84), outline=(236, 230, 214), width=5)
    draw.rectangle((238, 345, 284, 420), fill=(86, 56, 40))
    draw.polygon(((238, 420), (284, 420), (350, DRAWN), (180, DRAWN)), fill=(176, 160, 136))
    for x, y, radius in ((60, 330, 60), (450, 310, 70), (480, 370, 50)):
        draw.rectangle((x - 8, y, x + 8, y + 100), fill=(70, 52, 38))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(62, 92, 48))
    return picture
