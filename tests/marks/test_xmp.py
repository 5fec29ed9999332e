import json
from dataclasses import replace

import pytest
from PIL import Image

from marks import xmp
from marks.recipe import Ingredient, SourceType, from_json, to_json
from tests.marks.pictures import FORMATS, RECIPE, encoded, opened, scene

COMPOSITE = replace(RECIPE, kind="translate", seed=None, ingredient=Ingredient("urn:x", 'A & "B" <c>', None, True))


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("recipe", [RECIPE, COMPOSITE])
def test_a_recipe_comes_back_from_the_file(picture_format: str, recipe: xmp.Recipe) -> None:
    body = encoded(scene(64), picture_format, xmp.packet(recipe))
    found = xmp.read(opened(body))
    assert found == xmp.XmpFinding(recipe.source_type.value, recipe.software, recipe)
    plain = encoded(scene(64), picture_format)
    assert opened(body).tobytes() == opened(plain).tobytes(), "the pixels are the same"
    assert len(body) - len(plain) < 1500


def test_the_source_type_says_whether_a_photo_went_in() -> None:
    assert RECIPE.source_type is SourceType.MADE
    assert COMPOSITE.source_type is SourceType.COMPOSITE


def test_a_seed_is_a_string_for_the_sake_of_javascript() -> None:
    assert json.loads(to_json(RECIPE))["seed"] == "18446744073709551615"


def test_other_peoples_packets_are_understood() -> None:
    by_element = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        b"<e:DigitalSourceType>" + SourceType.MADE.encode() + b"</e:DigitalSourceType>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    found = xmp.read(opened(encoded(scene(32), xmp=by_element)))
    assert found == xmp.XmpFinding(SourceType.MADE.value, None, None)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no XML",
        b"<x",
        b'<?xml version="1.0" encoding="foo"?><x/>',
        b'<?xml version="1.0" encoding="base64"?><x/>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        b"<x>" + b" " * xmp.MOST_BYTES + b"</x>",
        b"\xff\xfe\x00",
    ],
)
def test_packets_that_are_not_read(packet: bytes) -> None:
    image = Image.new("RGB", (8, 8))
    image.info["xmp"] = packet
    assert xmp.read(image) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": 2}',
        '{"format":1,"software":"x","kind":"g","model":{"name":1,"digest":"d"},"parameters":{}}',
        '{"format":1,"software":"x","kind":"g","model":"m","parameters":{}}',
        '{"format":1,"software":"x","kind":"g","model":{"name":"n","digest":"d"},"parameters":{"a":[]}}',
        '{"format":1,"software":"x","kind":"g","model":{"name":"n","digest":"d"},"parameters":{},"seed":"x"}',
        '{"format":1,"software":"x","kind":"g","model":{"name":"n","digest":"d"},"parameters":{},"ingredient":{}}',
        "[" * 100_000,
    ],
)
def test_recipes_that_are_none(text: str) -> None:
    assert from_json(text) is None


def test_what_the_next_release_adds_is_no_harm() -> None:
    document = json.loads(to_json(RECIPE)) | {"new": {"deep": [1]}}
    assert from_json(json.dumps(document)) == RECIPE
