"""Networks as files: the same bytes for the same network, and loading that trusts no file.

Keras writes the time of saving and addresses of objects in memory into a `.keras` file; here they are left
out, so that DVC sees an unchanged network as unchanged. Loading uses Keras' safe mode: a file may bring
layers and weights, but no code.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tintype.errors import TintypeError
from tintype.files.disk import check_free
from tintype.models.keras_backend import prepare_keras

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip archive can hold


class NetworkFileError(TintypeError):
    """A file does not hold a network that can be loaded."""


def save_network(network: Any, destination: Path, *, half: bool = False) -> None:
    """Save a network as a `.keras` file whose bytes depend on the network alone.

    Parameters
    ----------
    destination : Path
        Ends in `.keras`. Not written atomically: write into a `new_file` or `new_folder`.
    half : bool
        Whether weights are kept in half precision, which halves the file. They are computed with as before. Where one
        of them is too large for that, all of its array stay as they are.

    Raises
    ------
    NetworkFileError
        If a weight is infinite or not a number.
    DiskError
        If there is no room for it.
    """
    # Keras' file, with 32 bits for a weight, is there until ours is.
    check_free(destination.parent, network.count_params() * (4 + (2 if half else 4)), destination.name)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".keras-") as folder:
        stamped = Path(folder) / "network.keras"
        network.save(stamped)
        with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(destination, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name.endswith(".json"):
                    content = json.dumps(_without_traces(json.loads(content), {})).encode()
                elif half and name.endswith(".weights.h5"):
                    content = _halved(content, Path(folder) / "narrow.h5")
                target.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def _halved(content: bytes, scratch: Path) -> bytes:
    """An HDF5 file with its arrays of 32-bit numbers in 16 where they fit; Keras widens them when it loads them."""
    import h5py

    order = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
    in_file, in_group = (h5py.h5p.create(kind) for kind in (h5py.h5p.FILE_CREATE, h5py.h5p.GROUP_CREATE))
    for created in (in_file, in_group):
        created.set_obj_track_times(False)  # the same weights are the same bytes tomorrow
        created.set_link_creation_order(order)
        created.set_attr_creation_order(order)
    newest = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    newest.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    target = h5py.h5f.create(os.fsencode(scratch), h5py.h5f.ACC_TRUNC, in_file, newest)
    with h5py.File(io.BytesIO(content)) as wide, h5py.File(target) as narrow:

        def copy(name: str, item: Any) -> None:
            if not isinstance(item, h5py.Dataset):
                h5py.h5g.create(narrow.id, name.encode(), gcpl=in_group)
                narrow[name].attrs.update(item.attrs)
                return
            array = item[()]
            if getattr(array, "dtype", None) == np.float32:
                if not np.isfinite(array).all():
                    raise NetworkFileError(
                        f"Expected weights that are finite numbers. Received: one in {name} that is not. Lower "
                        "train.learning_rate in params.yaml and train again."
                    )
                with np.errstate(over="ignore"):  # found in the next line
                    narrowed = array.astype(np.float16)
                # Such as the variance of a layer's inputs, which may well be above 65504.
                array = narrowed if np.isfinite(narrowed).all() else array
            narrow.create_dataset(name, data=array).attrs.update(item.attrs)

        narrow.attrs.update(wide.attrs)
        wide.visititems(copy)
    return scratch.read_bytes()


def _without_traces(content: Any, numbers: dict[int, int]) -> Any:
    """JSON content without the time of saving, and with shared objects numbered in order of appearance."""
    if isinstance(content, list):
        return [_without_traces(item, numbers) for item in content]
    if not isinstance(content, dict):
        return content
    kept = {key: _without_traces(value, numbers) for key, value in content.items() if key != "date_saved"}
    if "shared_object_id" in kept:
        kept["shared_object_id"] = numbers.setdefault(kept["shared_object_id"], len(numbers) + 1)
    return kept


def load_network(source: Path) -> Any:
    """Load a network from a `.keras` file, in Keras' safe mode.

    Parameters
    ----------
    source : Path
        Ends in `.keras`.

    Returns
    -------
    keras.Model
        Not compiled.

    Raises
    ------
    NetworkFileError
        If there is no such file, or it is no Keras file, is damaged, wants to bring code, or has weights that
        are not finite.
    """
    if source.suffix != ".keras":
        raise NetworkFileError(
            f"Expected a network in Keras' own format, as a file ending in .keras. Received: {source}. "
            "Load it where it was made and save it with `network.save('name.keras')`."
        )
    if not source.is_file():
        raise NetworkFileError(f"Expected a network in {source}, but there is no such file.")
    prepare_keras()
    import keras

    try:
        network = keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as error:  # a foreign file can make Keras, h5py or zipfile raise anything
        raise NetworkFileError(
            f"{source} does not hold a network that Keras {keras.__version__} can load in safe mode: "
            f"{first_sentence(error)}"
        ) from error
    for variable in network.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
            raise NetworkFileError(
                f"Expected finite weights in {source}. Received: one that is not, in {variable.path}. "
                "Train the network again."
            )
    return network


def first_sentence(error: Exception) -> str:
    """The first line of an exception's message, at most 300 characters, with the exception's name."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
