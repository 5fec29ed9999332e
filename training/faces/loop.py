"""Training a generator of faces: one function that reads top to bottom."""
# B batch, Y label, C channel, H W picture

from functools import partial

from torch import Tensor, nn

from training.augment import augment
from training.config import TrainingConfig
from training.ema import ema_decay, update_ema
from training.faces.generating import FacesRun, random_styles, synthesise
from training.faces.run import RECIPE
from training.faces.state import TrainingState, finest_layers
from training.losses import Discriminate
from training.portraits.records import keep_records
from training.run import running
from training.steps import compiled


def train(config: TrainingConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. May be killed at any moment: called again,
    it goes on from the last state as if nothing had happened. Raises the errors of training.errors.
    """
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        objective, discriminator = config.objective, compiled(config, state.discriminator)
        synthesis = compiled(config, state.generator.synthesis)
        while run.goes_on():
            real, c = run.data.batch(config, state.images_seen, run.draws)
            ws = random_styles(run, c, run.batch, update_w_avg=True)
            with run.autocast():
                fake = synthesise(synthesis, ws, run.draws)
            strength = augmentation_strength(state)
            see = partial(judged, run, c, strength)

            let_discriminator_learn(state, config, learns=True)
            with run.autocast():
                real_logits, fake_logits = see(discriminator, real), see(discriminator, fake.detach())
            loss_d = objective.discriminator(real_logits, fake_logits)
            run.step(state.discriminator_optimiser, loss_d)
            keep_gradient_small(run, partial(see, state.discriminator), real, fake.detach())

            # The discriminator has moved; the pictures, drawn before it did, serve again.
            let_discriminator_learn(state, config, learns=False)
            with run.autocast():
                compared = see(discriminator, real) if objective.is_relative else None
                loss_g = objective.generator(see(discriminator, fake), compared)
            if state.images_seen >= state.generator_waits_until:
                run.step(state.generator_optimiser, loss_g)
                keep_paths_even(run, c)

            state.strength.observe(real_logits, state.steps, config.batch, run.processes)
            run.seen()
            follow(run)
            run.log.add(g=loss_g, d=loss_d, real=real_logits.mean(), fake=fake_logits.mean(), strength=strength)
            keep_records(run)


def judged(run: FacesRun, c_BY: Tensor | None, strength: float, discriminator: nn.Module, x: Tensor) -> Tensor:
    """The logits of altered pictures."""
    logits: Tensor = discriminator(augment(x, run.config.augment, strength, run.draws), c_BY)
    return logits


def augmentation_strength(state: TrainingState) -> float:
    """The probability of each augmentation: in a head start it grows from nothing, over the first half of it.

    A fresh discriminator against a trained generator only guesses under augmentation, and learns nothing.
    """
    half = state.generator_waits_until / 2
    return state.strength.value * min(1.0, state.images_seen / half if half else 1.0)


def let_discriminator_learn(state: TrainingState, config: TrainingConfig, *, learns: bool) -> None:
    """Whether gradients of its weights are computed; never of those that are frozen."""
    state.discriminator.requires_grad_(learns)
    for parameter in finest_layers(state.discriminator, config.freeze_layers):
        parameter.requires_grad_(False)


def keep_gradient_small(run: FacesRun, discriminate: Discriminate, real: Tensor, fake: Tensor) -> None:
    """Every few steps, a step against large gradients of the discriminator, in float32."""
    config, state = run.config, run.state
    if config.gradient_penalty is None or state.steps % config.r1_interval_steps:
        return
    penalty = config.gradient_penalty(discriminate, real, fake, config.r1_gamma, run.draws)
    run.step(state.discriminator_optimiser, penalty * config.r1_interval_steps)
    run.log.add(r1=penalty)


def keep_paths_even(run: FacesRun, c_BY: Tensor | None) -> None:
    """Every few steps, a step against unequal path lengths, on a share of the batch."""
    config, state = run.config, run.state
    if config.path_length_weight == 0 or state.steps % config.path_length_interval_steps:
        return
    rows = max(run.batch // config.path_length_shrink, 1)
    ws = random_styles(run, None if c_BY is None else c_BY[:rows], rows)
    draw = partial(synthesise, state.generator.synthesis, draws=run.draws)
    penalty = state.path_length.penalty(draw, ws, run.processes)
    run.step(state.generator_optimiser, penalty * (config.path_length_weight * config.path_length_interval_steps))
    run.log.add(path_length=state.path_length.mean, path_penalty=penalty)


def follow(run: FacesRun) -> None:
    """Let the average follow the generator."""
    config, state = run.config, run.state
    run.processes.average_statistics(state.generator)
    decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
    update_ema(state.average, state.generator, decay)
