/**
 * One exchange with an OpAMP server and a goodbye, for `doctor`: what the server makes of a first report, said with the
 * link's own files. It runs where the link runs, in the courier, with the courier's rights.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import { OpampClient } from "./opamp_client.ts";
import { readCredentials } from "./opamp_credentials.ts";
import type { LinkTry, TryResult } from "./opamp_port.ts";
import { describeAgent } from "./opamp_values.ts";

/** Resolves with the first thing that comes back, or with silence. Throws when the settings cannot be used. */
export async function tryLink(
  { settings, product, instanceUid, identifying, answerMs }: LinkTry,
  clock: Clock,
): Promise<TryResult> {
  const { endpoint, messageBytesMax, timeoutMs } = settings;
  const found = Promise.withResolvers<TryResult>();
  const over = new AbortController();
  const client = new OpampClient({
    ...{ endpoint, messageBytesMax, clock, instanceUid, userAgent: product },
    timeoutMs: Math.min(timeoutMs, answerMs),
    credentials: () => Promise.try(readCredentials, settings),
    callbacks: {
      onMessage: (_, { message: { capabilities } }) => found.resolve({ kind: "answer", capabilities }),
      onError: (_, { errorMessage }) => found.resolve({ kind: "error", message: errorMessage }),
      onConnectFailed: (_, failure) => found.resolve({ kind: "failure", failure }),
    },
  });
  client.setDescription(describeAgent(identifying));
  clock.sleep(answerMs, over.signal).then(() => found.resolve({ kind: "silence" }));
  client.start();
  const result = await found.promise;
  over.abort();
  await client.stop();
  return result;
}
