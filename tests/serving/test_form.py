import pytest

from tintype.serving.http.errors import Refusal
from tintype.serving.http.form import Form

TYPE = "multipart/form-data; boundary=BOUND"


def part(disposition: str, content: bytes = b"", headers: str = "") -> bytes:
    return f"--BOUND\r\nContent-Disposition: {disposition}\r\n{headers}\r\n".encode() + content + b"\r\n"


FILE = 'form-data; name="photo"; filename="a.jpg"'
END = b"--BOUND--\r\n"


def read(body: bytes, step: int = 1 << 20, most: int = 1000) -> Form:
    form = Form(TYPE, most)
    for at in range(0, len(body), step):
        form.write(body[at : at + step])
    form.finish()
    return form


def refusal_of(body: bytes, **options: int) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(body, **options)
    return caught.value


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_file_and_options_in_any_pieces(step):
    content = bytes(range(256)) + b"\r\n--BOUN" + b"\r\n--BOUNDx\n"
    body = (
        part('form-data; name="saturation"', b"1.5")
        + part(FILE, content)
        + part("form-data; name=format", b"png")
    )
    form = read(body + END, step)
    assert bytes(form.content or b"") == content
    assert form.file_name == "a.jpg"
    assert form.options == [("saturation", "1.5"), ("format", "png")]


def test_a_file_of_exactly_the_limit_passes_and_one_byte_more_does_not():
    assert len(read(part(FILE, b"x" * 1000) + END).content or b"") == 1000
    refusal = refusal_of(part(FILE, b"x" * 1001) + END)
    assert (refusal.status, refusal.code) == (413, "too_many_bytes")


def test_a_file_too_large_is_refused_before_its_end():
    form = Form(TYPE, 1000)
    form.write(part(FILE)[:-2])
    with pytest.raises(Refusal) as caught:
        form.write(b"x" * 1001)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (END, "no such field"),
        (part('form-data; name="foto"; filename="a.jpg"', b"x") + END, "'foto'"),
        (part('form-data; name="photo"', b"https://example.org/a.jpg") + END, "not fetched"),
        (part("form-data", b"x") + END, "''"),
        (part("attachment; filename=x", b"x") + END, "''"),
        (part(FILE, b"x") * 2 + END, "several"),
        (part(FILE, b"x"), "cut off"),
        (part(FILE, b"x") + END[:5], "cut off"),
        (part('form-data; name="saturation"', b"1" * 201) + part(FILE, b"x") + END, "200 bytes"),
        (part('form-data; name="saturation"', b"1") * 17 + END, "at most 16 fields"),
        (b"no form at all", "well-formed"),
        (b"--OTHER\r\n", "well-formed"),
        (part(FILE, b"x", headers="X: " + "y" * 10_000 + "\r\n") + END, "well-formed"),
        (part(FILE, b"x", headers="X: y\r\n" * 100) + END, "well-formed"),
        (b"", "cut off"),
    ],
)
def test_a_wrong_form_is_reported_in_a_sentence(body, sentence):
    refusal = refusal_of(body)
    assert (refusal.status, refusal.code) == (400, "bad_form")
    assert sentence in refusal.message


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", TYPE + "x" * 300]
)
def test_an_unusable_boundary_is_refused(content_type):
    with pytest.raises(Refusal) as caught:
        Form(content_type, 1000)
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["../../etc/passwd", "ü" * 300, "a\\b.jpg", "", " "])
def test_any_file_name_is_taken_and_means_nothing(name):
    disposition = f'form-data; name="photo"; filename="{name}"'
    assert bytes(read(part(disposition, b"x") + END).content or b"") == b"x"


def test_an_empty_file_is_a_file():
    assert read(part(FILE) + END).finish() == b""
