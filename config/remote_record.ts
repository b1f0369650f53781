/**
 * What the apply machine writes down, typed: the last status, the crash marker, and configurations as received. What
 * cannot be read back is set aside and counts as absent (opamp 3.7).
 * @module
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AgentRemoteConfig, AgentRemoteConfigSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { recordOf } from "./json_record.ts";
import type { RemoteStore, StoreName } from "./remote_store.ts";

/** Where the last received configuration stands. */
export interface RemoteStatus {
  /** Empty: none was ever received. */
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly state: "unset" | "applying" | "applied" | "failed";
  /** Why it failed; "" otherwise. */
  readonly error: string;
}

/** A status with what the next life needs to know. */
export interface StatusRecord {
  readonly status: RemoteStatus;
  /** Version and local configuration at the time: a failure is tried again only when they have changed. */
  readonly context: string;
  /** Starts with the remote configuration that did not end in good order, milliseconds since 1970. */
  readonly boots: readonly number[];
  /** When the server was last heard of, milliseconds since 1970. */
  readonly contact?: number;
  /** Restarts for the sake of remote configuration, milliseconds since 1970. */
  readonly restarts?: readonly number[];
}

/** What the crash marker says. */
export interface Marker {
  /** Of what is being tried. Empty: the marker was damaged. */
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly attempt: number;
  /** Present when only another life can try it: the next one shall, or one has begun to. */
  readonly restart?: "due" | "begun";
  /** Delivery was failing already when it was offered. */
  readonly wasFailing?: boolean;
}

export const UNSET: RemoteStatus = { hash: new Uint8Array(), state: "unset", error: "" };

const encoder = new TextEncoder();
const STATES = ["unset", "applied", "failed"] as const;
const RESTARTS = ["due", "begun"] as const;

function times(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((each): each is number => typeof each === "number") : [];
}

function readRecord(text: string): StatusRecord {
  const { hash, state, error, context, boots, contact, restarts } = recordOf(JSON.parse(text));
  const known = STATES.find((each) => each === state);
  if (typeof hash !== "string" || known === undefined) {
    throw new SyntaxError("Cannot read status.json: no status");
  }
  return {
    status: { hash: Uint8Array.fromHex(hash), state: known, error: typeof error === "string" ? error : "" },
    context: typeof context === "string" ? context : "",
    boots: times(boots),
    ...(typeof contact === "number" ? { contact } : {}),
    restarts: times(restarts),
  };
}

function readMarker(text: string): Marker {
  const { hash, attempt, restart, wasFailing } = recordOf(JSON.parse(text));
  const phase = RESTARTS.find((each) => each === restart);
  return {
    hash: Uint8Array.fromHex(typeof hash === "string" ? hash : ""),
    attempt: typeof attempt === "number" ? attempt : 1,
    ...(phase === undefined ? {} : { restart: phase }),
    ...(wasFailing === true ? { wasFailing } : {}),
  };
}

/** The typed records over a store. */
export class RemoteRecords {
  readonly #store: RemoteStore;
  readonly #note: (what: string) => void;

  /** `note` is told what was damaged or could not be written. */
  constructor(store: RemoteStore, note: (what: string) => void) {
    this.#store = store;
    this.#note = note;
  }

  async #read<T>(name: StoreName, parse: (bytes: Uint8Array) => T): Promise<T | undefined> {
    try {
      const bytes = await this.#store.read(name);
      return bytes === undefined ? undefined : parse(bytes);
    } catch (error) {
      this.#note(`remote/${name} was damaged and set aside: ${String(error).slice(0, 200)}`);
      await this.#store.setAside(name).catch(() => {});
      return undefined;
    }
  }

  readStatus(): Promise<StatusRecord | undefined> {
    return this.#read("status.json", (bytes) => readRecord(new TextDecoder().decode(bytes)));
  }

  readConfig(name: "received.bin" | "good.bin" | "prev.bin"): Promise<AgentRemoteConfig | undefined> {
    return this.#read(name, (bytes) => fromBinary(AgentRemoteConfigSchema, bytes));
  }

  /** The crash marker; undefined: nothing was being tried. A damaged one counts as one without hash. */
  async readMarker(): Promise<Marker | undefined> {
    try {
      const bytes = await this.#store.read("applying.json");
      return bytes === undefined ? undefined : readMarker(new TextDecoder().decode(bytes));
    } catch {
      return { hash: new Uint8Array(), attempt: 1 };
    }
  }

  writeStatus({ status, ...rest }: StatusRecord): Promise<boolean> {
    const { hash, state, error } = status;
    const text = JSON.stringify({ hash: hash.toHex(), state, error, ...rest });
    return this.#write("status.json", encoder.encode(text));
  }

  writeConfig(name: "received.bin" | "good.bin" | "prev.bin", config: AgentRemoteConfig): Promise<boolean> {
    return this.#write(name, toBinary(AgentRemoteConfigSchema, config));
  }

  writeMarker({ hash, ...rest }: Marker): Promise<boolean> {
    return this.#write("applying.json", encoder.encode(JSON.stringify({ hash: hash.toHex(), ...rest })));
  }

  async removeMarker(): Promise<void> {
    try {
      await this.#store.remove("applying.json");
    } catch (error) {
      this.#note(`remote/applying.json cannot be removed: ${String(error).slice(0, 200)}`);
    }
  }

  /** A full or read-only disk costs memory of this configuration, not the configuration itself. */
  async #write(name: StoreName, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#store.write(name, bytes);
      return true;
    } catch (error) {
      this.#note(`remote/${name} cannot be written: ${String(error).slice(0, 200)}`);
      return false;
    }
  }
}
