"""Decodes OTLP requests with OpenTelemetry's own Python types.

Reads a JSON array of {"signal", "body"} (base64) from standard input and prints a JSON array: each request as
protobuf's JSON, with integer enums and all 64-bit integers as text.
"""

import base64
import json
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
    "traces": ExportTraceServiceRequest,
}


def decode(request):
    message = REQUESTS[request["signal"]].FromString(base64.b64decode(request["body"]))
    return MessageToDict(message, use_integers_for_enums=True)


json.dump([decode(request) for request in json.load(sys.stdin)], sys.stdout)
