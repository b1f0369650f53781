/**
 * The Collector's hostmetrics receiver and sonde on the same host at the same moment: sonde looks, the Collector
 * looks, sonde looks again. Every metric of the Collector agrees, or its difference is a row of
 * collector_differences.ts.
 */
import { assert, assertEquals } from "@std/assert";
import { collectors } from "../collectors/registry.ts";
import { CollectorChoice } from "../commands/collector_choice.ts";
import { openSensor, type Sensor } from "../commands/sensor.ts";
import { project } from "../exporters/naming.ts";
import { type Comparison, COMPARISONS } from "./collector_differences.ts";
import { collectorAbsence } from "./peers/collector.ts";
import { type CollectorPoint, startHostMetrics } from "./peers/host_metrics.ts";
import { peerTest } from "./peers/peer.ts";

/** Everything the Collector could have, and no device left out. */
function openEverything(): Sensor {
  const settings = {
    collectors: [{ on: true, pattern: "*" }],
    metrics: [{ on: true, pattern: "*" }],
    perCpu: false,
    diskExclude: [],
    networkExclude: [],
    filesystemExclude: [],
    filesystemTypes: [],
    sysctl: [],
    processesTop: 0,
    processesBy: "executable",
    root: "/",
  } as const;
  return openSensor(collectors(new CollectorChoice(settings)), settings, {
    namings: ["collector"],
    walks: true,
    clock: { wall: Date.now, mono: () => performance.now() },
    attributes: {},
    remembered: {},
  });
}

type Values = ReadonlyMap<string, number>;

const keyOf = (name: string, attributes: Readonly<Record<string, unknown>>): string =>
  name + JSON.stringify(Object.entries(attributes).map(([key, value]) => [key, String(value)]).sort());

/** sonde's values in the Collector's naming. */
function look(sensor: Sensor): Values {
  const values = new Map<string, number>();
  for (const { series, value, ended } of sensor.collect().points) {
    if (ended) continue;
    for (const { name, attributes } of project(series, "collector")) {
      values.set(keyOf(name, attributes), Number(value));
    }
  }
  return values;
}

/** Why a value of the Collector does not agree; undefined when it does. */
function disagreement(
  { agreement, unmatched = [] }: Comparison,
  point: CollectorPoint,
  [before, after]: readonly [Values, Values],
): string | undefined {
  const key = keyOf(point.name, point.attributes);
  const [first, second] = [before.get(key), after.get(key)];
  if (first === undefined || second === undefined) {
    const isExplained = Object.values(point.attributes).some((value) => unmatched.includes(value));
    return isExplained ? undefined : "sonde has no such point";
  }
  const said = `${point.value}, sonde ${first} and ${second}`;
  const [low, high] = [Math.min(first, second), Math.max(first, second)];
  switch (agreement.as) {
    case "between": {
      const value = point.value / (agreement.divisor ?? 1);
      // Pages are a whole number of sonde's, a fraction of the Collector's; ticks are cut to hundredths by both.
      const isInside = value >= low - 0.02 && value <= high + 0.02;
      return isInside || isKibibytes(point, value, [low, high]) ? undefined : `not between: ${said}`;
    }
    case "equal":
      return first === second && point.value === first ? undefined : `not equal: ${said}`;
    case "near": {
      const value = point.value / (agreement.divisor ?? 1);
      const slack = Math.max(agreement.slack ?? 0, agreement.share * Math.max(high, value));
      return value >= low - slack && value <= high + slack ? undefined : `not near: ${said}`;
    }
    case "range":
      // The Collector adds its shares up in doubles, and may end a rounding above the whole.
      return [point.value, first].every((value) => value >= 0 && value <= agreement.max + 1e-9)
        ? undefined
        : `out of range: ${said}`;
  }
}

/** Minor paging operations are KiB divided by the KiB of a page in sonde (host-metrics V15). */
function isKibibytes({ name, attributes }: CollectorPoint, value: number, [low, high]: readonly number[]) {
  const isMinor = name === "system.paging.operations" && attributes["type"] === "minor";
  const pages = value / 4;
  return isMinor && pages >= (low ?? 0) - 1 && pages <= (high ?? 0) + 1;
}

peerTest(
  "sonde and the Collector say the same of this host, or the table says why",
  collectorAbsence,
  async () => {
    const peer = await startHostMetrics();
    const sensor = openEverything();
    try {
      look(sensor);
      // Shares of CPU time need some to have passed on every CPU: an interval of the peer's lies between two looks.
      await peer.next();
      await peer.next();
      await sensor.refresh(5000);
      const before = look(sensor);
      const theirs = await peer.next();
      const after = look(sensor);
      const rows = new Map(COMPARISONS.map((comparison) => [comparison.collector, comparison]));
      const missing = new Set(theirs.map(({ name }) => name).filter((name) => !rows.has(name)));
      assertEquals([...missing], [], "metrics of the Collector without a row");
      const wrong = theirs.flatMap((point) => {
        const row = rows.get(point.name);
        const why = row === undefined ? undefined : disagreement(row, point, [before, after]);
        return why === undefined ? [] : [`${point.name} ${JSON.stringify(point.attributes)}: ${why}`];
      });
      assertEquals(wrong, []);
      assert(theirs.length > 80, `only ${theirs.length} points to compare`);
    } finally {
      await sensor.close();
      await peer.stop();
    }
  },
);
