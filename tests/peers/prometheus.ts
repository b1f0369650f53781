/**
 * Starts a real Prometheus with its OTLP receiver on, to query what it made of sonde's points. Its build takes
 * minutes and 2.6 GB, so only the tests that query it ask for it.
 * @module
 */
import { startChild } from "./child.ts";
import { buildGoPeer, goAbsence } from "./go.ts";
import { onFreePort } from "./ports.ts";

/** One series of an instant query: labels, and the value as Prometheus writes it. */
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Prometheus {
  /** Base for OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** An instant query; throws with Prometheus' own words when it is refused. */
  query(expression: string): Promise<readonly PrometheusSeries[]>;
  stop(): Promise<void>;
}

/** Why there is no Prometheus here; undefined: there is. */
export const prometheusAbsence: string | undefined = goAbsence();

const CONFIG = `
global: { scrape_interval: 1h }
otlp: { translation_strategy: UnderscoreEscapingWithSuffixes }
storage: { tsdb: { out_of_order_time_window: 30m } }
`;

/** Builds it when needed and starts it with an empty store. */
export async function startPrometheus(): Promise<Prometheus> {
  const binary = await buildGoPeer({
    name: "prometheus",
    target: "github.com/prometheus/prometheus/cmd/prometheus",
    tags: "remove_all_sd",
  });
  const folder = await Deno.makeTempDir({ prefix: "sonde-prometheus-" });
  try {
    await Deno.writeTextFile(`${folder}/prometheus.yml`, CONFIG);
    const { child, port } = await onFreePort(async (port) => {
      const args = [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--web.enable-otlp-receiver",
      ];
      return { child: await startChild(binary, { args, ready: /Server is ready/ }), port };
    });
    const base = `http://127.0.0.1:${port}`;
    const stop = async () => {
      await child.stop();
      await Deno.remove(folder, { recursive: true });
    };
    return { endpoint: `${base}/api/v1/otlp`, query: (expression) => query(base, expression), stop };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

async function query(base: string, expression: string): Promise<readonly PrometheusSeries[]> {
  const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const answer: { data?: { result: PrometheusSeries[] }; error?: string } = await response.json();
  if (answer.data === undefined) throw new Error(`Cannot query "${expression}": ${answer.error}`);
  return answer.data.result;
}
