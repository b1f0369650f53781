/**
 * The way out of the sensor: the courier with exactly its rights, and the encoders in front of it.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import { OPAMP_ENVIRONMENT } from "../config/opamp_environment.ts";
import { filesOf } from "../config/opamp_settings.ts";
import type { Settings } from "../config/settings.ts";
import { makeFolder } from "../config/state_dir.ts";
import {
  CourierLink,
  type CourierPermissions,
  courierPermissions,
  type OpampPermissions,
} from "../exporters/courier_link.ts";
import type { FanOut, FanOutOptions } from "../exporters/fan_out.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { NotifySocket } from "../exporters/notify.ts";
import type { ReceiverLink } from "../exporters/receiver_link.ts";
import { PRODUCT } from "./build.ts";
import type { DeltaOrigin } from "./encoding.ts";
import type { ReceivingOptions } from "./receiving.ts";
import { spoolPlace } from "./spool_place.ts";
import { prepareNetwork } from "./network_environment.ts";

/** The running courier, what it may touch, and what feeds it. */
export interface Delivery {
  readonly link: CourierLink;
  readonly fanOut: FanOut;
  readonly receiver?: ReceiverLink;
  readonly permissions: CourierPermissions;
}

/** What delivery has to know of the host. */
export interface HostFacts extends DeltaOrigin {
  /** Who the host is, for data that other programs hand in. */
  readonly resource: Attributes;
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
  /** Present when the courier shall host an OpAMP session. */
  readonly opamp?: MessagePort | undefined;
  /** The installation's id. */
  readonly installation: Promise<string>;
  /** What is known once the host's files are open; the courier starts meanwhile. */
  readonly host: HostFacts | Promise<HostFacts>;
  /** True for a life that ends by itself. */
  readonly isBrief?: boolean;
  /** True: programs on this host may hand in data, when `SONDE_RECEIVE` says where. */
  readonly receives?: boolean | undefined;
  readonly log: (record: LogRecord) => void;
  /** The courier is dead; the process must end with 70. */
  readonly dead: (why: string) => void;
}

/** What the OpAMP session may touch beside the courier's own things: its server, its files, its memory. */
function opampPermissions(
  { opamp }: Settings,
  { stateDir, opamp: port }: CourierOptions,
): OpampPermissions | undefined {
  if (opamp === undefined || port === undefined) return undefined;
  const { endpoint, allowedOrigins, openings: { connectionSettings, ownTelemetry = [] } } = opamp;
  const mayMove = connectionSettings === "allowlist" || ownTelemetry.length > 0;
  if (stateDir !== undefined) makeFolder(`${stateDir}/remote`);
  const written = ["remote", "instance.json", "instance.json.tmp"];
  return {
    urls: [endpoint, ...mayMove ? allowedOrigins : []],
    folders: stateDir === undefined ? [] : written.map((name) => `${stateDir}/${name}`),
    // The folder itself is opened to be synced.
    files: [...filesOf(opamp), ...stateDir === undefined ? [] : [stateDir]],
    env: OPAMP_ENVIRONMENT,
  };
}

/**
 * Loaded while the courier starts, and not before: the runtime loads every path that it can read off at once. Whoever
 * has no courier loads them before the drop; afterwards they are there.
 */
export function loadEncoders(): Promise<typeof import("./encoding.ts")> {
  return import("./encoding.ts" satisfies string);
}

/** The encoders in front of whatever takes their batches. */
export async function openFanOut(
  lanes: readonly LaneConfig[],
  options: DeltaOrigin & Pick<FanOutOptions, "baselines" | "send">,
): Promise<FanOut> {
  const { newFanOut } = await loadEncoders();
  return newFanOut(lanes, options);
}

/** The receiver, loaded only where one is wanted. */
async function receiverOf(
  settings: Settings,
  options: ReceivingOptions,
): Promise<Pick<Delivery, "receiver">> {
  if (settings.receive === undefined) return {};
  const { openReceiver }: typeof import("./receiving.ts") = await import("./receiving.ts" satisfies string);
  const receiver = await openReceiver(settings, options);
  return receiver === undefined ? {} : { receiver };
}

/** What the courier itself has to be told. */
export interface CourierOptions extends Omit<DeliveryOptions, "host" | "receives" | "installation"> {
  /** Goes out as `x-agent-id` on the lanes that want one. */
  readonly agentId?: string;
}

/** Spawns the courier alone, for verbs that bring their batches themselves. Until it is `ready` permissions must stay. */
export function openCourier(
  settings: Settings,
  options: CourierOptions,
  ports: readonly MessagePort[] = [],
): Pick<Delivery, "link" | "permissions"> {
  const { lanes, queueBytesMax } = settings;
  prepareNetwork(options.log);
  const spool = spoolPlace(settings, options);
  const opamp = opampPermissions(settings, options);
  const permissions = courierPermissions(lanes, spool.spool?.path, { ...options, opamp });
  const link = new CourierLink(
    options.courierUrl,
    {
      type: "start",
      product: PRODUCT,
      lanes,
      queueBytesMax,
      ports,
      ...spool,
      ...(options.agentId === undefined ? {} : { agentId: options.agentId }),
      ...(options.opamp === undefined ? {} : { opamp: options.opamp }),
      ...(options.notify === undefined ? {} : { notify: options.notify }),
    },
    { permissions, events: options, nowMs: () => performance.now() },
  );
  return { link, permissions };
}

/** Spawns the courier and resolves when it holds its spool; possible only before the drop. */
export async function openDelivery(settings: Settings, options: DeliveryOptions): Promise<Delivery> {
  const { lanes } = settings;
  const channel = options.receives ? new MessageChannel() : undefined;
  // Reading the id takes as long as the courier's first breath: only those who send it wait for it.
  const id = lanes.some(({ sendsAgentId }) => sendsAgentId) ? { agentId: await options.installation } : {};
  const { link, permissions } = openCourier(settings, { ...options, ...id }, channel ? [channel.port1] : []);
  const [{ baselines = [] }, host] = await Promise.all([link.ready, options.host, loadEncoders()]);
  const fanOut = await openFanOut(lanes, { ...host, baselines, send: (message) => link.send(message) });
  if (channel === undefined) return { link, fanOut, permissions };
  const { resource } = host;
  const receiver = await receiverOf(settings, { ...options, resource, courierPort: channel.port2 });
  return { link, fanOut, permissions, ...receiver };
}
