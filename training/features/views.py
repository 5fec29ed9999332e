"""Two views of a picture: what changes between them is what features learn not to see."""
# B batch, C channel, H W picture

import torch
import torch.nn.functional as F
from torch import Tensor


def view(x_BCHW: Tensor, smallest_crop: float) -> Tensor:
    """A crop, mirrored half of the time, of other brightness, contrast and saturation. Keeps the shape; in -1..1.

    No blur, no noise and no grey, which SimCLR also has: a metric must see those.
    """
    return _recoloured(_cropped(x_BCHW, smallest_crop))


def _cropped(x_BCHW: Tensor, smallest: float) -> Tensor:
    count, device = len(x_BCHW), x_BCHW.device
    area = smallest + (1 - smallest) * torch.rand(count, device=device)
    # Aspect ratios from 4:5 to 5:4, even in the logarithm.
    stretch = (1.25 ** (2 * torch.rand(count, device=device) - 1)).sqrt()
    width, height = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    mirrored = (torch.rand(count, device=device) < 0.5) * -2.0 + 1.0
    transform = torch.zeros(count, 2, 3, device=device)
    transform[:, 0, 0], transform[:, 1, 1] = width * mirrored, height
    transform[:, 0, 2] = (1 - width) * (2 * torch.rand(count, device=device) - 1)
    transform[:, 1, 2] = (1 - height) * (2 * torch.rand(count, device=device) - 1)
    grid = F.affine_grid(transform, list(x_BCHW.shape), align_corners=False)
    return F.grid_sample(x_BCHW, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recoloured(x: Tensor) -> Tensor:
    x = x + 0.3 * _drawn(x)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (1 + 0.4 * _drawn(x))
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + 0.3 * _drawn(x))


def _drawn(x: Tensor) -> Tensor:
    return 2 * torch.rand(len(x), 1, 1, 1, device=x.device) - 1
