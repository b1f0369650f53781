/**
 * Starts `@elastic/mockopampserver` (mock_opamp_server.ts) and reads what it received.
 * @module
 */
import { startChild } from "./child.ts";

/** One message as the mock recorded it. */
export interface MockRecord {
  readonly statusCode: number;
  readonly sequence: number;
  readonly flags: number;
  /** Content-Encoding of the request. */
  readonly encoding?: string;
  /** The effective configuration was in it. */
  readonly hasConfig: boolean;
  /** The description was in it. */
  readonly isFull: boolean;
  readonly isFarewell: boolean;
  /** Of remote configuration: 0 unset, 1 applied, 2 applying, 3 failed. */
  readonly status?: number;
  readonly error?: string;
}

/** Texts by file name. */
export type MockFiles = Readonly<Record<string, { readonly body: string; readonly contentType: string }>>;

export interface MockOptions {
  readonly offer?: MockFiles;
  /** ServerToAgent in base64: said in turn, the last one for ever. */
  readonly answers?: readonly string[];
  readonly badMode?: string;
  /** PEM; with them it speaks TLS, and may want a certificate of its clients. */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
}

export interface MockOpamp extends AsyncDisposable {
  readonly endpoint: string;
  /** Everything received, oldest first. */
  records(): Promise<readonly MockRecord[]>;
  /** Offers other files from now on. */
  offer(files: MockFiles): Promise<void>;
}

/** Waits, in real time, for what another process brings about. */
export async function awaited(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    if (Date.now() > deadline) throw new Error(`Cannot go on: ${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const MOCK = "npm:@elastic/mockopampserver@0.5.0";
const SERVER = new URL("./mock_opamp_server.ts", import.meta.url).pathname;
/** The first start downloads. */
const READY_MS = 60_000;

/** Starts it on free loopback ports. */
export async function startMockOpamp(options: MockOptions = {}): Promise<MockOpamp> {
  const child = await startChild(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--quiet", SERVER, MOCK, JSON.stringify(options)],
    ready: /^\{"endpoint"/,
    readyMs: READY_MS,
  });
  const { endpoint, admin }: { endpoint: string; admin: string } = JSON.parse(child.readyLine);
  return {
    endpoint,
    records: async () => await (await fetch(admin)).json(),
    offer: async (files) => {
      const response = await fetch(admin, { method: "POST", body: JSON.stringify(files) });
      await response.body?.cancel();
    },
    [Symbol.asyncDispose]: child.stop,
  };
}
