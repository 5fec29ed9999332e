"""The generator's own samples in the run's folder: drawn once, for minutes, and read by whoever goes on."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from training.atomic import written_whole
from training.encoder.config import EncoderConfig
from training.encoder.own_samples import DRAWN_SO, OwnSamples, draw_samples

FILES = ("own-samples-*.safetensors", ".own-samples-*.partial")

logger = logging.getLogger(__name__)


def kept_samples(generator: Any, config: EncoderConfig) -> OwnSamples:
    """From OUT/own-samples-DIGEST.safetensors, where the samples are drawn into first if they are not there.

    The digest is of the model and of what shapes its samples, so that those of another are never taken for these; such
    are deleted. Where they cannot be written, the run goes on without the file.
    """
    path = config.out / f"own-samples-{_digest(config)}.safetensors"
    if (found := _read(path)) is not None:
        return found
    for pattern in FILES:
        for old in config.out.glob(pattern):
            old.unlink()
    logger.info("drawing %d samples of the generator", config.samples)
    drawn = draw_samples(generator, config.samples, config.seed)
    try:
        with written_whole(path) as temporary:
            save_file(vars(drawn), temporary)
    except (OSError, SafetensorError) as error:
        logger.warning("the samples are not kept, and will be drawn again when the run goes on: %s", error)
        return drawn
    # Mapped: what the kernel holds of the file it gives up when somebody else needs memory.
    return _read(path) or drawn


def _read(path: Path) -> OwnSamples | None:
    try:
        return OwnSamples(**load_file(path))
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        logger.warning("%s cannot be read, and is drawn again: %s", path, error)
        return None


def _digest(config: EncoderConfig) -> str:
    told = json.dumps([config.model, config.samples, config.seed, *DRAWN_SO])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
