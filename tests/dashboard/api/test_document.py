"""The document: valid, of every address and method, and open to all with nothing of ours."""

import json
import re

import pytest
from django.test import Client
from openapi_spec_validator import validate

from dashboard.api.document import page
from dashboard.api.document.openapi import document
from dashboard.api.resources import RESOURCES
from routines.models import Routine
from tests.dashboard.api.programs import is_as
from tests.dashboard.browsing import Page, signed_in

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def test_the_document_is_openapi():
    validate(document())
    assert document()["openapi"] == "3.1.0"


@pytest.mark.django_db
def test_each_address_takes_the_methods_that_the_document_names_and_no_others(program, routine):
    for resource in RESOURCES:
        path = "/" + resource.route.replace("<str:reference>", routine.slug)
        path = path.replace("<int:pk>", "1")
        template = re.sub(r"<\w+:(\w+)>", r"{\1}", resource.route).replace("{pk}", "{id}")
        named = {method.upper() for method in document()["paths"][f"/{template}"]}
        for method in METHODS:
            answer = program.client.generic(method, path, headers=program.headers)
            is_known = method in named
            assert (answer.status_code != 405) == is_known, (method, path)
            if not is_known:
                allowed = set(answer.headers["Allow"].split(", "))
                assert allowed - {"HEAD"} == named - {"PARAMETERS"}
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert answer.json()["detail"].endswith(".")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/openapi.json", "/api/docs"])
def test_who_has_no_key_reads_it_and_learns_of_nothing_that_is_ours(address, routine, admin):
    Routine.objects.update(name="Secret plan", slug="secret-plan")
    answer = Client().get(address)
    assert answer.status_code == 200
    assert "secret" not in answer.content.decode().lower()
    assert str(admin) not in answer.content.decode()
    assert signed_in(admin).get(address).status_code == 200
    assert Client().post(address).status_code == 405


@pytest.mark.django_db
def test_the_page_has_every_operation_and_shape_and_leads_nowhere_in_vain():
    text = Client().get("/api/docs").content.decode()
    page = Page(text)
    names = {element.attributes["id"] for element in page.elements if "id" in element.attributes}
    links = {
        element.attributes["href"][1:]
        for element in page.find("a")
        if element.attributes["href"].startswith("#")
    }
    assert links <= names
    for item in document()["paths"].values():
        for method, operation in item.items():
            assert method == "parameters" or operation["operationId"] in links
    assert {f"shape-{name}" for name in document()["components"]["schemas"]} <= names
    assert "curl -X POST" in text
    assert "<style" not in text
    assert 'style="' not in text


def test_each_example_is_as_its_schema_says():
    for name, schema in document()["components"]["schemas"].items():
        if name in ("NewRun", "Fire"):
            continue  # of alternatives; its examples stand with the operation
        is_as({"$ref": f"#/components/schemas/{name}"}, page.example(document(), schema))
    for item in document()["paths"].values():
        body = (
            item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        )
        for example in (body or {}).get("examples", {}).values():
            is_as(body["schema"], example["value"])


@pytest.mark.django_db
def test_the_document_says_the_same_on_the_wire():
    assert json.loads(Client().get("/api/openapi.json").content) == document()
