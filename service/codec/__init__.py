"""Between bytes and arrays: a request's rows by the model's signature, and answers as JSON."""

from service.codec.decode import Decoder, Request, decode_instances
from service.codec.encode import encode_answers, plain

__all__ = ["Decoder", "Request", "decode_instances", "encode_answers", "plain"]
