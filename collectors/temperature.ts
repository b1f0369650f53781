/**
 * Temperatures of hwmon chips, else of thermal zones, with the limits the chips name.
 *
 *     /sys/class/hwmon/hwmon2/{temp1_input: 47774, temp1_max: 80000, temp1_crit: 100000}   (thousandths of a degree)
 * @module
 */
import type { Collector, Host, Prepared } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { findSensors, findThermalZones, type Sensor, SensorPoll, SENSORS_REFRESH_MS } from "./sensors.ts";
import { decimal, wholeValue } from "./text.ts";

const temperature: Descriptor = {
  name: "hw.temperature",
  kind: "gauge",
  unit: "Cel",
  valueType: "double",
  description: "Temperature of the sensor",
  source: "/sys/class/hwmon/hwmon*/temp*_input, else /sys/class/thermal/thermal_zone*/temp, divided by 1000",
};
const limit: Descriptor = {
  name: "hw.temperature.limit",
  kind: "gauge",
  unit: "Cel",
  valueType: "double",
  description: "Temperature at which the sensor's state changes",
  source: "/sys/class/hwmon/hwmon*/temp*_{max,crit,min,lcrit} at start, divided by 1000",
};

const LIMIT_FILES = [
  ["max", "high.degraded"],
  ["crit", "high.critical"],
  ["min", "low.degraded"],
  ["lcrit", "low.critical"],
] as const;
const MILLI = 1000;

/** Limits are set by firmware and read once. */
function limitsOf(host: Host, sensor: Sensor): (readonly [Series, number])[] {
  return LIMIT_FILES.flatMap(([suffix, type]) => {
    const value = decimal(wholeValue(host.read(`${sensor.stem}_${suffix}`)));
    if (value === undefined) return [];
    return [[series(limit, { ...sensor.attributes, "hw.limit_type": type }), value / MILLI] as const];
  });
}

/** Temperatures of the host. */
export const temperatures: Collector = {
  name: "temperature",
  descriptors: [temperature, limit],
  prepare(host): Prepared {
    const chips = findSensors(host, "temp");
    const poll = new SensorPoll(chips.length > 0 ? chips : findThermalZones(host));
    const targets = new Map(poll.sensors.map((sensor) => [sensor, series(temperature, sensor.attributes)]));
    const limits = poll.sensors.flatMap((sensor) => limitsOf(host, sensor));
    return {
      files: [],
      slowFiles: poll.files,
      refreshMs: SENSORS_REFRESH_MS,
      refresh: (read) => poll.refresh(read),
      collect(_texts, out) {
        for (const { sensor, raw, why } of poll.readings()) {
          const target = targets.get(sensor);
          if (why !== undefined) out.omit(sensor.path, why);
          else if (raw !== undefined && target !== undefined) out.add(target, raw / MILLI);
        }
        for (const [target, value] of limits) out.add(target, value);
        if (poll.left > 0) out.omit("hw.temperature", `${poll.left} sensors above the limit`);
      },
    };
  },
};
