"""The preprocessing of an architecture with the options that the user sets."""

from dataclasses import replace

from interpret.config import ModelConfig
from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.errors import InputError


def adjusted_preprocessing(preprocessing: Preprocessing, config: ModelConfig) -> Preprocessing:
    """The architecture's preprocessing with the options that the configuration sets."""
    side = config.input_size or preprocessing.size[0]
    if config.crop_fraction is not None:
        resize = resized_side(side, config.crop_fraction)
    else:
        resize = side * preprocessing.resize // preprocessing.size[0]
    return replace(
        preprocessing,
        size=(side, side),
        resize=resize,
        mean=_three_numbers(config.mean, "--mean") or preprocessing.mean,
        std=_three_numbers(config.std, "--std") or preprocessing.std,
        whole_if_exact=config.crop_fraction is None and preprocessing.whole_if_exact,
    )


def _three_numbers(text: str | None, flag: str) -> tuple[float, float, float] | None:
    """Three comma-separated numbers; None if not set."""
    if text is None:
        return None
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{flag} is {text!r}; give three comma-separated numbers, such as 0.5,0.5,0.5.") from None
    return red, green, blue
