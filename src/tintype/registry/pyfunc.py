"""How MLflow serves a bundle: a photo file's bytes in, a PNG file's bytes out.

MLflow copies this file into the model and runs the copy when the model is loaded ("models from code"):
nothing is pickled, and the colouring is `Colorizer`'s, as everywhere.
"""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class PhotoColorizer(PythonModel):
    """Colours the photos of a column `photo`; the answer is a column `png`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that lies in the model."""
        from tintype.colorize import Colorizer

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
            Column `photo`: the content of a photo file, of any format that `formats.photo` reads.
        params : dict, optional
            Not used; MLflow passes it.

        Returns
        -------
        DataFrame
            Column `png`: the coloured photos as PNG files, in full size, in the same order.
        """
        from tintype.formats.photo import read_photo

        photos = [read_photo(content) for content in model_input["photo"]]
        coloured = self._colorizer.colorize_many([photo.rgb8 for photo in photos])
        return pd.DataFrame({"png": [_png(*pair) for pair in zip(coloured, photos, strict=True)]})


def _png(rgb8: Any, like: Any) -> bytes:
    from tintype.formats.photo import write_photo

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        write_photo(path, rgb8, like=like)
        return path.read_bytes()


set_model(PhotoColorizer())
