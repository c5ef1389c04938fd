from __future__ import annotations

from service.bundle import Candidate, Feature, Golden, Outputs, Signature
from service.card import card, listing, table
from service.promotion import ListedModel, ListedVersion
from tests.service.manifests import manifest


def test_a_card_says_what_the_model_takes_and_answers_and_what_was_proven() -> None:
    found = manifest()
    parity = found.parity.model_copy(
        update={"candidates": (Candidate(engine="onnx", refused="no converter for Weird"), Candidate(engine="sklearn"))}
    )
    text = card(found.model_copy(update={"parity": parity}), "ab" * 32)
    for line in (
        "house 7",
        "  estimator    LogisticRegression",
        "  task         classification",
        "  engine       onnx 1.32.0 float64",
        "  answers      string of 'cheap', 'dear', with probabilities",
        "  created      2026-11-01T12:00:00+00:00",
        "  golden rows  2",
        "  file         model.onnx (10 bytes)",
        f"  manifest     sha256:{'ab' * 32}",
        "  rooms   int64    seen from 1 to 9",
        "  area    float64  may be missing",
        "  garden  bool",
        "  town    string   may be missing; such as 'Rome', 'Oslo'",
        "  state   string   only 'new', 'old'",
        "  rows                10 sample, 5 hard",
        "  equal labels        100.0000%",
        "  largest difference  0 (0 of its scale)",
        "  onnx                refused: no converter for Weird",
        "  sklearn             chosen",
        "  accuracy  0.9",
        "  team  homes",
        "  scikit-learn  1.9.1",
    ):
        assert line in text.splitlines()


def test_a_card_of_a_wide_model_with_many_classes_stays_short() -> None:
    signature = Signature(
        container="array",
        features=tuple(Feature(name=f"x{i}", dtype="float64", nullable=False) for i in range(1000)),
        outputs=Outputs(dtype="int64", width=3, classes=tuple(range(100))),
    )
    golden = Golden(instances=([0.0] * 1000,), predictions=([0, 0, 0],))
    text = card(manifest(signature=signature, golden=golden), "0" * 64)
    assert len(text.splitlines()) < 90
    assert "  and 950 more" in text.splitlines()
    assert "3 x int64 of 0, 1, 2, 3, 4, 5, 6, 7, ..." in text


def test_nothing_in_a_manifest_is_obeyed_by_a_terminal() -> None:
    text = card(manifest().model_copy(update={"tags": {"note": "\x1b[2J\rhidden\nline", "long": "y" * 500}}), "0" * 64)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "\ufffd[2J\ufffdhidden\ufffdline" in text
    assert max(map(len, text.splitlines())) < 130


def test_a_listing_has_a_line_for_each_version_and_for_each_alias_that_leads_nowhere() -> None:
    versions = (ListedVersion("1", None, "the manifest is not valid"), ListedVersion("7", manifest(), None))
    model = ListedModel("house", versions, {"lost": "3", "production": "7", "staging": "7", "broken": None})
    assert listing([model]).splitlines() == [
        "NAME   VERSION  ALIASES              ENGINE                     ESTIMATOR           CREATED",
        "house  1                             the manifest is not valid",
        "house  7        production, staging  onnx                       LogisticRegression  2026-11-01T12:00:00+00:00",
        "house  3        lost                 there is no such version",
        "house           broken               there is no such version",
    ]


def test_cells_are_aligned() -> None:
    assert table([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]
