/**
 * Sensors of hwmon chips and thermal zones: found before the drop, read beside the cycle. A sensor may take a
 * second on a slow bus, answer with an error for years, or hang; each has its own budget and is asked ever more
 * rarely while it fails (host-metrics P28, P29). Kernel: Documentation/hwmon/sysfs-interface.rst.
 *
 *     /sys/class/hwmon/hwmon2/{name: coretemp, temp1_label: Package id 0, temp1_input: 47774}
 * @module
 */
import type { FileReader, Host } from "./collector.ts";
import type { Attributes } from "./metric.ts";
import { SlowRead } from "./slow_read.ts";
import { wholeValue } from "./text.ts";

/** Most sensors of one kind; the rest is named in one omission. */
export const SENSORS_MAX = 64;
/** How often sensors are read, and how long one may take. */
export const SENSORS_REFRESH_MS = 10_000;
const LIMIT_MS = 1000;
/** Ten minutes between two questions at most. */
const SKIPPED_TURNS_MAX = 60;

/** One input file of a chip. */
export interface Sensor {
  /** Its value now. */
  readonly path: string;
  /** The same without "_input": where its limits and label stand. */
  readonly stem: string;
  readonly attributes: Attributes;
}

const HWMON = "/sys/class/hwmon";

/** Where a device stands, which stays the same over restarts while hwmon numbers do not. */
function deviceOf(host: Host, chip: string, name: string): string {
  const link = host.link(`${chip}/device`) ?? host.link(chip);
  const device = link?.split("/").filter((part) => part !== ".." && !/^hwmon\d*$/.test(part)).pop();
  return device === undefined || device === "hwmon" ? name : device;
}

/** Every `<kind>N_input` (or another suffix) of all chips, in a stable order. */
export function findSensors(host: Host, kind: string, suffix = "input"): Sensor[] {
  const pattern = new RegExp(`^${kind}\\d+_${suffix}$`);
  const sensors: Sensor[] = [];
  const taken = new Map<string, string>();
  for (const entry of host.list(HWMON)) {
    const chip = `${HWMON}/${entry}`;
    const name = wholeValue(host.read(`${chip}/name`)) ?? entry;
    const device = deviceOf(host, chip, name);
    for (const file of host.list(chip).filter((file) => pattern.test(file))) {
      const stem = file.slice(0, -suffix.length - 1);
      const plain = `${name}_${device}_${stem}`;
      // Two chips on one device collide: only then does the unstable number have to tell them apart.
      const id = taken.has(plain) && taken.get(plain) !== entry ? `${plain}_${entry}` : plain;
      taken.set(plain, entry);
      const label = wholeValue(host.read(`${chip}/${stem}_label`));
      sensors.push({
        path: `${chip}/${file}`,
        stem: `${chip}/${stem}`,
        attributes: {
          "hw.id": id,
          "hw.name": name,
          ...(label === undefined || label === "" ? {} : { "hw.sensor_location": label }),
          ...(device === name ? {} : { "hw.parent": device }),
        },
      });
    }
  }
  return sensors;
}

/** Thermal zones, for hosts whose chips have no hwmon files. */
export function findThermalZones(host: Host): Sensor[] {
  const folder = "/sys/class/thermal";
  return host.list(folder).filter((entry) => /^thermal_zone\d+$/.test(entry)).map((entry) => {
    const type = wholeValue(host.read(`${folder}/${entry}/type`)) ?? entry;
    const attributes = { "hw.id": entry, "hw.name": type };
    return { path: `${folder}/${entry}/temp`, stem: `${folder}/${entry}/temp`, attributes };
  });
}

/** One sensor's readings and how rarely it is asked. */
class Polled {
  readonly sensor: Sensor;
  readonly text: SlowRead<string> = new SlowRead();
  #skip = 0;
  #skipped = 0;

  constructor(sensor: Sensor) {
    this.sensor = sensor;
  }

  /** Asks unless it is this sensor's turn to be left out; failures double the number of turns left out. */
  async ask(read: FileReader): Promise<void> {
    if (this.#skipped < this.#skip) {
      this.#skipped++;
      return;
    }
    this.#skipped = 0;
    await this.text.ask(() => read(this.sensor.path), LIMIT_MS);
    const isBad = this.text.value === undefined;
    this.#skip = isBad ? Math.min(SKIPPED_TURNS_MAX - 1, this.#skip * 2 + 1) : 0;
  }
}

/** What one sensor says now. */
export interface Reading {
  readonly sensor: Sensor;
  /** The file's number as it stands there; undefined when there is none to trust. */
  readonly raw: number | undefined;
  /** Why there is none. */
  readonly why: string | undefined;
}

const WHOLE_NUMBER = /^-?\d{1,15}$/;

/** All sensors of a collector. */
export class SensorPoll {
  readonly #polled: readonly Polled[];
  /** Sensors left out by the limit. */
  readonly left: number;

  constructor(sensors: readonly Sensor[]) {
    this.#polled = sensors.slice(0, SENSORS_MAX).map((sensor) => new Polled(sensor));
    this.left = Math.max(0, sensors.length - SENSORS_MAX);
  }

  /** Files to keep open. */
  get files(): string[] {
    return this.#polled.map(({ sensor }) => sensor.path);
  }

  get sensors(): Sensor[] {
    return this.#polled.map(({ sensor }) => sensor);
  }

  /** Reads the sensors one after another: those of one bus would wait for each other anyway. */
  async refresh(read: FileReader): Promise<void> {
    for (const polled of this.#polled) await polled.ask(read);
  }

  /** The last readings. No figure is too odd to be reported; an error is never reported as 0. */
  readings(): Reading[] {
    return this.#polled.map(({ sensor, text }) => {
      if (text.isStuck) return { sensor, raw: undefined, why: `does not answer within ${LIMIT_MS / 1000} s` };
      const value = wholeValue(text.value);
      if (value !== undefined && WHOLE_NUMBER.test(value)) {
        return { sensor, raw: Number(value), why: undefined };
      }
      return {
        sensor,
        raw: undefined,
        why: text.failure ?? (text.value === undefined ? undefined : "not a number"),
      };
    });
  }
}
