/**
 * The loopback receiver of `SONDE_RECEIVE`: started with its port and told what each lane takes.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Settings } from "../config/settings.ts";
import type { Temporality } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { presetNamed } from "../exporters/presets/registry.ts";
import { type ResourceCopies, withCopies } from "../exporters/resource_copies.ts";
import { ReceiverLink } from "../exporters/receiver_link.ts";
import { ReceiverError } from "./receiver_error.ts";
import { workerUrl } from "./workers.ts";

export interface ReceivingOptions {
  /** sonde's own resource: what of it describes the host is added to what is received. */
  readonly resource: Attributes;
  readonly courierPort: MessagePort;
  readonly log: (record: LogRecord) => void;
  readonly dead: (why: string) => void;
}

/** What describes the host, also under the keys by which a destination goes. */
function hostAttributes(resource: Attributes, lanes: readonly LaneConfig[]): Attributes {
  const host = Object.fromEntries(Object.entries(resource).filter(([key]) => /^(host|os)\./.test(key)));
  const copies: ResourceCopies = Object.assign({}, ...lanes.map(({ resourceCopies }) => resourceCopies));
  const given = Object.keys(copies).flatMap((key) => {
    const value = resource[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return withCopies({ ...host, ...Object.fromEntries(given) }, copies);
}

function temporalitiesOf({ preset, temporality }: LaneConfig): readonly Temporality[] {
  return presetNamed(preset)?.temporalities ?? [temporality];
}

/** Starts the receiver and resolves when it listens. Rejects with the reason when the address cannot be had. */
export async function openReceiver(
  settings: Settings,
  options: ReceivingOptions,
): Promise<ReceiverLink | undefined> {
  const { receive, lanes, destinations } = settings;
  if (receive === undefined) return undefined;
  const link = new ReceiverLink(workerUrl("receiver"), {
    ...receive,
    lanes,
    destinations: destinations.map(({ name }) => name),
    temporalities: temporalitiesOf,
    resource: hostAttributes(options.resource, lanes),
    courierPort: options.courierPort,
    log: options.log,
    dead: options.dead,
    nowMs: () => performance.now(),
  });
  try {
    await link.listening;
  } catch (error) {
    throw new ReceiverError(link.net, error);
  }
  return link;
}
