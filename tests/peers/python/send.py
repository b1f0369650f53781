"""Sends spans, log records and metrics with OpenTelemetry's own SDK, as a program on the host would.

Arguments: endpoint, count. Prints what the SDK logged, which is nothing when all is well.
"""

import io
import logging
import sys

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

said = io.StringIO()
logging.basicConfig(stream=said, level=logging.WARNING)
endpoint, count = sys.argv[1], int(sys.argv[2])
resource = Resource.create({"service.name": "python-program"})


def options(signal):
    return {"endpoint": f"{endpoint}/v1/{signal}", "compression": Compression.Gzip, "timeout": 5}


tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options("traces"))))
tracer = tracers.get_tracer("peer")
for i in range(count):
    with tracer.start_as_current_span(f"work {i}", attributes={"i": i, "ü": [1.5, 2.5]}):
        pass

loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options("logs"))))
logger = loggers.get_logger("peer")
for i in range(count):
    logger.emit(body=f"line {i}", severity_number=SeverityNumber.INFO, attributes={"i": i})

reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options("metrics")), export_interval_millis=60_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
counter = meters.get_meter("peer").create_counter("done")
histogram = meters.get_meter("peer").create_histogram("took", unit="s")
for i in range(count):
    counter.add(1, {"i": i})
    histogram.record(i)

for provider in (tracers, loggers, meters):
    provider.shutdown()
print(said.getvalue(), end="")
