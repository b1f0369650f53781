/**
 * Fans, voltages, power and energy of hwmon chips. Off by default.
 *
 *     /sys/class/hwmon/hwmon3/{fan1_input: 1187 (rpm), in0_input: 1012 (mV), power1_input: 4500000 (µW)}
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { findSensors, SensorPoll, SENSORS_REFRESH_MS } from "./sensors.ts";

type Words = readonly [name: string, unit: string, description: string, source: string];

const gauge = ([name, unit, description, source]: Words, valueType: "int" | "double"): Descriptor => ({
  name,
  kind: "gauge",
  unit,
  valueType,
  description,
  source,
});

const fanSpeed = gauge(
  ["hw.fan.speed", "rpm", "Speed of the fan", "/sys/class/hwmon/hwmon*/fan*_input"],
  "int",
);
const voltage = gauge(
  ["hw.voltage", "V", "Voltage measured by the sensor", "/sys/class/hwmon/hwmon*/in*_input, divided by 1000"],
  "double",
);
const power = gauge(
  [
    "hw.power",
    "W",
    "Power drawn by the component",
    "/sys/class/hwmon/hwmon*/power*_input, divided by 1000000",
  ],
  "double",
);
const energy: Descriptor = {
  name: "hw.energy",
  kind: "sum",
  monotonic: true,
  unit: "J",
  valueType: "double",
  description: "Energy used by the component",
  source: "/sys/class/hwmon/hwmon*/energy*_input, divided by 1000000",
};

const KINDS: readonly (readonly [kind: string, descriptor: Descriptor, divisor: number])[] = [
  ["fan", fanSpeed, 1],
  ["in", voltage, 1000],
  ["power", power, 1_000_000],
  ["energy", energy, 1_000_000],
];

/** Fans, voltages, power and energy of the host. */
export const hardware: Collector = {
  name: "hardware",
  on: false,
  descriptors: KINDS.map(([, descriptor]) => descriptor),
  prepare(host): Prepared {
    const found = KINDS.flatMap(([kind, descriptor, divisor]) =>
      findSensors(host, kind).map((sensor) => ({
        sensor,
        divisor,
        series: series(descriptor, sensor.attributes),
      }))
    );
    const poll = new SensorPoll(found.map(({ sensor }) => sensor));
    const targets = new Map(found.map(({ sensor, divisor, series }) => [sensor, { divisor, series }]));
    return {
      files: [],
      slowFiles: poll.files,
      refreshMs: SENSORS_REFRESH_MS,
      refresh: (read) => poll.refresh(read),
      collect(_texts, out) {
        for (const { sensor, raw, why } of poll.readings()) {
          const target: { divisor: number; series: Series } | undefined = targets.get(sensor);
          if (why !== undefined) out.omit(sensor.path, why);
          else if (raw !== undefined && target !== undefined) out.add(target.series, raw / target.divisor);
        }
        if (poll.left > 0) out.omit("hw.*", `${poll.left} sensors above the limit`);
      },
    };
  },
};
