/**
 * sonde's telemetry about itself on its way to where the OpAMP server says (opamp 3.8): delivered like all data, but
 * from memory alone and within a bound of its own. What it has to say of itself is never part of what it sends.
 * @module
 */
import type { BatchMessage, Signal } from "../exporters/batch.ts";
import type { FlushOptions } from "../exporters/drive.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { LaneReport } from "../exporters/report.ts";
import { type TelemetryOffer, withOffers } from "./opamp_offer.ts";
import { addReports } from "./opamp_own_account.ts";
import type { OwnReport } from "./opamp_port.ts";

/** Delivery as the courier lends it: a bounded memory, no disk. */
export interface OwnDelivery {
  accept(message: BatchMessage): Promise<void>;
  flush(options: FlushOptions): Promise<unknown>;
  report(): readonly LaneReport[];
}

/** What it is made of. */
export interface OwnParts {
  readonly open: (lanes: readonly LaneConfig[], log: (record: LogRecord) => void) => Promise<OwnDelivery>;
  /** Of the link: authorities to trust and the proxy; asked when a destination is opened. */
  readonly transport: () => Pick<LaneConfig["transport"], "caCerts" | "proxy">;
  /** The sensor shall make batches for these lanes from now on. */
  readonly feed: (lanes: readonly LaneConfig[]) => void;
  /** For lines that are not to be sent. */
  readonly log: (record: LogRecord) => void;
}

/** No lane of the operator's can have this name: it is the first word of keys. */
export const OWN_DESTINATION = "opamp";

const MIB = 1_048_576;

function laneOf({ signal, endpoint, headers }: TelemetryOffer, { transport }: OwnParts): LaneConfig {
  return {
    ...{ destination: OWN_DESTINATION, signal, preset: "otlp", url: endpoint, headers },
    ...{ encoding: "protobuf", compression: "gzip", naming: "semconv", temporality: "cumulative" },
    ...{ timeoutMs: 10_000, batchBytesMax: MIB, batchItemsMax: 1_000, maxAgeMs: 3_600_000 },
    transport: { ...transport(), insecure: false },
    retry: { profile: "otlp", retryAfterMaxMs: 300_000 },
  };
}

/** What the sensor has to know of a lane: neither headers nor certificates. */
function bare(lane: LaneConfig): LaneConfig {
  return { ...lane, headers: {}, transport: { caCerts: [], insecure: false } };
}

function sameOffers(a: readonly TelemetryOffer[], b: readonly TelemetryOffer[]): boolean {
  const text = (offers: readonly TelemetryOffer[]) =>
    JSON.stringify(offers.toSorted((one, other) => one.signal < other.signal ? -1 : 1));
  return text(a) === text(b);
}

/** Own telemetry of one session. */
export class OwnTelemetry {
  readonly #parts: OwnParts;
  #offers: readonly TelemetryOffer[] = [];
  #delivery: OwnDelivery | undefined;
  /** Of earlier destinations: still closing, and closed. */
  readonly #ending = new Set<OwnDelivery>();
  #past: readonly LaneReport[] = [];
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(parts: OwnParts) {
    this.#parts = parts;
  }

  /** Takes offers; signals that are not among them go on as before, withdrawn ones end. */
  take(offers: readonly TelemetryOffer[]): void {
    const next = withOffers(this.#offers, offers);
    // The same again, under another hash: what waits is not given up for it.
    if (sameOffers(next, this.#offers)) return;
    this.#offers = next;
    this.#changing = this.#changing.then(() => this.#open(this.#offers));
  }

  /** Of the sensor. What comes when there is no destination any more goes nowhere. */
  accept(batch: BatchMessage): void {
    void this.#delivery?.accept(batch);
  }

  /** The account of each signal over all its destinations. */
  report(): readonly OwnReport[] {
    const ending = [...this.#ending].map((delivery) => delivery.report());
    const lanes = addReports([this.#past, ...ending, this.#delivery?.report() ?? []]);
    const endpointOf = (signal: Signal) =>
      this.#offers.find((offer) => offer.signal === signal)?.endpoint ?? "";
    return lanes.map((lane) => ({ ...lane, endpoint: endpointOf(lane.signal) }));
  }

  /** Sends what it can within the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#changing;
    await this.#delivery?.flush({ deadlineMs, final: true, brief: false });
    this.#delivery = undefined;
  }

  /** What waits for a destination that is none any more is not worth a wait. */
  async #end(delivery: OwnDelivery | undefined): Promise<void> {
    if (delivery === undefined) return;
    this.#ending.add(delivery);
    await delivery.flush({ deadlineMs: 0, final: true, brief: false });
    this.#ending.delete(delivery);
    this.#past = addReports([this.#past, delivery.report()]);
  }

  async #open(offers: readonly TelemetryOffer[]): Promise<void> {
    void this.#end(this.#delivery);
    this.#delivery = undefined;
    try {
      const lanes = offers.map((offer) => laneOf(offer, this.#parts));
      if (lanes.length > 0) this.#delivery = await this.#parts.open(lanes, this.#parts.log);
      this.#parts.feed(lanes.map(bare));
    } catch (error) {
      const fields = { why: error instanceof Error ? error.message : String(error) };
      this.#parts.log({ level: "warn", event: "own telemetry cannot be sent", fields });
      this.#parts.feed([]);
    }
  }
}
