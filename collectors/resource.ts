/**
 * Who is described: resource attributes of this host, read once before the drop (host-metrics 2, last paragraph).
 * Sources: /proc/sys/kernel/{hostname,osrelease,arch}, /etc/machine-id, /etc/os-release, device tree and DMI names.
 * @module
 */
import type { Host } from "./collector.ts";
import type { Attributes } from "./metric.ts";

/** The convention's names for the kernel's machine names (semantic conventions, host.arch). */
const ARCH: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv6l: "arm32",
  armv7l: "arm32",
  armv8l: "arm32",
  i386: "x86",
  i486: "x86",
  i586: "x86",
  i686: "x86",
  ppc64le: "ppc64",
};

/** Placeholders that firmware vendors leave in DMI fields. */
const DMI_PLACEHOLDER = /^(to be filled|default string|system product name|not specified|none|)$/i;

const HOST_ID = /^[0-9a-f]{32}$/;

function line(text: string | undefined): string | undefined {
  const first = text?.split(/[\n\0]/, 1)[0]?.trim();
  return first === undefined || first === "" ? undefined : first;
}

/** Parses os-release(5): `KEY=value` lines, values optionally quoted. */
export function parseOsRelease(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const row of text.split("\n")) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(row.trim());
    if (match === null) continue;
    const [, key = "", raw = ""] = match;
    const quoted = /^(["'])(.*)\1$/.exec(raw);
    values.set(key, (quoted?.[2] ?? raw).replace(/\\([$"'`\\])/g, "$1"));
  }
  return values;
}

/** The machine id, when it is one: 32 lower-case hex digits. */
export function machineId(host: Host): string | undefined {
  const id = line(host.read("/etc/machine-id")) ?? line(host.read("/var/lib/dbus/machine-id"));
  return id !== undefined && HOST_ID.test(id) ? id : undefined;
}

function hostType(host: Host): string | undefined {
  const model = line(host.read("/sys/firmware/devicetree/base/model")) ??
    line(host.read("/sys/class/dmi/id/product_name"));
  return model !== undefined && !DMI_PLACEHOLDER.test(model) ? model : undefined;
}

/** Attributes of `host.*` and `os.*`; what cannot be read is absent. `arch` is the kernel's machine name. */
export function hostResource(host: Host, arch: string): Attributes {
  const release = parseOsRelease(host.read("/etc/os-release") ?? host.read("/usr/lib/os-release") ?? "");
  const kernel = line(host.read("/proc/sys/kernel/osrelease"));
  const machine = line(host.read("/proc/sys/kernel/arch")) ?? arch;
  const found: Record<string, string | undefined> = {
    "host.name": line(host.read("/proc/sys/kernel/hostname")),
    "host.id": machineId(host),
    "host.arch": ARCH[machine] ?? machine,
    "host.type": hostType(host),
    "os.type": "linux",
    "os.name": release.get("NAME"),
    "os.version": release.get("VERSION_ID"),
    "os.description": release.get("PRETTY_NAME"),
    "os.build_id": release.get("BUILD_ID") ?? kernel,
  };
  const attributes: Record<string, string> = {};
  for (const [key, value] of Object.entries(found)) {
    if (value !== undefined && value !== "") attributes[key] = value;
  }
  return attributes;
}
