/**
 * The way out of the sensor: the courier with exactly its rights, and the encoders in front of it.
 * @module
 */
import { baselineFromJson, baselineToJson, toDelta } from "../collectors/delta.ts";
import type { Attributes } from "../collectors/metric.ts";
import type { Settings } from "../config/settings.ts";
import { makeFolder } from "../config/state_dir.ts";
import { CourierLink, type CourierPermissions, courierPermissions } from "../exporters/courier_link.ts";
import { type Derive, FanOut, type FanOutOptions } from "../exporters/fan_out.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { CourierStart, LogRecord } from "../exporters/messages.ts";
import type { NotifySocket } from "../exporters/notify.ts";
import type { ReceiverLink } from "../exporters/receiver_link.ts";
import { PRODUCT, VERSION } from "./build.ts";
import { openReceiver } from "./receiving.ts";

/** The running courier, what it may touch, and what feeds it. */
export interface Delivery {
  readonly link: CourierLink;
  readonly fanOut: FanOut;
  readonly receiver?: ReceiverLink;
  readonly permissions: CourierPermissions;
}

export interface DeliveryOptions {
  /** Where the courier's code is; worker URLs are not rewritten when main is bundled. */
  readonly courierUrl: URL;
  /** Absent: nothing can be kept on disk. */
  readonly stateDir: string | undefined;
  /** Files a reload may read again. */
  readonly files?: readonly string[];
  /** Present when a service manager wants to know how this life goes. */
  readonly notify?: NotifySocket | undefined;
  readonly bootId: string;
  /** When this life began, nanoseconds since 1970. */
  readonly startedNs: bigint;
  /** True for a life that ends by itself. */
  readonly isBrief?: boolean;
  /** Present when programs on this host may hand in data: who the host is. */
  readonly receives?: Attributes | undefined;
  readonly log: (record: LogRecord) => void;
  /** The courier is dead; the process must end with 70. */
  readonly dead: (why: string) => void;
}

function spoolOf({ spool }: Settings, { stateDir, isBrief }: DeliveryOptions): Pick<CourierStart, "spool"> {
  if (stateDir === undefined || spool.mode === "off") return {};
  const path = `${stateDir}/spool`;
  makeFolder(path);
  const leftover = isBrief ? { leftover: String(Deno.pid) } : {};
  return { spool: { mode: spool.mode, path, bytesMax: spool.bytesMax, ...leftover } };
}

/** Deltas from a saved baseline on, which is true for its own boot only. */
function deltaOpener(
  { bootId, startedNs }: Pick<DeliveryOptions, "bootId" | "startedNs">,
): (saved: string | undefined) => Derive {
  return (saved) => {
    let baseline = baselineFromJson(saved, bootId);
    return (snapshot) => {
      const derived = toDelta(snapshot, baseline, { sinceNs: startedNs });
      baseline = derived.baseline;
      return { snapshot: derived.snapshot, baseline: baselineToJson(baseline) };
    };
  };
}

/** The encoders in front of whatever takes their batches. */
export function openFanOut(
  lanes: readonly LaneConfig[],
  options: Pick<DeliveryOptions, "bootId" | "startedNs"> & Pick<FanOutOptions, "baselines" | "send">,
): FanOut {
  const { baselines, send } = options;
  const scope = { name: "sonde", version: VERSION };
  return new FanOut(lanes, { scope, send, baselines, openDelta: deltaOpener(options) });
}

/** Spawns the courier and resolves when it holds its spool; possible only before the drop. */
export async function openDelivery(settings: Settings, options: DeliveryOptions): Promise<Delivery> {
  const { lanes, queueBytesMax } = settings;
  const spool = spoolOf(settings, options);
  const channel = options.receives === undefined ? undefined : new MessageChannel();
  const permissions = courierPermissions(lanes, spool.spool?.path, options);
  const link = new CourierLink(
    options.courierUrl,
    {
      type: "start",
      product: PRODUCT,
      lanes,
      queueBytesMax,
      ports: channel ? [channel.port1] : [],
      ...spool,
      ...(options.notify === undefined ? {} : { notify: options.notify }),
    },
    { permissions, events: options, nowMs: () => performance.now() },
  );
  const { baselines = [] } = await link.ready;
  const fanOut = openFanOut(lanes, { ...options, baselines, send: (message) => link.send(message) });
  if (channel === undefined || options.receives === undefined) return { link, fanOut, permissions };
  const receiver = await openReceiver(settings, {
    ...options,
    resource: options.receives,
    courierPort: channel.port2,
  });
  return { link, fanOut, permissions, ...(receiver === undefined ? {} : { receiver }) };
}
