"""Training an autoencoder, plain, variational or adversarial: one function that reads top to bottom."""
# B batch, Z code, C channel, H W picture

from torch import Tensor

from training.autoencoder.codes import divergence
from training.autoencoder.config import AutoencoderConfig
from training.autoencoder.state import RECIPE, AutoencoderState
from training.ema import ema_decay, update_ema
from training.losses import OBJECTIVES
from training.portraits.records import PortraitRun, keep_records
from training.run import running

AutoencoderRun = PortraitRun[AutoencoderConfig, AutoencoderState]


def train(config: AutoencoderConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        while run.goes_on():
            real, _ = run.data.batch(config, state.images_seen, run.draws)
            with run.autocast():
                encoded = state.encoder(real)
            code, pressure = regularised(run, encoded.float())
            with run.autocast():
                rebuilt = state.generator(code).float()
            # Of a normal distribution around every pixel, without its constant.
            error = 0.5 * (rebuilt - real).square().sum(dim=(1, 2, 3)).mean()
            run.step(state.optimiser, error + pressure)
            if config.kind == "adversarial":
                teach_discriminator(run, code.detach())

            run.seen()
            for network in (state.encoder, state.generator, state.whiten):
                if network is not None:
                    run.processes.average_statistics(network)
            decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
            update_ema(state.average, state.generator, decay)
            run.log.add(error=error, pressure=pressure, l1=(rebuilt - real).abs().mean())
            keep_records(run)


def regularised(run: AutoencoderRun, encoded: Tensor) -> tuple[Tensor, Tensor]:
    """What the decoder gets, [B, Z], and the loss that keeps codes like normal random vectors."""
    config, state = run.config, run.state
    if state.whiten is not None and state.spread is not None:
        code = state.whiten(encoded)
        state.spread.observe(code.detach(), run.processes)
        return code, encoded.new_zeros(())
    if state.discriminator is not None:
        state.discriminator.requires_grad_(False)
        # The encoder is the generator here: its codes shall pass for random ones (Makhzani et al. 2016, section 2).
        loss = OBJECTIVES[config.loss].generator(state.discriminator(encoded), None)
        return encoded, config.adversarial_weight * loss
    mean, log_variance = encoded.chunk(2, dim=1)
    noise = run.draws.randn(len(mean), config.z_dim, device=run.device)
    code = mean + noise * (log_variance / 2).exp()
    return code, config.beta_at(state.images_seen) * divergence(mean, log_variance)


def teach_discriminator(run: AutoencoderRun, code_BZ: Tensor) -> None:
    """One step of the discriminator of codes, on random ones and on the encoder's."""
    state = run.state
    assert state.discriminator is not None
    assert state.discriminator_optimiser is not None
    state.discriminator.requires_grad_(True)
    random = run.draws.randn(*code_BZ.shape, device=run.device)
    logits, encoded_logits = state.discriminator(random), state.discriminator(code_BZ)
    loss = OBJECTIVES[run.config.loss].discriminator(logits, encoded_logits)
    run.step(state.discriminator_optimiser, loss)
    run.log.add(d=loss, random=logits.mean(), encoded=encoded_logits.mean())
