"""How MLflow serves a bundle: a photo file's bytes in, a PNG file's bytes out.

MLflow copies this file into the model and runs the copy when the model is loaded ("models from code"):
nothing is pickled, and photos are coloured by the same steps as everywhere (`tintype.engine`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class PhotoColorizer(PythonModel):
    """Colours the photos of a column `photo`; the answer is a column `png`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that lies in the model."""
        from tintype.colorize import Colorizer

        # Its lineage has no version, which the model does not know: a registry finds it by the bundle's digest.
        self._colorizer = Colorizer.load(Path(context.artifacts["bundle"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Colour photos.

        Parameters
        ----------
        context : PythonModelContext
            Not used; MLflow passes it.
        model_input : DataFrame
            Column `photo`: the content of a photo file, of any format that `tintype.formats.photo` reads.
        params : dict, optional
            Not used; MLflow passes it.

        Returns
        -------
        DataFrame
            Column `png`: the coloured photos as PNG files, in full size and depth, in the same order. They say which
            bundle coloured them, as `tintype trace` reads it.
        """
        from tintype.imaging.inputs import BATCH

        contents = list(model_input["photo"])
        batches = (contents[start : start + BATCH] for start in range(0, len(contents), BATCH))
        return pd.DataFrame({"png": [png for batch in batches for png in self._coloured(batch)]})

    def _coloured(self, contents: Sequence[bytes]) -> Iterator[bytes]:
        """Colour at most as many photos as the network takes at once."""
        from tintype.engine.photo_job import PhotoOptions, colour_photo, encode_coloured, open_photo
        from tintype.imaging.limits import COLLECTION

        options, lineage = PhotoOptions(), self._colorizer.lineage
        opened = [open_photo(content, COLLECTION, self._colorizer) for content in contents]
        colours = self._colorizer.colours(
            np.stack([one.l8 for one in opened]), np.stack([one.gray8 for one in opened])
        )
        for one, its_colours in zip(opened, colours, strict=True):
            yield encode_coloured(colour_photo(one, its_colours, options, lineage), "PNG", options)


set_model(PhotoColorizer())
