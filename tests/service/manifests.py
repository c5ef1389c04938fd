"""Manifests for the tests of serving, of a model that no engine has to load."""

from __future__ import annotations

from service.bundle import EngineSpec, Feature, File, Golden, Manifest, Outputs, Parity, Signature

HOUSE = Signature(
    container="frame",
    features=(
        Feature(name="rooms", dtype="int64", nullable=False, accepts_min=0, seen_min=1, seen_max=9),
        Feature(name="area", dtype="float64", nullable=True),
        Feature(name="garden", dtype="bool", nullable=False),
        Feature(name="town", dtype="string", nullable=True, categories=("Rome", "Oslo")),
        Feature(name="state", dtype="string", nullable=False, categories=("new", "old"), closed=True),
    ),
    outputs=Outputs(dtype="string", classes=("cheap", "dear"), probabilities=True, decision_width=0),
)
HOUSE_GOLDEN = Golden(
    instances=([3, 81.5, True, "Rome", "new"], [1, None, False, None, "old"]),
    predictions=("dear", "cheap"),
    probabilities=([0.25, 0.75], [0.5, 0.5]),
    decision_values=(1.5, -0.5),
)


def manifest(
    *,
    version: str = "7",
    signature: Signature = HOUSE,
    outputs: Outputs | None = None,
    golden: Golden = HOUSE_GOLDEN,
) -> Manifest:
    return Manifest(
        name="house",
        version=version,
        created_at="2026-11-01T12:00:00+00:00",
        task="classification",
        estimator="LogisticRegression",
        engine=EngineSpec(name="onnx", version="1.32.0", precision="float64", file="model.onnx"),
        files=(File(path="model.onnx", size=10, sha256="0" * 64),),
        signature=signature if outputs is None else signature.model_copy(update={"outputs": outputs}),
        parity=Parity(
            reference="scikit-learn", sample_rows=10, hard_rows=5, max_abs_diff=0, max_scaled_diff=0, label_agreement=1
        ),
        golden=golden,
        metrics={"accuracy": 0.9},
        tags={"team": "homes"},
        versions={"scikit-learn": "1.9.1"},
    )
