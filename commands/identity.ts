/**
 * Who data is about: the host, the installation, and what the operator added. The same for every verb that sends.
 * @module
 */
import { hostRoot, openHost } from "../collectors/host.ts";
import type { Attributes } from "../collectors/metric.ts";
import { hostResource } from "../collectors/resource.ts";
import { machineParts, openInstance } from "../config/instance.ts";
import type { Settings } from "../config/settings.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { VERSION } from "./build.ts";

export interface IdentityOptions {
  /** Absent: the installation has no memory, and its id lives as long as this process. */
  readonly stateDir: string | undefined;
  readonly timeMs: number;
  readonly log: (record: LogRecord) => void;
}

/** This installation's id, made and stored in its first life. One caller at a time: two would each make one. */
export async function installationId({ stateDir, timeMs, log }: IdentityOptions): Promise<string> {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const { instance, notes } = await openInstance(stateDir, machineParts(), { timeMs, random });
  for (const event of notes) log({ level: "warn", event });
  return instance.uid;
}

/** service.* and what the operator added; the host's own attributes come from the host. */
export function installationAttributes(
  { resourceAttributes }: Pick<Settings, "resourceAttributes">,
  uid: string,
): Attributes {
  return {
    "service.name": "sonde",
    "service.version": VERSION,
    "service.instance.id": uid,
    ...resourceAttributes,
  };
}

/** The whole resource, for verbs that collect nothing. */
export function resourceOf(
  settings: Pick<Settings, "resourceAttributes" | "root" | "hostFolders">,
  uid: string,
): Attributes {
  const host = openHost(hostRoot(settings.root, settings.hostFolders), {
    statfs: () => Promise.resolve(undefined),
    fstat: () => undefined,
    adjtimex: () => undefined,
  });
  return { ...hostResource(host, Deno.build.arch), ...installationAttributes(settings, uid) };
}
