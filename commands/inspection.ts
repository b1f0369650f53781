/**
 * What each part of a running agent holds and can still do: listed, and tried from inside (design 2).
 * @module
 */
import { type Probe, probe } from "../exporters/probe.ts";
import type { Agent } from "./agent.ts";
import { heldPermissions } from "./drop.ts";

/** One isolate. */
export interface PartReport {
  readonly part: "sensor" | "courier" | "receiver";
  /** Permissions still held; for the courier with what they are limited to. */
  readonly permissions: readonly string[];
  /** Kept files, foreign functions, ports and sockets. */
  readonly holds: readonly string[];
  readonly probes: readonly Probe[];
}

/** All parts of an agent. */
export interface Inspection {
  readonly pid: number;
  readonly parts: readonly PartReport[];
  /** Kept files were read again after the drop: how many, and how many failed. */
  readonly readable: { readonly files: number; readonly failed: number };
}

async function sensorReport({ sensor, settings }: Agent): Promise<PartReport> {
  const { files, symbols, processes } = sensor.holdings();
  const holds = [
    ...files,
    ...symbols.map((symbol) => `${symbol}(2) in libc`),
    ...processes,
    ...settings.controlSockets.slice(0, 1).map((path) => `listening on ${path}`),
    ...(settings.listen === undefined
      ? []
      : [`listening on ${settings.listen.hostname}:${settings.listen.port}`]),
  ];
  return { part: "sensor", permissions: heldPermissions(), holds, probes: await probe() };
}

async function courierReport({ delivery }: Agent): Promise<PartReport[]> {
  if (delivery === undefined) return [];
  const { net, folders, files, sockets, env } = delivery.permissions;
  const permissions = [
    ...net.map((entry) => `net ${entry}`),
    ...folders.flatMap((folder) => [`read ${folder}`, `write ${folder}`]),
    ...files.map((file) => `read ${file}`),
    ...sockets.map((path) => `net, read, write unix:${path}`),
    ...env.map((name) => `env ${name}`),
  ];
  return [{ part: "courier", permissions, holds: [], probes: await delivery.link.probe() }];
}

async function receiverReport({ delivery }: Agent): Promise<PartReport[]> {
  const receiver = delivery?.receiver;
  if (receiver === undefined) return [];
  return [{
    part: "receiver",
    permissions: [`net ${receiver.net}`],
    holds: [],
    probes: await receiver.probe(),
  }];
}

/** Looks at every part from inside. */
export async function inspect(agent: Agent): Promise<Inspection> {
  const snapshot = agent.sensor.reread();
  return {
    pid: Deno.pid,
    parts: [await sensorReport(agent), ...await courierReport(agent), ...await receiverReport(agent)],
    readable: snapshot,
  };
}
