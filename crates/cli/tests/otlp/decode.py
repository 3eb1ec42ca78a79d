"""Reads a JSON ExportTraceServiceRequest at standard input with OpenTelemetry's own messages, and prints its spans."""

import base64
import json
import sys

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def with_base64_ids(request):
    """OTLP writes ids in hexadecimal, where JSON of protobuf has base64 for bytes."""
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return request


def values(attributes):
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in attributes}


# A field that the messages do not know is an error.
decoded = ParseDict(with_base64_ids(json.load(sys.stdin)), ExportTraceServiceRequest())
spans = [
    {
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "status": Status.StatusCode.Name(span.status.code),
        "nanos": span.end_time_unix_nano - span.start_time_unix_nano,
        "flags": span.flags,
        "attributes": values(span.attributes),
        "resource": values(resource.resource.attributes),
    }
    for resource in decoded.resource_spans
    for scope in resource.scope_spans
    for span in scope.spans
]
print(json.dumps(spans))
