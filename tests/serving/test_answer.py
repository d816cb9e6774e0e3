import re

import pytest

from tintype.serving.http.answer import disposition


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("street.jpg", "street-colour.png"),
        ("../../etc/passwd", "passwd-colour.png"),
        ("C:\\photos\\street.tif", "street-colour.png"),
        ("", "photo-colour.png"),
        (".jpg", "jpg-colour.png"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookie x1-colour.png"),
        ('a";b.jpg', "ab-colour.png"),
        ("x" * 300 + ".jpg", "x" * 80 + "-colour.png"),
    ],
)
def test_a_name_is_safe_whatever_the_file_was_called(given, name):
    assert disposition(given, "png") == f'inline; filename="{name}"'


def test_letters_of_all_scripts_are_kept():
    value = disposition("Straße 北京.jpg", "jpeg")
    assert value == (
        "inline; filename=\"Stra_e __-colour.jpg\"; filename*=UTF-8''Stra%C3%9Fe%20%E5%8C%97%E4%BA%AC-colour.jpg"
    )
    assert re.fullmatch(r"[\x20-\x7e]+", value)
