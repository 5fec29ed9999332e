"""How a run of faces begins."""

from training.config import TrainingConfig
from training.faces.growing import start_from
from training.faces.state import TrainingState, fresh_state
from training.portraits.data import DATA_FIELDS, Portraits, load_portraits
from training.run import Recipe

SHAPE_FIELDS = (
    "resolution",
    "z_dim",
    "w_dim",
    "mapping_layers",
    "channel_base",
    "channel_max",
    "conv_clamp",
    "minibatch_std_group",
    "conditional",
)

RECIPE: Recipe[TrainingConfig, TrainingState, Portraits] = Recipe(
    name="faces",
    shape_fields=SHAPE_FIELDS,
    data_fields=DATA_FIELDS,
    load=load_portraits,
    fresh=fresh_state,
    start_from=start_from,
)
