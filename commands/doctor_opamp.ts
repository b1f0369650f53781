/**
 * The OpAMP line of `doctor`: name, connection, and then the whole thing, as the agent would do it: one report over
 * HTTP or WebSocket with the operator's certificates and credentials, what the server made of it, and a goodbye. The
 * identity is one of its own, so that a running agent is left alone.
 * @module
 */
import { uuidv7 } from "../config/instance.ts";
import type { FromOpamp, ToOpamp, TryResult } from "../config/opamp_port.ts";
import type { OpampSettings } from "../config/opamp_settings.ts";
import type { Failure } from "../config/opamp_wait.ts";
import type { Settings } from "../config/settings.ts";
import { PRODUCT, VERSION } from "./build.ts";
import { openCourier } from "./delivery.ts";
import type { Check } from "./doctor_check.ts";
import { checkRoute, type Environment } from "./doctor_route.ts";
import { workerUrl } from "./workers.ts";

/** What the check needs of its surroundings. */
export interface OpampCheckParts {
  readonly environment: Environment;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Finding = Omit<Check, "name" | "destination">;

/** The longest wait for an answer, whatever the agent's own is. */
const ANSWER_MAX_MS = 10_000;
const WORDS_MAX = 200;

const OFFERS = [[0x2n, "remote configuration"], [0x8n, "packages"], [0x20n, "connection settings"]] as const;

function offered(capabilities: bigint): string {
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

function refused(message: string): Finding {
  const words = message === "" ? "without a word" : `"${message.slice(0, WORDS_MAX)}"`;
  return { state: "warn", what: `the server answers with an error, ${words}`, next: "Look at its log" };
}

function silent(): Finding {
  const next = "Look at the server's log";
  return { state: "warn", what: `connected, and no answer in ${ANSWER_MAX_MS / 1000} s`, next };
}

function findingOf(result: TryResult): Finding {
  switch (result.kind) {
    case "answer":
      return { state: "ok", what: offered(result.capabilities) };
    case "error":
      return refused(result.message);
    case "failure":
      return failed(result.failure);
    case "silence":
      return silent();
  }
}

/** A courier without lanes tries it, with the rights it has in a running agent. */
async function converse(settings: Settings, opamp: OpampSettings, now: number): Promise<Finding> {
  const { port1, port2 } = new MessageChannel();
  const found = Promise.withResolvers<Finding>();
  const { link } = openCourier({ ...settings, lanes: [] }, {
    courierUrl: workerUrl("courier"),
    stateDir: undefined,
    opamp: port2,
    log: () => {},
    dead: (why) => found.resolve({ state: "FAIL", what: why, next: "This is a fault of sonde", code: 69 }),
  });
  port1.onmessage = ({ data }: MessageEvent<FromOpamp>) => {
    if (data.type === "tried") found.resolve(findingOf(data.result));
  };
  const request: ToOpamp = {
    type: "try",
    settings: opamp,
    product: PRODUCT,
    instanceUid: uuidv7(now, crypto.getRandomValues(new Uint8Array(10))),
    identifying: { "service.name": "sonde-doctor", "service.version": VERSION },
    answerMs: ANSWER_MAX_MS,
  };
  port1.postMessage(request);
  const finding = await found.promise;
  port1.close();
  link.close();
  return finding;
}

/** The OpAMP server's line; undefined: there is none to speak to. */
export async function checkOpamp(
  settings: Settings,
  { environment, now }: OpampCheckParts,
): Promise<Check | undefined> {
  const { opamp } = settings;
  if (opamp === undefined) return undefined;
  const url = opamp.endpoint.replace(/^ws/i, "http");
  const { host } = new URL(url);
  const { proxy } = opamp;
  const transport = { caCerts: [], insecure: false, ...(proxy === undefined ? {} : { proxy }) };
  const steps = await checkRoute({ url, transport }, environment);
  // The handshake is left to the exchange, which knows the link's own certificates.
  const bad = steps.find(({ name, state }) => state === "FAIL" && (name === "dns" || name === "tcp"));
  if (bad !== undefined) {
    const next = bad.next === undefined ? {} : { next: bad.next };
    return { name: "opamp", state: "FAIL", what: `${bad.name}: ${bad.what}`, ...next, code: 69 };
  }
  const { what, ...rest } = await converse(settings, opamp, now());
  const said = rest.state === "ok" ? `${host} answers and ${what}` : `${host}: ${what}`;
  return { name: "opamp", what: said, ...rest };
}
