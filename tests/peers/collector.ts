/**
 * Starts the real OpenTelemetry Collector (tests/peers/collector) on a free loopback port. Its telemetry port is
 * off, and what it receives it passes on through its own exporter to a sink of the test: its file exporter is not
 * part of the build.
 * @module
 */
import { type Child, startChild } from "./child.ts";
import { buildGoPeer, goAbsence } from "./go.ts";
import { onFreePort } from "./ports.ts";

export interface PipelineOptions {
  /** "http://127.0.0.1:PORT", where everything is passed on to. */
  readonly sink: string;
  /** Requests without this bearer token are answered 401. */
  readonly token?: string;
  /** How it passes on; absent: protobuf. */
  readonly encoding?: "proto" | "json";
}

export interface Collector {
  /** "http://127.0.0.1:PORT", a base as in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly pid: number;
  /** Its last log lines: warnings about what it was sent. */
  log(): string;
  stop(): Promise<void>;
}

/** Why there is no Collector here; undefined: there is. */
export const collectorAbsence: string | undefined = goAbsence();

/** Configuration of the usual pipeline: OTLP in, nothing changed, OTLP out to the sink, for all three signals. */
export function pipelineConfig(options: PipelineOptions): (listen: string) => string {
  const isOpen = options.token === undefined;
  return (listen) => `
extensions:
  bearertokenauth: { token: "${options.token ?? "unused"}" }
receivers:
  otlp:
    protocols:
      http: { endpoint: "${listen}"${isOpen ? "" : ", auth: { authenticator: bearertokenauth }"} }
exporters:
  otlp_http:
    endpoint: "${options.sink}"
    encoding: ${options.encoding ?? "proto"}
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }
service:
  extensions: [bearertokenauth]
  telemetry: { metrics: { level: none }, logs: { level: info } }
  pipelines:
    metrics: { receivers: [otlp], exporters: [otlp_http] }
    logs: { receivers: [otlp], exporters: [otlp_http] }
    traces: { receivers: [otlp], exporters: [otlp_http] }
`;
}

/** Builds it when needed, starts it with the configuration made for its port, and waits until it is ready. */
export async function startCollector(options: { config(listen: string): string }): Promise<Collector> {
  const binary = await buildGoPeer({ name: "collector" });
  const folder = await Deno.makeTempDir({ prefix: "sonde-collector-" });
  const file = `${folder}/config.yaml`;
  try {
    const { child, port } = await onFreePort(async (port) => {
      await Deno.writeTextFile(file, options.config(`127.0.0.1:${port}`));
      const child: Child = await startChild(binary, {
        args: ["--config", file],
        ready: /Everything is ready/,
      });
      return { child, port };
    });
    const stop = async () => {
      await child.stop();
      await Deno.remove(folder, { recursive: true });
    };
    return { endpoint: `http://127.0.0.1:${port}`, pid: child.pid, log: child.tail, stop };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}
