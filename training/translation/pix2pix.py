"""pix2pix (Isola et al. 2017): the answer is known, and a discriminator that sees the question judges the look."""

import torch
import torch.nn.functional as F

from training.augment import augment
from training.run import running
from training.translation.config import TranslationConfig
from training.translation.losses import judge, set_trainable
from training.translation.pairs import TASKS
from training.translation.records import keep_records, move_averages
from training.translation.run import recipe_of
from training.translation.state import PairState


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    task = TASKS[str(config.task)]
    with running(config, recipe_of(PairState)) as run:
        config, state = run.config, run.state
        while run.goes_on():
            state.set_rate(config.rate_at(state.images_seen))
            answers = run.data.a.batch(state.images_seen, config.batch)
            # Of the whole batch, so that holes lie where one process alone would have put them.
            given, answer = run.draws.share(task.make_input(answers)), run.draws.share(answers)
            with run.autocast():
                fake = state.generator_ab(given)
            fake = task.compose(given, fake.float())

            set_trainable([state.discriminator_b], True)
            with run.autocast():
                shown = torch.cat([given, answer], 1), torch.cat([given, fake.detach()], 1)
                loss_d = judge(state.discriminator_b, config, *shown)
            run.step(state.discriminator_optimiser, loss_d)

            set_trainable([state.discriminator_b], False)
            with run.autocast():
                logits = state.discriminator_b(augment(torch.cat([given, fake], 1), config.augment))
            gan = config.adversarial.generator(logits, None)
            l1 = F.l1_loss(fake, answer)
            run.step(state.generator_optimiser, gan + config.l1_weight * l1)

            run.seen()
            move_averages(config, state)
            run.log.add(g=gan, d_b=loss_d, l1=l1)
            keep_records(run)
