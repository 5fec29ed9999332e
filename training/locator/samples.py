"""What a run of the locator shows of itself: scenes with what it found in them."""
# B batch, C channel, H W scene

import torch
from torch import Tensor

from models.networks.locator import REACH, STRIDE
from training.locator.config import LocatorConfig
from training.locator.faces import load_faces
from training.locator.run import LARGEST_BACKGROUND, LocatorState
from training.locator.scenes import compose
from training.run_log import save_grid
from training.translation.pictures import CroppedPictures, load_any_shape

COUNT, COLUMNS = 24, 6
SURE = 0.4


@torch.no_grad()
def draw_scenes(config: LocatorConfig, state: LocatorState) -> None:
    """samples/XXXXXXXXX.png: always the same scenes, a dot at each landmark of the faces found."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        faces = load_faces(config.data, config.face_side, config.landmark_side)
        photos = load_any_shape(config.backgrounds, LARGEST_BACKGROUND, config.side, at_most=COUNT)
        drawn = CroppedPictures(photos, crop=config.side, smallest=1.0, seed=(0, 1), device=torch.device("cpu"))
        scenes = compose(faces, drawn.batch(0, COUNT), config.shot)
    state.network.eval()
    found = state.network(scenes.pictures)
    state.network.train()
    path = config.out / "samples" / f"{state.images_seen:09d}.png"
    save_grid(path, _dotted(scenes.pictures.clone(), found), COLUMNS)


def _dotted(pictures_BCHW: Tensor, found_BFhw: Tensor) -> Tensor:
    side = pictures_BCHW.shape[-1]
    for row, down, across in torch.nonzero(found_BFhw[:, 0].sigmoid() > SURE).tolist():
        points_52 = found_BFhw[row, 1:, down, across].view(5, 2) * REACH
        for x, y in points_52.tolist():
            column, line = int(x + (across + 0.5) * STRIDE), int(y + (down + 0.5) * STRIDE)
            if 0 < column < side - 1 and 0 < line < side - 1:
                pictures_BCHW[row, :, line, column] = torch.tensor([-1.0, 1.0, -1.0])
    return pictures_BCHW
