/**
 * Turns the engine's effects into calls of the user's callbacks. What a callback throws stays here.
 * @module
 */
import type { OpampClient } from "./opamp_client.ts";
import { formatUid } from "./opamp_identity.ts";
import type { Callbacks } from "./opamp_options.ts";
import type { Effect } from "./opamp_state.ts";

function call(effect: Effect, callbacks: Callbacks, client: OpampClient): void {
  switch (effect.type) {
    case "connected":
      return callbacks.onConnect?.(client);
    case "connectFailed":
      return callbacks.onConnectFailed?.(client, effect.failure, effect.waitMs);
    case "error":
      return callbacks.onError?.(client, effect.response);
    case "message": {
      const { message } = effect;
      const remote = message.remoteConfig === undefined ? {} : { remoteConfig: message.remoteConfig };
      return callbacks.onMessage?.(client, { message, ...remote });
    }
    case "remoteConfig":
      return callbacks.onRemoteConfig?.(client, effect.config);
    case "uid":
      return callbacks.onInstanceUid?.(client, formatUid(effect.uid));
    case "ownTelemetry":
      return callbacks.onOwnTelemetry?.(client, effect.offers);
    case "restart":
      return callbacks.onRestart?.(client);
  }
}

/** Calls what the effect stands for; returns the fault of a callback that threw, for the log. */
export function notify(effect: Effect, callbacks: Callbacks, client: OpampClient): string | undefined {
  try {
    call(effect, callbacks, client);
    return undefined;
  } catch (error) {
    return String(error).slice(0, 200);
  }
}
