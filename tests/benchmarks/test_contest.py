from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.contest import OWN, PEERS, Contestant, requirements


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_has_the_scikit_learn_that_fitted_the_model(peer: Contestant) -> None:
    ours = [line for line in Path("requirements.txt").read_text().splitlines() if line.startswith("scikit-learn==")]
    listed = requirements(peer).read_text().splitlines()
    assert ours[0].split()[0] in listed
    assert all("==" in line for line in listed if not line.startswith("#"))


def test_requests_are_http_with_the_rows_in_each_ones_dialect() -> None:
    for contestant in (*OWN, *PEERS):
        head, _, body = contestant.request([[1.5, 2.5]]).partition(b"\r\n\r\n")
        assert head.startswith(b"POST /")
        assert b"content-length: %d" % len(body) in head
        assert b"[1.5,2.5]" in body
        json.loads(body)
