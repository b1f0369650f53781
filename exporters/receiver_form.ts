/**
 * A form: the encoding and temporality in which one or more lanes want received data. Each form has one group; lanes
 * that want the same share its bytes (design 8).
 * @module
 */
import type { Signal } from "./batch.ts";
import { release } from "./growing_bytes.ts";
import { joined, size } from "./received_wire.ts";
import type { DeltaState } from "./received_delta.ts";
import type { Converted } from "./received_rewrite.ts";
import { LaneAccount, type ReceiverAccount, total } from "./receiver_account.ts";
import { Group, type GroupLane, type Part } from "./receiver_group.ts";
import type { HandOver } from "./receiver_hand_over.ts";
import type { Tally } from "./received_scan.ts";
import type { ReceiverLane } from "./receiver_messages.ts";

/** What a row takes of the two temporalities. */
type Rule = "any" | "delta" | "cumulative";

type DeltaModule = typeof import("./received_delta.ts");
type JsonModule = typeof import("./received_json.ts");

/** What forms are made from. */
export interface FormOptions {
  readonly lanes: readonly ReceiverLane[];
  readonly account: ReceiverAccount;
  readonly handOver: HandOver;
  readonly seriesMax: number;
  readonly startNs: bigint;
}

function ruleOf({ signal, temporalities }: ReceiverLane): Rule {
  const [only] = temporalities;
  return signal !== "metrics" || only === undefined || temporalities.length > 1 ? "any" : only;
}

/** One form per distinct (encoding, temporality) of a signal's lanes; their books are added to the account. */
export function formsOf(signal: Signal, options: FormOptions): readonly Form[] {
  const groups = new Map<string, [GroupLane, ...GroupLane[]]>();
  for (const lane of options.lanes) {
    if (lane.signal !== signal) continue;
    const member = { lane, account: new LaneAccount(lane) };
    options.account.lanes.push(member.account);
    const identity = `${lane.encoding} ${ruleOf(lane)}`;
    const others = groups.get(identity);
    if (others === undefined) groups.set(identity, [member]);
    else others.push(member);
  }
  return [...groups.values()].map((lanes) => new Form(lanes, options));
}

/** A request that has passed the scan. */
export interface Checked {
  readonly signal: Signal;
  /** With the host's attributes, in pieces. */
  readonly protobuf: readonly Uint8Array[];
  readonly tally: Tally;
}

/** What is to join the group. */
interface Joining {
  readonly protobuf: readonly Uint8Array[];
  readonly items: number;
}

type Times = Pick<Part, "firstTimeMs" | "lastTimeMs">;

/** Milliseconds on both clocks. */
export interface Now {
  readonly mono: number;
  readonly wall: number;
}

export class Form {
  readonly group: Group;
  readonly #rule: Rule;
  readonly #options: FormOptions;
  #delta: DeltaModule | undefined;
  #json: JsonModule | undefined;
  #state: DeltaState | undefined;

  constructor(lanes: readonly [GroupLane, ...GroupLane[]], options: FormOptions) {
    this.group = new Group(lanes, options.handOver);
    this.#rule = ruleOf(lanes[0].lane);
    this.#options = options;
  }

  /** Series remembered. */
  get series(): number {
    return this.#state?.size ?? 0;
  }

  /** The destinations, for messages. */
  get names(): string {
    return this.group.lanes.map(({ lane }) => `destination "${lane.destination}"`).join(", ");
  }

  /** True when `prepare` has something to do for this request. */
  needs(checked: Checked): boolean {
    return this.group.encoding === "json" && this.#json === undefined ||
      this.#delta === undefined && this.#rewrites(checked);
  }

  /** Loads what this request needs, so that `add` has nothing to wait for. */
  async prepare(checked: Checked): Promise<void> {
    if (this.#rewrites(checked)) {
      this.#delta ??= await import("./received_delta.ts");
      this.#state ??= new this.#delta.DeltaState(this.#options.seriesMax, this.#options.startNs);
    }
    if (this.group.encoding === "json") this.#json ??= await import("./received_json.ts");
  }

  /** Joins a prepared request; gives the items refused for their temporality. */
  add(checked: Checked, now: Now): number {
    const { tally } = checked;
    const times = { firstTimeMs: tally.firstTimeMs ?? now.wall, lastTimeMs: tally.lastTimeMs ?? now.wall };
    const converted = this.#rewrites(checked) ? this.#convert(checked) : undefined;
    const { items, drops }: Pick<Converted, "items" | "drops"> = converted ??
      { items: tally.items, drops: {} };
    for (const { account } of this.group.lanes) account.drop(drops);
    if (items > 0) {
      const protobuf = converted === undefined ? checked.protobuf : [converted.bytes];
      this.#join({ protobuf, items }, times, now);
    }
    if (converted !== undefined) release(converted.bytes);
    if (items + total(drops) !== tally.items) {
      throw new Error(`BUG: ${items} items and ${total(drops)} dropped of ${tally.items}`);
    }
    return drops.unsupported_temporality ?? 0;
  }

  #rewrites({ tally }: Checked): boolean {
    return this.#rule === "delta" && tally.hasCumulative || this.#rule === "cumulative" && tally.hasDelta;
  }

  #convert({ protobuf }: Checked): Converted {
    const request = joined(protobuf);
    const converted = this.#rule === "cumulative"
      ? this.#delta?.withoutDelta(request)
      : this.#state?.convert(request);
    if (converted === undefined) throw new Error("BUG: a request was added before it was prepared");
    release(request);
    return converted;
  }

  #join({ protobuf, items }: Joining, times: Times, { mono }: Now): void {
    const add = (pieces: readonly Uint8Array[], items: number) =>
      this.group.add({ pieces, bytes: size(pieces), items, ...times }, mono);
    if (this.group.encoding === "protobuf") return add(protobuf, items);
    if (this.#json === undefined) throw new Error("BUG: a request was added before it was prepared");
    const request = joined(protobuf);
    this.#json.eachJsonPart(
      request,
      { signal: this.group.signal, items },
      (text, items) => add([text], items),
    );
    release(request);
  }
}
