/**
 * Power: charge of batteries and UPSs that feed this host, and the supply voltage alarm of a Raspberry Pi. Present
 * only where the hardware is. Kernel: Documentation/ABI/testing/sysfs-class-power, drivers/hwmon/raspberrypi-hwmon.c.
 *
 *     /sys/class/power_supply/BAT0/{type: Battery, capacity: 87, time_to_empty_now: 7200}
 *     /sys/class/hwmon/hwmon1/{name: rpi_volt, in0_lcrit_alarm: 0}
 * @module
 */
import type { Collector, FileReader, Host, Prepared, Recorder } from "./collector.ts";
import { type Attributes, type Descriptor, type Series, series } from "./metric.ts";
import { findSensors, SENSORS_REFRESH_MS } from "./sensors.ts";
import { SlowRead } from "./slow_read.ts";
import { count, quote, wholeValue } from "./text.ts";

const charge: Descriptor = {
  name: "hw.battery.charge",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of the battery's charge that is left",
  source: "/sys/class/power_supply/*/capacity, divided by 100",
};
const timeLeft: Descriptor = {
  name: "hw.battery.time_left",
  kind: "gauge",
  unit: "s",
  valueType: "double",
  description: "Time until the battery is empty",
  source: "/sys/class/power_supply/*/time_to_empty_now",
};
const status: Descriptor = {
  name: "hw.status",
  kind: "sum",
  monotonic: false,
  unit: "1",
  valueType: "int",
  description: "1 for the state the component is in, 0 for the others",
  source: "hwmon rpi_volt in0_lcrit_alarm: 1 is degraded, the supply voltage is too low",
};

const SUPPLIES = "/sys/class/power_supply";
const LIMIT_MS = 1000;
const SUPPLIES_MAX = 16;

/** One kept file and what its number becomes. */
interface Figure {
  readonly path: string;
  readonly text: SlowRead<string>;
  readonly add: (value: number, out: Recorder) => void;
}

function batteries(host: Host): Figure[] {
  const feedsHost = (name: string): boolean => {
    const type = wholeValue(host.read(`${SUPPLIES}/${name}/type`));
    // Mice and headsets have batteries too; their scope says so.
    return (type === "Battery" || type === "UPS") &&
      wholeValue(host.read(`${SUPPLIES}/${name}/scope`)) !== "Device";
  };
  return host.list(SUPPLIES).filter(feedsHost).slice(0, SUPPLIES_MAX).flatMap((name) => {
    const attributes = {
      "hw.id": name,
      "hw.name": wholeValue(host.read(`${SUPPLIES}/${name}/model_name`)) || name,
    };
    const [charged, left] = [series(charge, attributes), series(timeLeft, attributes)];
    const figures: Figure[] = [
      figure(`${SUPPLIES}/${name}/capacity`, (value, out) => value <= 100 && out.add(charged, value / 100)),
      figure(`${SUPPLIES}/${name}/time_to_empty_now`, (value, out) => out.add(left, value)),
    ];
    return figures.filter(({ path }) => host.exists(path));
  });
}

function figure(path: string, add: (value: number, out: Recorder) => unknown): Figure {
  return { path, text: new SlowRead(), add: (value, out) => void add(value, out) };
}

function supplyAlarms(host: Host): Figure[] {
  const alarms = findSensors(host, "in", "lcrit_alarm").filter(({ attributes }) =>
    attributes["hw.name"] === "rpi_volt"
  );
  return alarms.map((sensor) => {
    const [ok, degraded] = statusSeries(status, { ...sensor.attributes, "hw.type": "voltage" });
    return figure(sensor.path, (value, out) => {
      out.add(ok, value === 0 ? 1 : 0);
      out.add(degraded, value === 0 ? 0 : 1);
    });
  });
}

/** The two states of a component that is well or is not. */
export function statusSeries(
  descriptor: Descriptor,
  attributes: Attributes,
): readonly [ok: Series, degraded: Series] {
  return [
    series(descriptor, { ...attributes, "hw.state": "ok" }),
    series(descriptor, { ...attributes, "hw.state": "degraded" }),
  ];
}

/** Batteries and supply voltage of the host. */
export const powerSupply: Collector = {
  name: "power_supply",
  descriptors: [charge, timeLeft, status],
  prepare(host): Prepared {
    const figures = [...batteries(host), ...supplyAlarms(host)];
    return {
      files: [],
      slowFiles: figures.map(({ path }) => path),
      refreshMs: SENSORS_REFRESH_MS,
      refresh: async (read: FileReader) => {
        for (const { path, text } of figures) await text.ask(() => read(path), LIMIT_MS);
      },
      collect(_texts, out) {
        for (const { path, text, add } of figures) {
          const value = count(wholeValue(text.value));
          if (value !== undefined) add(value, out);
          else if (text.isStuck) out.omit(path, `does not answer within ${LIMIT_MS / 1000} s`);
          // ENODATA is how a supply says that it does not know this figure now.
          else if (text.failure !== undefined) out.omit(path, text.failure);
          else if (text.value !== undefined) {
            out.fault(`Cannot parse number ${quote(text.value)} of "${path}"`);
          }
        }
      },
    };
  },
};
