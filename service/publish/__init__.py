"""A fitted estimator and sample rows become a bundle in a store."""

from service.publish._publish import Published, publish

__all__ = ["Published", "publish"]
