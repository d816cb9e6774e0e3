from pathlib import Path

import pytest

from tintype.imaging.limits import SERVICE
from tintype.serving.settings import SettingsError, read_settings


def test_nothing_set_serves():
    settings = read_settings({})
    assert settings.limits == SERVICE
    assert settings.api_key is None
    assert settings.cors_origins == ()
    assert settings.threads >= 1
    assert settings.monitor_dir is None
    assert settings.monitor_photos == 0


def test_everything_can_be_set(tmp_path):
    settings = read_settings(
        {
            "TINTYPE_BUNDLE": str(tmp_path),
            "TINTYPE_API_KEY": "correct-horse",
            "TINTYPE_MAX_MEGABYTES": "1.5",
            "TINTYPE_MAX_MEGAPIXELS": "2",
            "TINTYPE_QUEUE": "4",
            "TINTYPE_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "TINTYPE_BACKEND": "openvino",
            "TINTYPE_WORKERS": "2",
        }
    )
    assert settings.bundle == tmp_path
    assert (settings.limits.bytes, settings.limits.pixels) == (1_500_000, 2_000_000)
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert (settings.backend, settings.workers, settings.queue) == ("openvino", 2, 4)
    assert "correct-horse" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TINTYPE_BUNDLE", "/nowhere/at/all", "expected the folder of a bundle"),
        ("TINTYPE_QUEUE", "many", "integer"),
        ("TINTYPE_QUEUE", "0", "greater than or equal to 1"),
        ("TINTYPE_MAX_MEGABYTES", "-1", "greater than 0"),
        ("TINTYPE_MAX_MEGABYTES", "nan", "TINTYPE_MAX_MEGABYTES"),
        ("TINTYPE_MAX_MEGAPIXELS", "inf", "TINTYPE_MAX_MEGAPIXELS"),
        ("TINTYPE_MONITOR_PHOTOS", "2", "less than or equal to 1"),
        ("TINTYPE_MONITOR_PHOTOS", "-0.1", "greater than or equal to 0"),
        ("TINTYPE_BACKEND", "jax", "'openvino' or 'tensorflow'"),
        ("TINTYPE_CORS_ORIGINS", "example.org", "https://example.org"),
        ("TINTYPE_CORS_ORIGINS", "https://example.org/path", "origins"),
    ],
)
def test_a_wrong_value_is_reported_with_its_name(name, value, sentence):
    with pytest.raises(SettingsError) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert sentence.lower() in str(caught.value).lower()
    assert repr(value) in str(caught.value)


def test_all_wrong_values_are_reported_at_once():
    with pytest.raises(SettingsError, match=r"TINTYPE_WORKERS.*TINTYPE_QUEUE"):
        read_settings({"TINTYPE_QUEUE": "x", "TINTYPE_WORKERS": "y"})


@pytest.mark.parametrize("key", ["short", "with space in it", "schlüssel-lang"])
def test_a_wrong_key_is_reported_without_showing_it(key):
    with pytest.raises(SettingsError) as caught:
        read_settings({"TINTYPE_API_KEY": key})
    assert key not in str(caught.value)


def test_an_empty_value_is_not_set():
    assert read_settings({"TINTYPE_QUEUE": " ", "TINTYPE_BUNDLE": ""}) == read_settings({})


def test_what_kubernetes_sets_for_a_service_of_this_name_is_left_alone():
    injected = {"TINTYPE_PORT": "tcp://10.0.0.1:3000", "TINTYPE_SERVICE_HOST": "10.0.0.1"}
    assert read_settings(injected) == read_settings({})


def test_a_folder_is_not_asked_of_a_file(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingsError, match="folder"):
        read_settings({"TINTYPE_BUNDLE": str(file)})


def test_a_bento_that_is_told_to_follow_says_that_it_cannot(tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        read_settings({"TINTYPE_FOLLOW": "models:/tintype@champion"})
    assert str(caught.value).startswith("TINTYPE_FOLLOW: ")
    assert "`tintype serve --follow`" in str(caught.value)
    assert str(caught.value).endswith("Received: 'models:/tintype@champion'.")
    given = {"TINTYPE_FOLLOW": "models:/tintype@champion", "TINTYPE_POINTER": str(tmp_path / "pointer.json")}
    assert read_settings(given).pointer == tmp_path / "pointer.json"


def test_nothing_is_followed_unless_told():
    assert (read_settings({}).follow, read_settings({}).pointer) == ("", None)
