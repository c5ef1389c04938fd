"""Small bundles for the tests of stores: true to every rule of a manifest, and cheap to make."""

from __future__ import annotations

from datetime import UTC, datetime

from service.bundle import (
    EngineSpec,
    Feature,
    File,
    Golden,
    Manifest,
    Outputs,
    Parity,
    Signature,
    sha256,
)


def make_bundle(
    name: str = "iris", version: str = "1", data: bytes = b"an artifact"
) -> tuple[Manifest, dict[str, bytes]]:
    """A manifest and its one file, which no engine could load."""
    path = f"model.{sha256(data)[:12]}.onnx"
    manifest = Manifest(
        name=name,
        version=version,
        created_at=datetime.now(UTC).isoformat(),
        task="classification",
        estimator="LogisticRegression",
        engine=EngineSpec(name="onnx", version="1.32.0", file=path),
        files=(File(path=path, size=len(data), sha256=sha256(data)),),
        signature=Signature(
            container="array",
            features=(Feature(name="x0", dtype="float64", nullable=False),),
            outputs=Outputs(dtype="int64", classes=(0, 1)),
        ),
        parity=Parity(
            reference="scikit-learn", sample_rows=1, hard_rows=1, max_abs_diff=0, max_scaled_diff=0, label_agreement=1
        ),
        golden=Golden(instances=([0.5],), predictions=(1,)),
        versions={"scikit-learn": "1.9.1"},
    )
    return manifest, {path: data}
