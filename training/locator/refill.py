"""What both networks are shown next: scenes on the backgrounds that looked most like faces, and close-ups of what the
first network took for faces where there are none."""
# B batch, C channel, H W scene, h w map

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.landmarks import SIDE, UNITS
from models.networks.locator import REACH, STRIDE
from training.locator.config import LocatorConfig
from training.locator.faces import LabelledFaces
from training.locator.run import LocatorState
from training.locator.scenes import compose
from training.translation.pictures import CroppedPictures


@torch.no_grad()
def refill(config: LocatorConfig, state: LocatorState, faces: LabelledFaces, backgrounds: CroppedPictures) -> None:
    """Put `config.batch` new scenes and twice as many new close-ups into the pools."""
    offered = backgrounds.batch(state.steps * config.batch, 2 * config.batch)
    found = _looked_at(state.network, offered)
    hardest = found[:, 0].amax(dim=(1, 2)).argsort(descending=True, stable=True)
    state.scenes.add(compose(faces, offered[hardest[: config.batch]], config.shot))
    false_faces = mistaken(offered[hardest[: config.batch]], found[hardest[: config.batch]])
    others = F.interpolate(offered[hardest[config.batch :]], size=(SIDE, SIDE), mode="area")
    state.close_ups.add(compose(faces, torch.cat([false_faces, others]), config.close_up))


def mistaken(pictures_BCHW: Tensor, found_BFhw: Tensor) -> Tensor:
    """Of each picture, what the second network would be shown of its likeliest face: [B, 3, SIDE, SIDE]."""
    w = found_BFhw.shape[3]
    best = found_BFhw[:, 0].flatten(1).argmax(1)
    row = torch.arange(len(best))
    down, across = best // w, best % w
    points_B52 = found_BFhw[row, 1:, down, across].view(-1, 5, 2) * REACH
    squares = (torch.stack([across, down], 1) + 0.5) * STRIDE
    middle_B2 = points_B52.mean(1) + squares
    eyes, depth = points_B52[:, 1] - points_B52[:, 0], points_B52[:, 3:].mean(1) - points_B52[:, :2].mean(1)
    # As models.alignment.face_square does.
    unit_B = torch.maximum(eyes.norm(dim=1), 0.9 * depth.norm(dim=1)).clamp(4, 40)
    right = eyes + torch.stack([depth[:, 1], -depth[:, 0]], 1)
    right = F.normalize(right, dim=1) * (UNITS / 2 * unit_B)[:, None]
    columns = torch.stack([right, torch.stack([-right[:, 1], right[:, 0]], 1), middle_B2], 2)
    size = torch.tensor([pictures_BCHW.shape[3], pictures_BCHW.shape[2]]).view(1, 2, 1)
    theta = 2 * columns / size - torch.tensor([0.0, 0.0, 1.0])
    grid = F.affine_grid(theta, [len(best), 3, SIDE, SIDE], align_corners=False)
    return F.grid_sample(pictures_BCHW, grid, padding_mode="reflection", align_corners=False)


def _looked_at(network: torch.nn.Module, pictures_BCHW: Tensor) -> Tensor:
    network.eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found: Tensor = network(pictures_BCHW).float()
    network.train()
    return found
