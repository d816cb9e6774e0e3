"""The contract: well-formed, whole, and what the service really answers."""

import re

import pytest
from jsonschema import Draft202012Validator

from tintype.serving.http.app import ROUTES
from tintype.serving.http.contract import openapi
from tintype.serving.http.errors import ERRORS
from tintype.serving.settings import read_settings

BENTOML_OR_ALIAS = {"/", "/docs", "/docs.json", "/schema.json", "/healthz"}


@pytest.fixture
def contract():
    return openapi(read_settings({"TINTYPE_API_KEY": "correct-horse"}))


def resolved(contract, node):
    if isinstance(node, dict) and "$ref" in node:
        target = contract
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return target
    return node


def responses(contract):
    for path, methods in contract["paths"].items():
        for method in methods.values():
            for status, response in method["responses"].items():
                yield path, int(status), resolved(contract, response)


def test_every_route_is_in_it(contract):
    assert set(contract["paths"]) | BENTOML_OR_ALIAS == ROUTES


def test_every_reference_leads_somewhere_and_every_schema_is_one(contract):
    found = []

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                found.append(resolved(contract, node))
            if "schema" in node:
                Draft202012Validator.check_schema(resolved(contract, node["schema"]))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(contract)
    assert len(found) > 10


def test_every_error_that_a_photo_may_meet_has_an_example_that_fits_its_schema(contract):
    shown = {}
    for _, status, response in responses(contract):
        if status == 200:
            continue
        media = response["content"]["application/json"]
        schema = Draft202012Validator(resolved(contract, media["schema"]))
        assert media["examples"], status
        for code, example in media["examples"].items():
            schema.validate(example["value"])
            assert example["value"]["error"] == code
            shown[code] = status
    general = {"not_found", "method_not_allowed", "internal_error"}  # of no route, and of none
    assert shown == {code: status for code, (status, _) in ERRORS.items() if code not in general}


def test_examples_of_options_are_options(contract):
    for parameter in contract["paths"]["/colorize"]["post"]["parameters"]:
        Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_the_key_is_asked_for_only_where_there_is_one(contract):
    assert contract["paths"]["/colorize"]["post"]["security"]
    assert contract["paths"]["/metrics"]["get"]["security"]
    assert "security" not in contract["paths"]["/model_info"]["get"]
    open_ = openapi(read_settings({}))
    assert "security" not in open_["paths"]["/colorize"]["post"]
    assert "401" not in open_["paths"]["/colorize"]["post"]["responses"]


def test_headers_that_are_promised_come(client, cat_file):
    contract = client.get("/docs.json").json()
    promised = contract["paths"]["/colorize"]["post"]["responses"]["200"]["headers"]
    answer = client.post("/colorize", content=cat_file)
    only_if_there_is_any = {"X-Tintype-Run", "X-Tintype-Notes", "X-Tintype-Inside"}
    assert {name for name in promised if name not in answer.headers} <= only_if_there_is_any
    assert (
        answer.headers["content-type"]
        in contract["paths"]["/colorize"]["post"]["responses"]["200"]["content"]
    )


def test_people_get_the_interface_as_a_page_that_loads_nothing_from_elsewhere(client):
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    contract = client.get("/docs.json").json()
    for method, path in (("POST", "/colorize"), *(("GET", path) for path in list(contract["paths"])[1:])):
        assert f"<code>{method} {path}</code>" in answer.text
    for option in contract["paths"]["/colorize"]["post"]["parameters"]:
        assert f"<code>{option['name']}</code>" in answer.text
    assert all(code in answer.text for code, (status, _) in ERRORS.items() if status in (413, 415, 422))
    assert not re.search(r"<script|src=|url\(|@import|<link", answer.text)
