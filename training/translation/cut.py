"""CUT (Park et al. 2020): one way only, where content is kept by contrast between patches. Half of CycleGAN's work."""

import torch
import torch.nn.functional as F

from training.augment import augment
from training.run import running
from training.translation.config import TranslationConfig
from training.translation.losses import colour_difference, judge, set_trainable
from training.translation.nce import encode, feature_places, translate_with_features
from training.translation.records import keep_records, move_averages
from training.translation.run import recipe_of
from training.translation.state import CutState


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state.

    The identity loss is plain L1 on translated paintings, which holds colours better than the contrast that the paper
    uses there, and costs no second encoding.
    """
    places = feature_places(config.n_blocks)
    with running(config, recipe_of(CutState)) as run:
        config, state = run.config, run.state
        while run.goes_on():
            state.set_rate(config.rate_at(state.images_seen))
            a = run.draws.share(run.data.a.batch(state.images_seen, config.batch))
            b = run.draws.share(run.data.b.batch(state.images_seen, config.batch))

            set_trainable([state.discriminator_b], False)
            with run.autocast():
                both, maps = translate_with_features(state.generator_ab, torch.cat([a, b]), places)
                fake_b, same_b = both.float().chunk(2)
                nce = state.head.contrast(
                    queries=encode(state.generator_ab, fake_b, places),
                    keys=[x.detach().chunk(2)[0] for x in maps],
                    count=config.nce_patches,
                    temperature=config.nce_temperature,
                )
                gan = config.adversarial.generator(state.discriminator_b(augment(fake_b, config.augment)), None)
            identity = F.l1_loss(same_b, b)
            colour = colour_difference(fake_b, a)
            loss = gan + config.nce_weight * nce + config.colour_weight * colour
            run.step(state.generator_optimiser, loss + config.identity_weight_at(state.images_seen) * identity)

            set_trainable([state.discriminator_b], True)
            with run.autocast():
                loss_b = judge(state.discriminator_b, config, b, state.pool_b.exchange(fake_b))
            run.step(state.discriminator_optimiser, loss_b)

            run.seen()
            move_averages(config, state)
            run.log.add(g=gan, d_b=loss_b, nce=nce, identity=identity, colour=colour)
            keep_records(run)
