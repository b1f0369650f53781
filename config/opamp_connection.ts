/**
 * The client's way to its server: opens the link the scheme asks for, moves to offered settings and back, and has
 * what was accepted remembered (opamp 1.8, 3.7).
 * @module
 */
import { openFetch } from "./opamp_fetch.ts";
import { HttpLink } from "./opamp_http.ts";
import { formatUid } from "./opamp_identity.ts";
import { type Link, type LinkContext, type LinkEvent, reasonOf } from "./opamp_link.ts";
import {
  credentialsWith,
  type LinkMemory,
  rememberedOffer,
  rememberOffer,
  withTelemetry,
} from "./opamp_memory.ts";
import type { LinkOffer } from "./opamp_offer.ts";
import type { ClientLog, FullOptions } from "./opamp_options.ts";
import type { Effect } from "./opamp_state.ts";

/** What a connection asks of its client. */
export interface ConnectionOwner {
  readonly uid: () => string;
  readonly emit: (event: LinkEvent) => void;
  readonly log: (line: ClientLog) => void;
}

/** The link in use and the settings it uses. */
export class OpampConnection {
  readonly #options: FullOptions;
  readonly #owner: ConnectionOwner;
  #memory: LinkMemory;
  /** Accepted or tried settings; absent: the operator's own. */
  #offer: LinkOffer | undefined;
  #link: Link | undefined;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: FullOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#memory = options.memory ?? {};
    const { candidate, current } = this.#memory;
    const remembered = candidate ?? current;
    this.#offer = remembered && rememberedOffer(remembered);
  }

  get endpoint(): string {
    return this.#offer?.endpoint ?? this.#options.endpoint;
  }

  close(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  /** Carries out an effect that is about the link; false: it is about something else. */
  perform(effect: Effect): boolean {
    switch (effect.type) {
      case "connect":
        void this.#connect();
        return true;
      case "send":
        this.#link ??= this.#poll();
        this.#link.send(effect.bytes, formatUid(effect.uid));
        return true;
      case "abort":
        this.#link?.abort();
        return true;
      case "close":
        this.close();
        return true;
      case "ownTelemetry":
        this.#remember(withTelemetry(this.#memory, effect.offers));
        return false;
      case "settled":
        this.#settled(effect.hash, effect.isApplied);
        return true;
      default:
        return this.#changeSettings(effect);
    }
  }

  #changeSettings(effect: Effect): boolean {
    const { candidate: _, current, ...rest } = this.#memory;
    const kept = current === undefined ? {} : { current };
    switch (effect.type) {
      case "interval":
        this.#remember({ ...this.#memory, intervalMs: effect.intervalMs });
        return true;
      case "candidate":
        this.#remember({ ...this.#memory, candidate: rememberOffer(effect.offer) });
        return true;
      case "switch":
        this.#use(effect.offer);
        return true;
      case "commit":
        this.#remember({ ...rest, current: rememberOffer(effect.offer) });
        return true;
      case "revert":
        this.#remember({ ...rest, ...kept });
        this.#use(current && rememberedOffer(current));
        return true;
      default:
        return false;
    }
  }

  #use(offer: LinkOffer | undefined): void {
    this.close();
    this.#offer = offer;
  }

  #settled(hash: Uint8Array, isApplied: boolean): void {
    const { applied: _, ...rest } = this.#memory;
    this.#remember(isApplied ? { ...rest, applied: hash.toHex() } : rest);
  }

  #remember(memory: LinkMemory): void {
    if (JSON.stringify(memory) === JSON.stringify(this.#memory)) return;
    this.#memory = memory;
    const { endpoint: configured } = this.#options;
    // One after the other: the files beside are the same.
    this.#keeping = this.#keeping.then(() => this.#options.remember?.({ ...memory, configured })).catch(
      (error: unknown) => {
        const fields = { reason: reasonOf(error) };
        this.#owner.log({ level: "warn", event: "opamp settings cannot be kept", fields });
      },
    );
  }

  #context(isCurrent: () => boolean): LinkContext {
    const { credentials, userAgent, timeoutMs, messageBytesMax, compression, clock } = this.#options;
    const offer = this.#offer;
    return {
      ...{ endpoint: this.endpoint, userAgent, timeoutMs, messageBytesMax, compression, clock },
      credentials: async () => credentialsWith(await credentials?.() ?? { headers: {} }, offer),
      // A link that was left may still have something to say.
      emit: (event) => isCurrent() ? this.#owner.emit(event) : undefined,
    };
  }

  #poll(): Link {
    const link: Link = new HttpLink(
      this.#context(() => this.#link === link),
      this.#options.openHttp ?? openFetch,
    );
    return link;
  }

  async #connect(): Promise<void> {
    this.close();
    try {
      const { WebSocketLink } = await import("./opamp_websocket.ts");
      const link: Link = new WebSocketLink(this.#context(() => this.#link === link), this.#owner.uid);
      this.#link = link;
      link.connect();
    } catch (error) {
      this.#owner.emit({ type: "failure", failure: { kind: "refused", reason: reasonOf(error) } });
    }
  }
}
