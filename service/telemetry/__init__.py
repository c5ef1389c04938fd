"""What the service says about itself: figures (``Metrics``) and lines (``service.telemetry.logs``). A leaf."""

from service.telemetry.metrics import Metrics

__all__ = ["Metrics"]
