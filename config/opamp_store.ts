/**
 * What both ends of a managed life need of the same making: the place of remote configuration, and the rules it is
 * judged by. The sensor uses them before the drop, the courier afterwards.
 * @module
 */
import { matcher } from "../collectors/glob.ts";
import type { LocalRules } from "./opamp_port.ts";
import type { RemoteRules } from "./remote_policy.ts";
import { fileStore, type RemoteStore } from "./remote_store.ts";

/** For hosts without a state directory: nothing survives this life. */
const NO_STORE: RemoteStore = {
  read: () => Promise.resolve(undefined),
  write: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  setAside: () => Promise.resolve(),
};

/** Where remote configuration is kept. */
export function remoteStore(stateDir: string | undefined): RemoteStore {
  return stateDir === undefined ? NO_STORE : fileStore(`${stateDir}/remote`);
}

/** The rules with tests made of the names. */
export function rulesOf({ collectors, metrics, ...rest }: LocalRules): RemoteRules {
  const among = (names: readonly string[]) => (pattern: string) => names.some(matcher([pattern]));
  return { ...rest, isCollector: among(collectors), isMetric: among(metrics) };
}
