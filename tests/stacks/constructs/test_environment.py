from __future__ import annotations

import pytest

from service.settings import read_settings
from service.stores.uri import parse_model
from stacks.constructs.environment import model_prefix, model_uri, service_environment
from stacks.settings import Service


def test_every_setting_of_the_service_reaches_it_under_its_own_name() -> None:
    told = Service(poll_seconds=2.5, load_deadline_seconds=90, max_rows=7, log_level="WARNING")
    read = read_settings(service_environment(model_uri="s3://models/iris@production", port=8000, **told.model_dump()))
    assert read.model_dump(include=set(Service.model_fields)) == told.model_dump()
    assert (read.model_uri, read.port) == ("s3://models/iris@production", 8000)


def test_whole_numbers_read_the_same_however_they_were_written() -> None:
    assert service_environment(poll_seconds=30.0) == service_environment(poll_seconds=30)
    assert service_environment(max_body_bytes=8 * 1024 * 1024) == {"ALPHARD_MAX_BODY_BYTES": "8388608"}
    assert service_environment(poll_seconds=0.5) == {"ALPHARD_POLL_SECONDS": "0.5"}


@pytest.mark.parametrize(
    ("prefix", "alias", "version", "expected"),
    [
        ("models", "production", None, "s3://bucket/models/iris@production"),
        ("team/models/", None, "7", "s3://bucket/team/models/iris/7"),
        ("", "production", None, "s3://bucket/iris@production"),
    ],
)
def test_the_uri_names_the_model_as_the_service_reads_it(
    prefix: str, alias: str | None, version: str | None, expected: str
) -> None:
    uri = model_uri(bucket="bucket", prefix=prefix, name="iris", alias=alias, version=version)
    assert uri == expected
    read = parse_model(uri)
    assert (read.name, read.alias, read.version) == ("iris", alias, version)
    assert "/".join((*read.store.parts, read.name)) == model_prefix(prefix=prefix, name="iris")


@pytest.mark.parametrize(("alias", "version"), [(None, None), ("production", "7")])
def test_a_model_is_served_by_an_alias_or_a_version(alias: str | None, version: str | None) -> None:
    with pytest.raises(ValueError, match="either an alias or a version"):
        model_uri(bucket="bucket", prefix="models", name="iris", alias=alias, version=version)
