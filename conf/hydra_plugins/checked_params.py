"""What DVC composes is checked before it writes params.yaml: Hydra imports this file, whose folder .dvc/config names.

The presets call `checked` in their key `preset`, so that it sees all parameters as they will be. And Hydra lets unknown
blocks and unknown keys through to it, whose sentence says more than Hydra's own.
"""

import sys
from pathlib import Path

from hydra._internal import config_loader_impl
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import MISSING, DictConfig, OmegaConf

from tintype.params import Params, ParamsError, check_params

CONF = Path(__file__).parent.parent


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


class _Lenient(OverridesParser):
    """Lets what names no block and no folder of conf/ through, as Hydra's root cannot be opened as a block can."""

    def parse_overrides(self, overrides: list[str]) -> list[Override]:
        """As Hydra's own, but `trian.epochs=3` adds a block, and `train/los=mse` a key."""
        parsed = super().parse_overrides(overrides)
        for override in parsed:
            if not (CONF / override.key_or_group).is_dir():
                override.key_or_group = override.key_or_group.replace("/", ".")
            block = override.key_or_group.partition(".")[0]
            if override.type == OverrideType.CHANGE and not (
                block in open_blocks() or block == "hydra" or (CONF / block).is_dir()
            ):
                override.type = OverrideType.ADD
        return parsed


config_loader_impl.OverridesParser = _Lenient  # Hydra has no setting for it
OmegaConf.register_new_resolver("checked", checked, replace=True)
ConfigStore.instance().store(name="open_blocks", node=open_blocks(), provider="tintype")
