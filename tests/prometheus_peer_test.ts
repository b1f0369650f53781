/**
 * A real Prometheus as the judge of what arrives: every value that `once` printed is queried back under the name its
 * OTLP receiver gives it (vendors.md section 4).
 */
import { assert, assertEquals } from "@std/assert";
import { peerTest } from "./peers/peer.ts";
import { type Prometheus, prometheusAbsence, startPrometheus } from "./peers/prometheus.ts";
import { inFolder, sonde } from "./program.ts";

interface Printed {
  readonly name: string;
  readonly unit: string;
  readonly type: string;
  readonly monotonic: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly value: string | number;
}

const SUFFIXES: Readonly<Record<string, string>> = { By: "bytes", s: "seconds" };

/** The series' name and labels as the receiver translates them. */
function expression({ name, unit, monotonic, attributes }: Printed): string {
  const escaped = (text: string) => text.replaceAll(/[^A-Za-z0-9_]/g, "_");
  const labels = Object.entries(attributes).map(([key, value]) =>
    `${escaped(key)}=${JSON.stringify(String(value))}`
  );
  // A counter's "total" goes to the end, wherever it stood.
  const words = escaped(name).split("_").filter((word) => !(monotonic && word === "total"));
  const all = [...words, SUFFIXES[unit], monotonic ? "total" : undefined].filter((word) =>
    word !== undefined
  );
  return `${all.join("_")}{${labels.join(",")}}`;
}

/** One query for each metric whose name has no further rule. */
async function assertArrived(prometheus: Prometheus, points: readonly Printed[]): Promise<number> {
  let compared = 0;
  for (
    const point of points.filter(({ unit, type }) => SUFFIXES[unit] !== undefined && type !== "histogram")
  ) {
    const [series, ...others] = await prometheus.query(expression(point));
    assert(series !== undefined && others.length === 0, expression(point));
    assertEquals(Number(series.value[1]), Number(point.value), expression(point));
    assertEquals(series.metric["job"], "sonde");
    compared++;
  }
  return compared;
}

peerTest("a real Prometheus gives back every value that once printed", prometheusAbsence, async () => {
  const prometheus = await startPrometheus();
  try {
    await inFolder(async (folder) => {
      const env = { SONDE_PRESET: "prometheus", SONDE_ENDPOINT: prometheus.endpoint };
      const { code, stdout, stderr } = await sonde(folder, ["once", "--format", "json"], { env });
      assertEquals(code, 0, stderr);
      const { points, resource } = JSON.parse(stdout);
      assert(await assertArrived(prometheus, points) > 30);
      const [target] = await prometheus.query('target_info{job="sonde"}');
      assertEquals(target?.metric["host_name"], resource["host.name"]);
      assertEquals(target?.metric["instance"], resource["service.instance.id"]);
    });
  } finally {
    await prometheus.stop();
  }
});

peerTest("a real Prometheus answers delta with 500, and once says so", prometheusAbsence, async () => {
  const prometheus = await startPrometheus();
  try {
    await inFolder(async (folder) => {
      const env = {
        SONDE_ENDPOINT: prometheus.endpoint,
        SONDE_TEMPORALITY: "delta",
        SONDE_SHUTDOWN_TIMEOUT: "1s",
      };
      const first = await sonde(folder, ["once"], { env });
      assertEquals(first.code, 0, first.stderr);
      const { code, stderr } = await sonde(folder, ["once"], { env });
      assertEquals(code, 69, stderr);
      assert(/500.*temporality/.test(stderr), stderr);
    });
  } finally {
    await prometheus.stop();
  }
});
