import torch

from training.adaptive import SPEED_IMAGES, AugmentationStrength


def test_augmentation_is_full_unless_it_adapts() -> None:
    strength = AugmentationStrength()
    strength.observe(-torch.ones(16))
    assert strength.probability == 1


def test_it_grows_only_while_the_discriminator_is_sure_of_the_real_pictures() -> None:
    strength = AugmentationStrength()
    strength.grow_from_nothing()
    guessing = torch.tensor([1.0, -1.0] * 8)
    for _ in range(100):
        strength.observe(guessing)
    assert strength.probability == 0
    for _ in range(200):
        strength.observe(torch.ones(16))
    grown = strength.probability
    assert 0.5 * 200 * 16 / SPEED_IMAGES < grown < 200 * 16 / SPEED_IMAGES
    for _ in range(400):
        strength.observe(guessing)
    assert strength.probability < grown


def test_it_is_never_more_than_certain() -> None:
    strength = AugmentationStrength()
    strength.grow_from_nothing()
    for _ in range(200):
        strength.observe(torch.ones(SPEED_IMAGES // 100))
    assert strength.probability == 1


def test_it_goes_on_where_it_was() -> None:
    strength, again = AugmentationStrength(), AugmentationStrength()
    strength.grow_from_nothing()
    for _ in range(100):
        strength.observe(torch.ones(16))
    again.load_state_dict(strength.state_dict())
    for each in (strength, again):
        each.observe(torch.ones(16))
    assert vars(again) == vars(strength)
    assert again.probability > 0
