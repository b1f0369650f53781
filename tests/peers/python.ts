/**
 * Python's own protobuf types as a peer: a virtual environment with exact versions, made once in a cache outside the
 * checkout, and a program in it that decodes requests. The cache key is the list of versions.
 * @module
 */
import type { Signal } from "../../exporters/batch.ts";

/** One request to decode. */
export interface PythonRequest {
  readonly signal: Signal;
  readonly body: Uint8Array;
}

let absence: { readonly reason: string | undefined } | undefined;

/** Why Python cannot be used here; undefined: it can. */
export function pythonAbsence(): string | undefined {
  absence ??= { reason: findAbsence() };
  return absence.reason;
}

function findAbsence(): string | undefined {
  try {
    const { success } = new Deno.Command("python3", {
      args: ["-c", "import venv, ensurepip"],
      stderr: "null",
    }).outputSync();
    return success ? undefined : "Python has no venv or pip";
  } catch {
    return "Python is not installed";
  }
}

/** Each request as protobuf's JSON, decoded by opentelemetry-proto. */
export async function decodeWithPython(requests: readonly PythonRequest[]): Promise<readonly unknown[]> {
  const python = `${await environment()}/bin/python`;
  const script = new URL("./python/decode.py", import.meta.url).pathname;
  const input = requests.map(({ signal, body }) => ({ signal, body: body.toBase64() }));
  return JSON.parse(await run(python, [script], JSON.stringify(input)));
}

/** Spans, log records and metrics sent by OpenTelemetry's own SDK to `endpoint`, `count` of each; its words on errors. */
export async function sendWithPython(endpoint: string, count: number): Promise<string> {
  const python = `${await environment()}/bin/python`;
  const script = new URL("./python/send.py", import.meta.url).pathname;
  return await run(python, [script, endpoint, String(count)]);
}

/** A program of tests/peers/python that answers each line it is sent with one line of JSON. */
export interface Answering {
  ask(line: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts such a program; give it back with `stop`. */
export async function startPython(script: string): Promise<Answering> {
  const python = `${await environment()}/bin/python`;
  const path = new URL(`./python/${script}`, import.meta.url).pathname;
  const child = new Deno.Command(python, { args: [path], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async ask(line) {
      await writer.write(new TextEncoder().encode(`${line}\n`));
      let answer = "";
      while (!answer.endsWith("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot ask "${script}": it has ended`);
        answer += value;
      }
      return JSON.parse(answer);
    },
    async stop() {
      await writer.close();
      await reader.cancel();
      await child.status;
    },
  };
}

/** Path of a program that the packages of a list in tests/peers/python bring along. */
export async function pythonTool(list: string, program: string): Promise<string> {
  return `${await environment(list)}/bin/${program}`;
}

/** Folder of the virtual environment, made first when the cache has none. */
async function environment(list = "requirements.txt"): Promise<string> {
  const requirements = new URL(`./python/${list}`, import.meta.url);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(requirements));
  const key = new Uint8Array(digest).toHex().slice(0, 32);
  const folder = `${cacheRoot()}/sonde/peers/python-${key}`;
  const stamp = `${folder}/ready`;
  if (await isFile(stamp)) return folder;
  // A virtual environment knows its own path, so it is made in place; the stamp says that it is whole.
  await run("python3", ["-m", "venv", "--clear", folder]);
  await run(`${folder}/bin/pip`, ["install", "--quiet", "-r", requirements.pathname]);
  await Deno.writeTextFile(stamp, "");
  return folder;
}

function cacheRoot(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME");
  if (cache !== undefined && cache.startsWith("/")) return cache;
  return `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
}

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) {
    throw new Error(`Cannot run "${program}":\n${new TextDecoder().decode(stderr).slice(-4_000)}`);
  }
  return new TextDecoder().decode(stdout);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
