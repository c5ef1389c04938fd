"""What the scenes serve: two versions that answer differently, and two that must not be served."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from rehearsal.errors import RefusedError, RehearsalError
from rehearsal.exam import TOLERANCE, Solution
from rehearsal.models import DAMAGED, FIRST, OTHER_ANSWERS, SECOND, Models, make_models
from service.errors import GoldenError, IntegrityError
from service.example import NAME
from service.promotion import verify
from service.stores import Store, open_store


@pytest.fixture(scope="module")
def models() -> Models:
    return make_models(f"s3://bucket/team/models/{NAME}@production")


@pytest.fixture
def store(models: Models, tmp_path: Path) -> Store:
    """All versions, in a folder as they are in the bucket."""
    write(tmp_path, models.objects(FIRST, SECOND, OTHER_ANSWERS, DAMAGED))
    return open_store(str(tmp_path / "team/models"))


def write(folder: Path, objects: Mapping[str, bytes]) -> None:
    for key, data in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)


@pytest.mark.parametrize("version", [FIRST, SECOND])
def test_good_versions_prove_themselves(version: str, store: Store) -> None:
    assert verify(store, NAME, version).manifest.version == version


def test_a_damaged_version_is_told_by_its_hash(store: Store) -> None:
    with pytest.raises(IntegrityError, match="SHA-256"):
        verify(store, NAME, DAMAGED)


def test_another_models_artifact_is_told_by_the_golden_answers_alone(store: Store) -> None:
    with pytest.raises(GoldenError):
        verify(store, NAME, OTHER_ANSWERS)


def test_the_alias_can_point_to_what_nobody_verified(models: Models, tmp_path: Path) -> None:
    write(tmp_path, models.pointing(DAMAGED))
    store = open_store(str(tmp_path / "team/models"))
    assert store.read_alias(NAME, "production").alias.version == DAMAGED


def test_no_answer_is_right_for_both_versions(models: Models) -> None:
    assert {1, 256} == set(models.exam.rows)
    assert len(set(models.exam.bodies)) == len(models.exam.bodies) >= 36
    for solutions in models.exam.solutions:
        first, second = solutions[FIRST], solutions[SECOND]
        assert furthest(first, second) > 1e6 * TOLERANCE


def test_the_versions_labels_differ_too(models: Models) -> None:
    assert any(each[FIRST].predictions != each[SECOND].predictions for each in models.exam.solutions)


def test_the_alias_moves_by_the_services_own_command(models: Models, s3: str) -> None:
    client = boto3.session.Session().client("s3")
    client.create_bucket(Bucket=models.bucket)
    for key, data in {**models.objects(FIRST, SECOND, DAMAGED), **models.pointing(FIRST)}.items():
        client.put_object(Bucket=models.bucket, Key=key, Body=data)
    asyncio.run(models.promote(SECOND, {}))
    alias = open_store(str(models.uri.store)).read_alias(NAME, "production").alias
    assert (alias.version, alias.previous) == (SECOND, FIRST)
    with pytest.raises(RehearsalError, match=f"(?s)was not moved to {DAMAGED}: .*SHA-256"):
        asyncio.run(models.promote(DAMAGED, {}))


@pytest.mark.parametrize("uri", ["file:///models/house@production", "s3://bucket/models/house/7"])
def test_only_an_alias_in_a_bucket_can_be_rehearsed(uri: str) -> None:
    with pytest.raises(RefusedError, match="cannot be rehearsed"):
        make_models(uri)


def furthest(first: Solution, second: Solution) -> float:
    rows = zip(first.probabilities, second.probabilities, strict=True)
    return max(abs(one - other) for pair in rows for one, other in zip(*pair, strict=True))
