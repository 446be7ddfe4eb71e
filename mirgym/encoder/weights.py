"""Weights as safetensors in half precision, with the encoder's sizes in the header."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from ..errors import MirgymError, did_you_mean
from .config import CONFIGS, EncoderConfig

if TYPE_CHECKING:
    from .model import Encoder

FOLDER = Path(__file__).parent / "weights"
SHIPPED = tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors")))
"""Names of the weights that came with this installation."""


def save(encoder: Encoder, path: Path, **notes: str) -> None:
    """Write the weights, rounded to float16; ``notes`` join the header."""
    tensors = {
        name: value.detach().cpu().half().contiguous().numpy()
        for name, value in encoder.state_dict().items()
    }
    header = {"config": json.dumps(asdict(encoder.config)), **notes}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_bytes(serialise(tensors, header))  # readable by all, as umask says
    temporary.replace(path)


def load(model: str | Path) -> Encoder:
    """An encoder in evaluation mode, float32.

    Args:
        model: A name in ``SHIPPED``, such as ``"tiny"``, or a path to a ``.safetensors`` file.

    Raises:
        MirgymError: No such model, or the file is not one of mirgym's, or is damaged.
    """
    import torch

    from .model import Encoder

    config, arrays = read(model)
    try:
        encoder = Encoder(config)
        encoder.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()})
    except RuntimeError as error:
        raise _not_ours(weights_path(model), error) from error
    return encoder.eval()


def read(model: str | Path) -> tuple[EncoderConfig, dict[str, np.ndarray]]:
    """The sizes of an encoder, and its weights as float32 by their names in ``Encoder``.

    Args:
        model: See ``load``.

    Raises:
        MirgymError: See ``load``.
    """
    path = weights_path(model)
    if not path.is_file():
        hint = did_you_mean(str(model), SHIPPED)
        raise MirgymError(
            f"no weights at {path}: expected one of {list(SHIPPED)} or a .safetensors file that "
            f"`mirgym pretrain` wrote.{hint}"
        )
    try:
        with safe_open(path, "np") as file:
            config = EncoderConfig(**json.loads(file.metadata()["config"]))
            names = list(file.keys())
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in names}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _not_ours(path, error) from error
    broken = [name for name, value in arrays.items() if not np.isfinite(value).all()]
    if broken:
        raise MirgymError(f"{path} holds NaN or infinity in {broken[0]}; the training diverged")
    return config, arrays


def config_of(model: str | Path) -> EncoderConfig:
    """The sizes of an encoder; of a shipped one without reading its weights.

    Raises:
        MirgymError: See ``load``.
    """
    return CONFIGS[str(model)] if str(model) in SHIPPED else read(model)[0]


def weights_path(model: str | Path) -> Path:
    """Where the weights of a shipped encoder, or of the user's own, are."""
    return FOLDER / f"{model}.safetensors" if str(model) in SHIPPED else Path(model)


def _not_ours(path: Path, error: Exception) -> MirgymError:
    return MirgymError(
        f"{path} does not hold an encoder of this version of mirgym: {error}. "
        "Make the weights again with `mirgym pretrain`"
    )
