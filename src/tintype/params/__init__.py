"""params.yaml: `blocks` says what may be in it, `load` reads it and puts what is wrong with it into sentences.

The class of a single network or loss is imported from `blocks`, by the one that builds it.
"""

from tintype.params.blocks import (
    AdversarialParams,
    ClusterParams,
    CropsParams,
    DecodeParams,
    EmbedParams,
    EvaluateParams,
    FetchParams,
    LabParams,
    LossParams,
    NetworkParams,
    Params,
    RegisterParams,
    TrainParams,
    ValidateParams,
    WeightsParams,
)
from tintype.params.load import PARAMS_FILE, ParamsError, check_params, load_params, read_params

__all__ = [
    "PARAMS_FILE",
    "AdversarialParams",
    "ClusterParams",
    "CropsParams",
    "DecodeParams",
    "EmbedParams",
    "EvaluateParams",
    "FetchParams",
    "LabParams",
    "LossParams",
    "NetworkParams",
    "Params",
    "ParamsError",
    "RegisterParams",
    "TrainParams",
    "ValidateParams",
    "WeightsParams",
    "check_params",
    "load_params",
    "read_params",
]
