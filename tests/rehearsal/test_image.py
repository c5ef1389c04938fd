"""What a container runs."""

from __future__ import annotations

import pytest

from rehearsal.errors import RefusedError
from rehearsal.image import image_command

STAGES = """
FROM ${BASE} AS runtime
ENTRYPOINT ["/init"]
FROM runtime AS lambda
CMD ["handler"]
FROM runtime AS serve
RUN true
CMD ["python", "app.py"]
"""


def test_the_image_serves() -> None:
    assert image_command() == ("python", "-m", "service", "serve")


def test_a_stage_has_what_it_stands_on() -> None:
    assert image_command(dockerfile=STAGES) == ("/init", "python", "app.py")


def test_the_definitions_own_comes_first() -> None:
    assert image_command(command=("other",), dockerfile=STAGES) == ("/init", "other")
    assert image_command(("/bin/sh", "-c"), ("true",), dockerfile=STAGES) == ("/bin/sh", "-c", "true")


def test_another_entry_point_leaves_out_the_images_command() -> None:
    assert image_command(("/run",), dockerfile=STAGES) == ("/run",)


def test_an_image_that_runs_nothing_is_refused() -> None:
    with pytest.raises(RefusedError, match="stage serve"):
        image_command(dockerfile="FROM base AS serve\n")
