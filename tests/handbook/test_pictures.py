"""The handbook's pictures show the portal as it is."""

import json

import pytest
from PIL import Image

from handbook.documents import LANGUAGES
from handbook.rendering import picture_file
from scripts.handbook_pictures.labels import label, labels_of
from scripts.handbook_pictures.pictures import PICTURES, labels_file, labels_of_pictures, make_scenes

LARGEST = 100_000  # bytes of a picture


@pytest.mark.slow
@pytest.mark.django_db
def test_no_picture_is_out_of_date() -> None:
    """The labels on each page are those of when its picture was taken; where not: `make handbook`."""
    make_scenes()
    for language in LANGUAGES:
        kept = json.loads(labels_file(language).read_text(encoding="utf-8"))
        now = labels_of_pictures(language)
        changed = {name: set(kept.get(name, [])) ^ set(labels) for name, labels in now.items()}
        assert {name: labels for name, labels in changed.items() if labels} == {}, "run make handbook"
        assert set(kept) == {picture.name for picture in PICTURES}
        assert all(now.values()), "a picture without labels proves nothing"


def test_labels_are_what_the_catalogue_has() -> None:
    """Data is none; what differs from row to row is a placeholder."""
    html = """<main><h1>Split Entitlement Line Item</h1><h2>Harbour Alarms</h2><button>Split</button>
        <label>Split Amount (of 35 available) <span>*</span></label><a href="/">Undo</a>
        <div class="mx-menu-list"><a href="/">Email</a></div><a class="btn" href="/">No such label</a></main>"""
    assert labels_of(html, "main", "en") == [
        "Split Entitlement Line Item",
        "Split",
        "Split Amount (of %(available)s available)",
        "Email",
    ]
    assert label("Aufteilen", "de") == "Aufteilen"
    assert label("Aufteilen", "en") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_are_small(language: str) -> None:
    """A page of the handbook opens quickly, and pictures are sharp enough to be read."""
    for picture in PICTURES:
        file = picture_file(language, f"{picture.name}.png")
        assert file.stat().st_size < LARGEST, picture.name
        with Image.open(file) as image:
            assert image.format == "PNG"
            assert image.width >= 1000, picture.name
