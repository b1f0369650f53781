/**
 * An agent's OpAMP as the courier runs it: the client and the apply machine, bound together. Offers go in, statuses
 * and the effective configuration come out, in one message where they belong together (opamp 3.5).
 * @module
 */
import { OpampClient } from "./opamp_client.ts";
import type { Callbacks, ClientOptions } from "./opamp_options.ts";
import { type ConfigFile, effectiveConfigOf, remoteStatusOf } from "./opamp_values.ts";
import type { BootState } from "./remote_boot.ts";
import { RemoteMachine } from "./remote_machine.ts";
import { type RemoteStatus, UNSET } from "./remote_record.ts";
import type { MachineOptions } from "./remote_target.ts";

/** What a session is made of. */
export interface SessionOptions {
  readonly client: Omit<ClientOptions, "callbacks">;
  /** Called beside what the session does itself. */
  readonly callbacks?: Callbacks;
  /** Absent: remote configuration is not accepted. */
  readonly machine?: { readonly options: Omit<MachineOptions, "report">; readonly state: BootState };
  /** The status of remote configuration is another one. */
  readonly onStatus?: () => void;
  /** The running configuration, secrets redacted; asked when it may have changed. */
  readonly effective: () => ConfigFile;
}

/** A session. Set description, health and components on its client, then `start`. */
export class OpampSession {
  readonly client: OpampClient;
  readonly machine: RemoteMachine | undefined;
  readonly #effective: () => ConfigFile;
  readonly #onStatus: () => void;
  #told: RemoteStatus["state"] = "unset";

  /** Throws as the client's constructor does. */
  constructor({ client, callbacks = {}, machine, effective, onStatus = () => {} }: SessionOptions) {
    this.#effective = effective;
    this.#onStatus = onStatus;
    this.client = new OpampClient({
      ...client,
      callbacks: {
        ...callbacks,
        onMessage: (from, data) => {
          this.machine?.contact();
          callbacks.onMessage?.(from, data);
        },
        onRemoteConfig: (from, config) => {
          this.machine?.offer(config);
          callbacks.onRemoteConfig?.(from, config);
        },
      },
    });
    if (machine === undefined) return;
    const report = (status: RemoteStatus, isRepeat: boolean) => this.#report(status, isRepeat);
    this.machine = new RemoteMachine({ ...machine.options, report }, machine.state);
  }

  start(): void {
    const { hash, state, error } = this.machine?.status ?? UNSET;
    this.#told = state;
    this.client.setRemoteConfigStatus(remoteStatusOf(hash, state, error));
    this.refresh();
    this.client.start();
  }

  /** The running configuration may have changed for another reason than a remote one. */
  refresh(): void {
    this.client.setEffectiveConfig(effectiveConfigOf({ "": this.#effective() }));
  }

  /** Says goodbye and ends the machine in good order, which does not wait for a server that hangs. */
  async stop(): Promise<void> {
    await Promise.all([this.client.stop(), this.machine?.stop()]);
  }

  #report({ hash, state, error }: RemoteStatus, isRepeat: boolean): void {
    if (isRepeat) return this.client.repeat("remoteConfigStatus");
    this.client.setRemoteConfigStatus(remoteStatusOf(hash, state, error));
    this.#onStatus();
    // In one message with the outcome, also where a first report has told it before.
    if (state === "applied" && this.#told === "applying") this.client.repeat("effectiveConfig");
    this.#told = state;
    if (state !== "applying") this.refresh();
  }
}
