"""What DVC composes is checked before it writes params.yaml: Hydra imports this file, whose folder .dvc/config names.

The presets call `checked` in their key `preset`, so that it sees all parameters as they will be. And Hydra lets unknown
keys of a block through to it, whose sentence says more than Hydra's own.
"""

import sys

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from tintype.params import Params, ParamsError, check_params


def checked(preset: str, *, _root_: DictConfig) -> str:
    """The name of the preset, if all parameters are possible; else the command ends with a sentence."""
    if "hydra" in _root_:  # still being composed
        return preset
    try:
        check_params({**OmegaConf.to_container(_root_), "preset": preset})
    except ParamsError as error:
        sys.exit(f"error: {error}\nparams.yaml is as it was.")
    return preset


def open_blocks() -> dict[str, object]:
    """All blocks in their order, without keys yet, and open for any."""
    names = [field.alias or name for name, field in Params.model_fields.items()]
    return {name: MISSING if name == "preset" else DictConfig({}, flags={"struct": False}) for name in names}


OmegaConf.register_new_resolver("checked", checked, replace=True)
ConfigStore.instance().store(name="open_blocks", node=open_blocks(), provider="tintype")
