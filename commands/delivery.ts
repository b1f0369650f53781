/**
 * The way out of the sensor: the courier with exactly its rights, and the encoders in front of it.
 * @module
 */
import { baselineFromJson, baselineToJson, toDelta } from "../collectors/delta.ts";
import type { Settings } from "../config/settings.ts";
import { makeFolder } from "../config/state_dir.ts";
import { CourierLink, type CourierPermissions, courierPermissions } from "../exporters/courier_link.ts";
import { type Derive, FanOut } from "../exporters/fan_out.ts";
import type { CourierStart, LogRecord } from "../exporters/messages.ts";
import { PRODUCT, VERSION } from "./build.ts";

/** The running courier, what it may touch, and what feeds it. */
export interface Delivery {
  readonly link: CourierLink;
  readonly fanOut: FanOut;
  readonly permissions: CourierPermissions;
}

export interface DeliveryOptions {
  /** Where the courier's code is; worker URLs are not rewritten when main is bundled. */
  readonly courierUrl: URL;
  /** Absent: nothing can be kept on disk. */
  readonly stateDir: string | undefined;
  readonly bootId: string;
  /** When this life began, nanoseconds since 1970. */
  readonly startedNs: bigint;
  readonly log: (record: LogRecord) => void;
  /** The courier is dead; the process must end with 70. */
  readonly dead: (why: string) => void;
}

function spoolOf({ spool }: Settings, stateDir: string | undefined): Pick<CourierStart, "spool"> {
  if (stateDir === undefined || spool.mode === "off") return {};
  const path = `${stateDir}/spool`;
  makeFolder(path);
  return { spool: { mode: spool.mode, path, bytesMax: spool.bytesMax } };
}

/** Deltas from a saved baseline on, which is true for its own boot only. */
function deltaOpener({ bootId, startedNs }: DeliveryOptions): (saved: string | undefined) => Derive {
  return (saved) => {
    let baseline = baselineFromJson(saved, bootId);
    return (snapshot) => {
      const derived = toDelta(snapshot, baseline, { sinceNs: startedNs });
      baseline = derived.baseline;
      return { snapshot: derived.snapshot, baseline: baselineToJson(baseline) };
    };
  };
}

/** Spawns the courier and resolves when it holds its spool; possible only before the drop. */
export async function openDelivery(settings: Settings, options: DeliveryOptions): Promise<Delivery> {
  const { lanes, queueBytesMax } = settings;
  const spool = spoolOf(settings, options.stateDir);
  const permissions = courierPermissions(lanes, spool.spool?.path);
  const link = new CourierLink(
    options.courierUrl,
    { type: "start", product: PRODUCT, lanes, queueBytesMax, ports: [], ...spool },
    { permissions, events: options, nowMs: () => performance.now() },
  );
  const { baselines = [] } = await link.ready;
  const fanOut = new FanOut(lanes, {
    scope: { name: "sonde", version: VERSION },
    send: (message) => link.send(message),
    baselines,
    openDelta: deltaOpener(options),
  });
  return { link, fanOut, permissions };
}
