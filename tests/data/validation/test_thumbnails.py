from pathlib import Path

import pandas as pd
import pytest

from tintype.data.validation import thumbnails
from tintype.imaging.limits import PhotoError

REJECTED = pd.DataFrame({"path": ["a.jpg"], "reason": ["broken"], "detail": ["It is."]})


@pytest.mark.parametrize("error", [PhotoError("It is broken.", "broken"), OSError("gone")])
def test_a_photo_that_cannot_be_read_has_no_thumbnail(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "read_picture", _raising(error))
    [shown] = thumbnails.photos_to_show(Path("raw"), REJECTED)
    assert (shown.path, shown.thumbnail) == ("a.jpg", None)


def test_a_mistake_of_ours_is_not_taken_for_a_photo_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thumbnails, "read_picture", _raising(ValueError("a mistake")))
    with pytest.raises(ValueError, match="a mistake"):
        thumbnails.photos_to_show(Path("raw"), REJECTED)


def _raising(error):
    def read(path):
        raise error

    return read
