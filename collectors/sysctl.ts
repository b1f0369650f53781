/**
 * Kernel parameters the operator names (`SONDE_SYSCTL`), each a gauge of its own. Any file below /proc/sys with one
 * or several whole numbers will do; several are told apart by their position.
 *
 *     net.ipv4.tcp_rmem: 4096 131072 6291456
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { fields, quote, unsigned } from "./text.ts";

/** What the operator decides. */
export interface SysctlOptions {
  /** Names as sysctl(8) takes them: "vm.swappiness", or "net/ipv4/conf/eth0.5/mtu" where a part has a dot. */
  readonly sysctl?: readonly string[];
}

const KEY = /^[A-Za-z0-9_-]+([./][A-Za-z0-9_.:@-]+)*$/;
/** Numbers in one file that are reported; none of the kernel's vectors is longer. */
const VALUES_MAX = 32;
const INT64_MAX = 2n ** 63n - 1n;

/** One parameter with the series of its numbers, made as they appear. */
interface Parameter {
  readonly key: string;
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly only: Series;
  readonly several: Map<number, Series>;
}

/** Turns a name into a file. Throws RangeError for what is no name of a parameter. */
function parameterOf(name: string): Parameter {
  // As in sysctl(8), whichever separator comes first separates; the other one is part of a name.
  const hasSlashes = /^[^.]*\//.test(name);
  const parts = name.split(hasSlashes ? "/" : ".");
  if (!KEY.test(name) || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new RangeError(`Cannot use kernel parameter "${name}": expected a name such as "vm.swappiness"`);
  }
  const relative = parts.join("/");
  const key = relative.replaceAll("/", ".");
  const path = `/proc/sys/${relative}`;
  const descriptor: Descriptor = {
    name: `system.kernel.linux.sysctl.${key}`,
    kind: "gauge",
    unit: "1",
    valueType: "int",
    description: `Kernel parameter ${key}`,
    source: `${path}, as it is`,
  };
  return { key, path, descriptor, only: series(descriptor), several: new Map() };
}

/** A whole number with an optional minus. */
function integer(token: string): number | bigint | undefined {
  const size = unsigned(token.replace(/^-/, ""));
  if (size === undefined || size > INT64_MAX) return undefined;
  return token.startsWith("-") ? -size : size;
}

function collectParameter(parameter: Parameter, text: string, out: Recorder): void {
  const numbers = text.endsWith("\n") ? fields(text).slice(0, VALUES_MAX).map(integer) : [];
  if (numbers.length === 0 || numbers.includes(undefined)) {
    out.omit(parameter.descriptor.name, `${quote(text.trim())} is not a number`);
    return;
  }
  for (const [at, value] of numbers.entries()) {
    if (value === undefined) continue;
    out.add(numbers.length === 1 ? parameter.only : seriesAt(parameter, at), value);
  }
}

function seriesAt(parameter: Parameter, at: number): Series {
  let one = parameter.several.get(at);
  if (one === undefined) {
    one = series(parameter.descriptor, { "system.kernel.linux.sysctl.index": at });
    parameter.several.set(at, one);
  }
  return one;
}

/** Kernel parameters. Throws RangeError for a name that cannot be one. */
export function sysctl(options: SysctlOptions = {}): Collector {
  const parameters = [...new Set(options.sysctl ?? [])].map(parameterOf);
  return {
    name: "sysctl",
    descriptors: parameters.map(({ descriptor }) => descriptor),
    prepare: () => ({
      files: parameters.map(({ path }) => path),
      collect(texts, out) {
        for (const [at, parameter] of parameters.entries()) {
          const text = texts[at];
          if (text === undefined) out.omit(parameter.descriptor.name, `"${parameter.path}" cannot be read`);
          else collectParameter(parameter, text, out);
        }
      },
    }),
  };
}
