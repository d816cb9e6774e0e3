import pytest

from tintype.engine.photo_job import PhotoOptions
from tintype.serving.http.contract import read_options
from tintype.serving.http.errors import Refusal


def test_defaults():
    assert read_options([]) == PhotoOptions(saturation=1.0, file_format=None, metadata="strip")


@pytest.mark.parametrize("value", ["0", "2", "0.5", " 1.5 ", "1e0", '"1.5"'])
def test_saturation_from_0_to_2(value):
    assert read_options([("saturation", value)]).saturation == float(value.strip('" '))


@pytest.mark.parametrize("value", ["-0.1", "2.1", "nan", "inf", "-inf", "much", "1,5", "9" * 400])
def test_another_saturation_is_refused(value):
    with pytest.raises(Refusal, match="saturation to be a number from 0 to 2") as caught:
        read_options([("saturation", value)])
    assert (caught.value.status, caught.value.code) == (400, "bad_option")
    assert len(caught.value.message) < 200


def test_formats_and_metadata_as_bentomls_client_sends_them():
    given = [("format", '"png"'), ("metadata", '"no-gps"'), ("saturation", "null")]
    assert read_options(given) == PhotoOptions(1.0, file_format="png", metadata="no-gps")


@pytest.mark.parametrize(
    "given", [("format", "gif"), ("metadata", "all"), ("Saturation", "1"), ("url", "http://x")]
)
def test_what_is_not_known_is_refused(given):
    with pytest.raises(Refusal) as caught:
        read_options([given])
    assert caught.value.status == 400


def test_an_option_given_twice_is_refused_even_if_both_agree():
    with pytest.raises(Refusal, match="once"):
        read_options([("saturation", "1"), ("saturation", "1")])


def test_an_empty_option_is_none():
    assert read_options([("format", ""), ("saturation", "")]) == PhotoOptions(metadata="strip")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("FALSE", False), ("", False), ('"true"', True)])
def test_a_switch_is_true_or_false(text, value):
    assert read_options([("keep_colour", text)]).keep_colour is value


def test_a_switch_is_nothing_else():
    with pytest.raises(Refusal, match=r"keep_colour to be true or false. Received: '1'\."):
        read_options([("keep_colour", "1")])
