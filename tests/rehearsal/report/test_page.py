"""The page stands alone, shows each failure, and takes every name as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rehearsal.report import write_page
from rehearsal.report.axes import bins
from rehearsal.report.figures import rows
from rehearsal.report.page import LISTED, page
from rehearsal.results import SceneResult, read_result, write_result
from tests.rehearsal.report.samples import bad_release, killed, rollout, season

_VOID = {"meta"}
_HOSTILE = "</title></text></svg><script>alert('1')</script>\" onload=\"x & y"


class Page(HTMLParser):
    """Fails at a tag that is closed in the wrong place. ``text`` is what a person reads."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str | None]:
        return [value for each, value in self.attributes if each == name]


@pytest.fixture(scope="module")
def document() -> str:
    return page(rows(season()))


@pytest.fixture(scope="module")
def parsed(document: str) -> Page:
    return Page(document)


def section(result: SceneResult, *others: SceneResult) -> str:
    """Of the page, what is about the first result."""
    table = rows([result, *others])
    number = next(index for index, row in enumerate(table, start=1) if row.scene is result)
    return page(table).partition(f'<section id="scene-{number}">')[2].partition("</section>")[0]


def marked(drawn: str) -> list[str]:
    """What the marks of a picture say about failures."""
    return re.findall(r'<path class="bad" d="[^"]*"><title>([^<]*)</title>', drawn)


def test_the_page_is_well_formed_and_so_is_each_picture_by_itself(document: str, parsed: Page) -> None:
    pictures = re.findall(r"<svg.*?</svg>", document, re.DOTALL)
    assert len(pictures) == 1 + len(season())
    for picture in pictures:
        ElementTree.fromstring(picture)  # noqa: S314 - what this test itself has made
    assert parsed.tags[:3] == ["html", "head", "meta"]


def test_the_page_asks_for_nothing_and_runs_nothing(document: str, parsed: Page) -> None:
    assert set(re.findall(r"https?:[^\"' )<]*", document)) == {"http://www.w3.org/2000/svg"}
    assert {"script", "link", "img", "iframe", "image", "use", "object", "form"}.isdisjoint(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name in ("src", "style")]
    assert all(str(href).startswith("#") for href in parsed.values("href"))
    assert "url(" not in document
    assert "@import" not in document
    assert "default-src 'none'; style-src 'unsafe-inline'" in parsed.values("content")


def test_every_link_and_label_leads_to_one_place(parsed: Page) -> None:
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    asked = [str(href).removeprefix("#") for href in parsed.values("href")]
    asked += [each for value in parsed.values("aria-labelledby") for each in str(value).split()]
    assert set(asked) <= set(ids)


def test_the_headline_is_good_only_if_every_protected_scene_held(document: str) -> None:
    assert '<p class="headline good">0 of 64,000 requests lost in 4 scenes</p>' in document
    lossy = page(rows([rollout(), rollout(hold=False)._replace(without=None, name="other")]))
    assert '<p class="headline bad">' in lossy
    assert '<p class="headline bad">0 of 0' in page(rows([rollout()._replace(outcomes=[])]))


def test_every_failure_is_counted_at_a_mark() -> None:
    for result in (killed(), rollout(hold=False), bad_release(golden=False)):
        marks = marked(section(result))
        failures = sum(outcome.kind != "answered" for outcome in result.outcomes)
        assert len(marks) == sum(set(each.kinds) != {"answered"} for each in bins(result))
        assert (
            sum(int(count) for told in marks for count in re.findall(r"(\d+) [a-z]", told.partition(":")[2]))
            == failures
        )


def test_a_single_failure_among_thousands_is_marked_and_listed() -> None:
    outcomes = list(rollout().outcomes)
    outcomes[9000] = outcomes[9000]._replace(kind="late", status=None, detail="no answer in 30 s")
    drawn = section(rollout()._replace(outcomes=outcomes))
    assert marked(drawn) == ["50 s: 1 late"]
    assert re.search(r'<path class="late" d="M[\d.]+ [\d.]+H[\d.]+v2\.0H', drawn)
    assert "<details open><summary" in drawn
    assert drawn.count("no answer in 30 s") == 1


def test_without_a_failure_there_is_no_mark() -> None:
    drawn = section(rollout())
    assert marked(drawn) == []
    assert "No request failed." in drawn


def test_many_failures_are_listed_in_part_and_counted_in_whole() -> None:
    drawn = section(bad_release(golden=False))
    failures = sum(outcome.kind != "answered" for outcome in bad_release(golden=False).outcomes)
    assert f"Failed requests, the first {LISTED} of {failures:,}" in drawn
    assert drawn.count("<td>wrong</td>") == LISTED


def test_what_failed_is_loud_in_the_table(document: str) -> None:
    lost = [cell for cell in re.findall(r'<td class="verdict bad">([^<]*)</td>', document) if cell]
    assert len(lost) == 3


def test_hostile_names_and_details_are_text() -> None:
    outcomes = [each._replace(detail=_HOSTILE, version=_HOSTILE) for each in killed().outcomes]
    moments = [{"seconds": 6.0, "text": _HOSTILE}]
    lives = [{"task": _HOSTILE, "release": _HOSTILE, "states": [[0, "ready"]]}]
    hostile = killed()._replace(
        name=_HOSTILE,
        question=_HOSTILE,
        setting=_HOSTILE,
        order=_HOSTILE,
        expected=_HOSTILE,
        found=f"{_HOSTILE}!",
        outcomes=outcomes,
        timeline={"tasks": lives, "moments": moments},
    )
    for results in ([hostile], [hostile, hostile._replace(without=_HOSTILE)]):
        document = page(rows(results))
        parsed = Page(document)
        assert "script" not in parsed.tags
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]
        assert _HOSTILE in parsed.text
        for picture in re.findall(r"<svg.*?</svg>", document, re.DOTALL):
            ElementTree.fromstring(picture)  # noqa: S314 - what this test itself has made


def test_the_same_results_make_the_same_page(tmp_path: Path, document: str) -> None:
    write_page([read_result(write_result(each)) for each in season()], tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == document


def test_thirty_scenes_stay_a_small_page(document: str) -> None:
    assert len(document.encode()) * 5 < 3_000_000


def test_light_and_dark_are_both_there(document: str) -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in document
    assert '<meta name="color-scheme" content="light dark">' in document
