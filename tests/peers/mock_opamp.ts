/**
 * Starts `@elastic/mockopampserver` (mock_opamp_server.ts) and reads what it received.
 * @module
 */
import { startChild } from "./child.ts";

/** One message as the mock recorded it. */
export interface MockRecord {
  readonly statusCode: number;
  readonly sequence: number;
  /** The description was in it. */
  readonly isFull: boolean;
  readonly isFarewell: boolean;
  /** Of remote configuration: 0 unset, 1 applied, 2 applying, 3 failed. */
  readonly status?: number;
  readonly error?: string;
}

export interface MockOptions {
  /** Body of the one file that is offered. */
  readonly offer?: string;
  /** ServerToAgent in base64: said to every message. */
  readonly answer?: string;
  readonly badMode?: string;
}

export interface MockOpamp extends AsyncDisposable {
  readonly endpoint: string;
  /** Everything received, oldest first. */
  records(): Promise<readonly MockRecord[]>;
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
    [Symbol.asyncDispose]: child.stop,
  };
}
