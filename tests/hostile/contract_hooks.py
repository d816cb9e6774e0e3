"""What Schemathesis sends as a photo: files of the corpus, good and bad, and bytes of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

CORPUS = Path(__file__).parents[1] / "support/corpus"

spec = importlib.util.spec_from_file_location(
    "corpus", CORPUS / "__init__.py", submodule_search_locations=[str(CORPUS)]
)
sys.modules["corpus"] = corpus = importlib.util.module_from_spec(spec)
spec.loader.exec_module(corpus)

GOOD = [case for case in corpus.FILES if case.outcome.size and not case.outcome.codes]
BAD = [case for case in corpus.FILES if not case.outcome.size]
SMALL = 50_000  # bytes; large ones are for the other tests


def contents(cases: list) -> list[bytes]:
    return [case.content for case in cases if len(case.content) < SMALL]


photos = st.one_of(st.sampled_from(contents(GOOD)), st.sampled_from(contents(BAD)), st.binary(max_size=2000))
schemathesis.openapi.format("binary", photos)
for media_type in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, photos)
