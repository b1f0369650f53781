/**
 * Wireless links: strength and quality as the driver reports them. Off by default.
 * Kernel: net/wireless/wext-proc.c.
 *
 *     wlan0: 0000   58.  -52.  -256        0      0      0      0     12        0
 *     name: status link level noise … (a point marks a value updated since the last read)
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { INTERFACES_MAX } from "./network_interfaces.ts";
import { decimal, fields, quote, wholeLines } from "./text.ts";

const signal: Descriptor = {
  name: "system.network.linux.wireless.signal",
  kind: "gauge",
  unit: "dBm",
  valueType: "double",
  description: "Strength of the received signal",
  source: "/proc/net/wireless column level; 8-bit readings above 63 are negative",
};
const quality: Descriptor = {
  name: "system.network.linux.wireless.quality",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Link quality on the driver's own scale",
  source: "/proc/net/wireless column link",
};

/** Two header lines stand above the table. */
const HEADER_LINES = 2;

function reading(token: string | undefined): number | undefined {
  return decimal(token?.replace(/\.$/, ""));
}

/** Wireless links of the host. */
export const wireless: Collector = {
  name: "wireless",
  on: false,
  descriptors: [signal, quality],
  prepare(host): Prepared {
    const known = new Map<string, readonly [Series, Series]>();
    const seriesOf = (name: string): readonly [Series, Series] => {
      const attributes = { "network.interface.name": name };
      // Interfaces come and go under new names: what is kept of them must not grow for ever.
      if (known.size > INTERFACES_MAX) known.clear();
      const made = known.get(name) ?? [series(signal, attributes), series(quality, attributes)] as const;
      known.set(name, made);
      return made;
    };
    return {
      files: [`${netFolder(host)}/wireless`],
      collect([text], out) {
        for (const line of wholeLines(text ?? "").slice(HEADER_LINES)) {
          const colon = line.indexOf(":");
          const [, link, level] = fields(line.slice(colon + 1));
          const [strength, quality] = [reading(level), reading(link)];
          if (colon < 0 || strength === undefined || quality === undefined) {
            out.fault(`Cannot parse wireless line ${quote(line)}: expected name, status, link and level`);
            continue;
          }
          const [signalSeries, qualitySeries] = seriesOf(line.slice(0, colon).trim());
          // Without a connection the driver leaves 0 there, which would be an impossibly strong signal.
          if (strength !== 0) out.add(signalSeries, strength > 63 ? strength - 256 : strength);
          out.add(qualitySeries, quality);
        }
      },
    };
  },
};
