/**
 * The OpAMP line of `doctor`: name, connection, and then the whole thing, as the agent would do it: one report over
 * HTTP or WebSocket with the operator's certificates and credentials, what the server made of it, and a goodbye. The
 * identity is one of its own, so that a running agent is left alone.
 * @module
 */
import { uuidv7 } from "../config/instance.ts";
import { OpampClient } from "../config/opamp_client.ts";
import { readCredentials } from "../config/opamp_credentials.ts";
import type { OpampSettings } from "../config/opamp_settings.ts";
import { describeAgent } from "../config/opamp_values.ts";
import type { Failure } from "../config/opamp_wait.ts";
import type { Clock } from "../exporters/clock.ts";
import type { ServerErrorResponse, ServerToAgent } from "../proto_gen/opamp/opamp_pb.ts";
import { PRODUCT, VERSION } from "./build.ts";
import type { Check } from "./doctor_check.ts";
import { checkRoute, type Environment } from "./doctor_route.ts";

/** What the check needs of its surroundings. */
export interface OpampCheckParts {
  readonly environment: Environment;
  readonly clock: Clock;
}

type Finding = Omit<Check, "name" | "destination">;

/** The longest wait for an answer, whatever the agent's own is. */
const ANSWER_MAX_MS = 10_000;
const WORDS_MAX = 200;

const OFFERS = [[0x2n, "remote configuration"], [0x8n, "packages"], [0x20n, "connection settings"]] as const;

function offered({ capabilities }: ServerToAgent): string {
  const offers = OFFERS.filter(([bit]) => (capabilities & bit) !== 0n).map(([, name]) => name);
  return offers.length === 0 ? "offers nothing" : `offers ${offers.join(", ")}`;
}

/** What to do about a failure; the codes are those of a destination. */
function failed({ kind, reason }: Failure): Finding {
  switch (kind) {
    case "unauthorized":
      return {
        state: "FAIL",
        what: `the server does not accept the credentials: ${reason}`,
        next: "Look at SONDE_OPAMP_TOKEN_FILE, SONDE_OPAMP_HEADERS and the client certificate",
        code: 77,
      };
    case "throttled":
      return { state: "warn", what: `the server asks to wait: ${reason}`, next: "Try again later" };
    case "refused":
    case "badRequest":
    case "malformed": {
      const next = "Compare the path of SONDE_OPAMP_ENDPOINT; most servers take OpAMP at /v1/opamp";
      return { state: "FAIL", what: `no OpAMP server answers there: ${reason}`, next, code: 69 };
    }
    case "tooLarge":
    case "network":
    case "closed": {
      const isTls = /certificate|issuer|tls|ssl|handshake/i.test(reason);
      const next = isTls
        ? "Name the authority's certificate with SONDE_OPAMP_CA_FILE; a clock that is wrong looks the same"
        : "Look at the server's log, and at proxies in between";
      return { state: "FAIL", what: reason, next, code: 69 };
    }
  }
}

function refused({ errorMessage }: ServerErrorResponse): Finding {
  const words = errorMessage === "" ? "without a word" : `"${errorMessage.slice(0, WORDS_MAX)}"`;
  return { state: "warn", what: `the server answers with an error, ${words}`, next: "Look at its log" };
}

function silent(): Finding {
  const next = "Look at the server's log";
  return { state: "warn", what: `connected, and no answer in ${ANSWER_MAX_MS / 1000} s`, next };
}

/** One report, and what came back first. */
async function converse(settings: OpampSettings, { clock }: OpampCheckParts): Promise<Finding> {
  const { endpoint, messageBytesMax } = settings;
  const found = Promise.withResolvers<Finding>();
  const over = new AbortController();
  const client = new OpampClient({
    ...{ endpoint, messageBytesMax, clock, userAgent: PRODUCT },
    timeoutMs: Math.min(settings.timeoutMs, ANSWER_MAX_MS),
    instanceUid: uuidv7(clock.wall(), crypto.getRandomValues(new Uint8Array(10))),
    credentials: () => Promise.try(readCredentials, settings),
    callbacks: {
      onMessage: (_, { message }) => found.resolve({ state: "ok", what: offered(message) }),
      onError: (_, response) => found.resolve(refused(response)),
      onConnectFailed: (_, failure) => found.resolve(failed(failure)),
    },
  });
  client.setDescription(describeAgent({ "service.name": "sonde-doctor", "service.version": VERSION }));
  clock.sleep(ANSWER_MAX_MS, over.signal).then(() => found.resolve(silent()));
  client.start();
  const finding = await found.promise;
  over.abort();
  await client.stop();
  return finding;
}

/** The OpAMP server's line. */
export async function checkOpamp(settings: OpampSettings, parts: OpampCheckParts): Promise<Check> {
  const url = settings.endpoint.replace(/^ws/i, "http");
  const { host } = new URL(url);
  const { proxy } = settings;
  const transport = { caCerts: [], insecure: false, ...(proxy === undefined ? {} : { proxy }) };
  const steps = await checkRoute({ url, transport }, parts.environment);
  // The handshake is left to the exchange, which knows the link's own certificates.
  const bad = steps.find(({ name, state }) => state === "FAIL" && (name === "dns" || name === "tcp"));
  if (bad !== undefined) {
    const next = bad.next === undefined ? {} : { next: bad.next };
    return { name: "opamp", state: "FAIL", what: `${bad.name}: ${bad.what}`, ...next, code: 69 };
  }
  const { what, ...rest } = await converse(settings, parts);
  const said = rest.state === "ok" ? `${host} answers and ${what}` : `${host}: ${what}`;
  return { name: "opamp", what: said, ...rest };
}
