"""CycleGAN (Zhu et al. 2017): there and back between two sets of pictures that do not correspond."""

import torch.nn.functional as F
from torch import Tensor

from training.augment import augment
from training.run import running
from training.translation.config import TranslationConfig
from training.translation.losses import colour_difference, judge, set_trainable
from training.translation.records import keep_records, move_averages
from training.translation.run import TranslationRun, recipe_of
from training.translation.state import CycleState


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    with running(config, recipe_of(CycleState)) as run:
        config, state = run.config, run.state
        while run.goes_on():
            state.set_rate(config.rate_at(state.images_seen))
            a = run.draws.share(run.data.a.batch(state.images_seen, config.batch))
            b = run.draws.share(run.data.b.batch(state.images_seen, config.batch))

            set_trainable([state.discriminator_a, state.discriminator_b], False)
            with run.autocast():
                fake_b, fake_a = state.generator_ab(a), state.generator_ba(b)
                cycled_a, cycled_b = state.generator_ba(fake_b), state.generator_ab(fake_a)
                scores_b = state.discriminator_b(augment(fake_b, config.augment))
                scores_a = state.discriminator_a(augment(fake_a, config.augment))
            gan = config.adversarial.generator(scores_b, None) + config.adversarial.generator(scores_a, None)
            cycle = F.l1_loss(cycled_a.float(), a) + F.l1_loss(cycled_b.float(), b)
            colour = colour_difference(fake_b, a) + colour_difference(fake_a, b)
            identity = identity_loss(run, a, b)
            loss = gan + config.cycle_weight * cycle + config.colour_weight * colour
            run.step(state.generator_optimiser, loss + config.identity_weight_at(state.images_seen) * identity)

            set_trainable([state.discriminator_a, state.discriminator_b], True)
            with run.autocast():
                loss_b = judge(state.discriminator_b, config, b, state.pool_b.exchange(fake_b))
                loss_a = judge(state.discriminator_a, config, a, state.pool_a.exchange(fake_a))
            run.step(state.discriminator_optimiser, loss_a + loss_b)

            run.seen()
            move_averages(config, state)
            run.log.add(g=gan, d_a=loss_a, d_b=loss_b, cycle=cycle, identity=identity, colour=colour)
            keep_records(run)


def identity_loss(run: TranslationRun[CycleState], a: Tensor, b: Tensor) -> Tensor:
    """What already looks as wanted stays as it is: |G_ab(b) - b| + |G_ba(a) - a|."""
    state = run.state
    if run.config.identity_weight_at(state.images_seen) <= 0:
        return a.new_zeros(())
    with run.autocast():
        same_b, same_a = state.generator_ab(b), state.generator_ba(a)
    return F.l1_loss(same_b.float(), b) + F.l1_loss(same_a.float(), a)
