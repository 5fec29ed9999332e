"""CycleGAN (Zhu et al. 2017): there and back between two sets of pictures that do not correspond."""

import torch.nn.functional as F
from torch import Tensor

from training.augment import augment
from training.steps import autocast, prepare_device, step
from training.translation.config import TranslationConfig
from training.translation.losses import colour_difference, judge, set_trainable
from training.translation.records import keep_records, move_averages
from training.translation.run import opened_run
from training.translation.state import CycleState


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    device = prepare_device(config)
    with opened_run(config, device, CycleState) as (state, sets, log):
        while state.images_seen < config.total_images:
            state.set_rate(config.rate_at(state.images_seen))
            a = sets.a.batch(state.images_seen, config.batch)
            b = sets.b.batch(state.images_seen, config.batch)

            set_trainable([state.discriminator_a, state.discriminator_b], False)
            with autocast(config, device):
                fake_b, fake_a = state.generator_ab(a), state.generator_ba(b)
                cycled_a, cycled_b = state.generator_ba(fake_b), state.generator_ab(fake_a)
                scores_b = state.discriminator_b(augment(fake_b, config.augment))
                scores_a = state.discriminator_a(augment(fake_a, config.augment))
            gan = config.adversarial.generator(scores_b, None) + config.adversarial.generator(scores_a, None)
            cycle = F.l1_loss(cycled_a.float(), a) + F.l1_loss(cycled_b.float(), b)
            colour = colour_difference(fake_b, a) + colour_difference(fake_a, b)
            identity = identity_loss(config, state, a, b)
            loss = gan + config.cycle_weight * cycle + config.colour_weight * colour
            step(state.generator_optimiser, loss + config.identity_weight_at(state.images_seen) * identity)

            set_trainable([state.discriminator_a, state.discriminator_b], True)
            with autocast(config, device):
                loss_b = judge(state.discriminator_b, config, b, state.pool_b.exchange(fake_b))
                loss_a = judge(state.discriminator_a, config, a, state.pool_a.exchange(fake_a))
            step(state.discriminator_optimiser, loss_a + loss_b)

            state.steps += 1
            state.images_seen += config.batch
            move_averages(config, state)
            log.add(g=gan, d_a=loss_a, d_b=loss_b, cycle=cycle, identity=identity, colour=colour)
            keep_records(config, state, sets, log)


def identity_loss(config: TranslationConfig, state: CycleState, a: Tensor, b: Tensor) -> Tensor:
    """What already looks as wanted stays as it is: |G_ab(b) - b| + |G_ba(a) - a|."""
    if config.identity_weight_at(state.images_seen) <= 0:
        return a.new_zeros(())
    with autocast(config, a.device):
        same_b, same_a = state.generator_ab(b), state.generator_ba(a)
    return F.l1_loss(same_b.float(), b) + F.l1_loss(same_a.float(), a)
