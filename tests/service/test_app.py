from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from service.app import create_app
from service.loader import Status
from service.model import Model
from service.telemetry import Metrics
from tests.service.manifests import manifest
from tests.serving import ROW, FakeLoader, FakeModel, Service, make_service, settings


async def live(service: Service, meanwhile: Any) -> None:
    async with service.app.router.lifespan_context(service.app):
        await meanwhile


async def eventually(done: Any) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.005)


def test_the_loader_runs_as_long_as_the_application_lives() -> None:
    service = make_service()
    asyncio.run(live(service, eventually(lambda: service.loader.started)))
    assert service.loader.cancelled


def test_a_loader_that_ends_ends_nothing_else() -> None:
    class Pinned(FakeLoader):
        async def run(self) -> None:
            self.started = True

    service = make_service(loader=Pinned())
    asyncio.run(live(service, eventually(lambda: service.loader.started)))
    assert service.ask("GET", "/ready").status == 200


def test_a_loader_that_breaks_is_logged_and_the_model_serves_on(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeLoader):
        async def run(self) -> None:
            self.started = True
            raise RuntimeError("no such thing should happen")

    service = make_service(loader=Broken())
    asyncio.run(live(service, eventually(lambda: caplog.records)))
    assert caplog.records[0].__dict__["event"] == "loader_stopped"
    assert service.ask("GET", "/ready").status == 200


def test_metrics_are_flushed_on_an_interval_and_at_the_end() -> None:
    service = make_service(metrics_flush_seconds=0.01)

    async def work() -> None:
        service.metrics.count("requests")
        await eventually(lambda: "requests" in service.lines.getvalue())
        service.metrics.count("last")

    asyncio.run(live(service, work()))
    documents = service.lines.objects()
    assert documents[0]["requests"] == 1
    assert documents[-1]["last"] == 1
    assert documents[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Alphard"


@pytest.mark.parametrize(
    "changed", [{"metrics_flush_seconds": 0}, {"log_format": "logfmt", "metrics_flush_seconds": 0.01}]
)
def test_metrics_are_not_flushed_where_nobody_reads_them(changed: dict[str, Any]) -> None:
    service = make_service(**changed)
    service.metrics.count("requests")
    asyncio.run(live(service, asyncio.sleep(0.05)))
    assert service.lines.getvalue() == ""


def test_the_description_follows_the_model() -> None:
    service = make_service(loader=FakeLoader(Status(None, "loading", "")))
    assert service.ask("GET", "/openapi.json").json()["info"]["version"] == "no model"
    for version in ("7", "8"):
        service.loader.now = Status(FakeModel(manifest(version=version)), None, None)
        document = service.ask("GET", "/openapi.json").json()
        assert document["info"]["version"] == version
        assert "RowArray" in document["components"]["schemas"]


def test_the_page_of_the_documentation_reads_that_description() -> None:
    page = make_service().ask("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert b"/openapi.json" in page.body


def test_the_service_writes_to_standard_output_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    service = make_service()
    app = create_app(settings(), service.loader, Metrics())
    service._replace(app=app).ask("POST", "/predict", {"instances": [ROW]})
    assert json.loads(capsys.readouterr().out)["event"] == "request"


def test_a_failure_of_any_route_is_a_problem_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeLoader):
        @property
        def current(self) -> Model:
            raise ValueError("secret-value")

    reply = make_service(loader=Broken()).ask("GET", "/model")
    assert (reply.status, reply.headers["content-type"]) == (500, "application/problem+json")
    assert b"secret" not in reply.body
    assert caplog.records[0].__dict__["event"] == "request_failed"
