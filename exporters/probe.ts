/**
 * Tries to do what a part must not be able to do, and says what happened. Harmless where it succeeds: nothing is
 * left behind and nothing is sent. Runs in any isolate after its permissions are fixed (design 2).
 * @module
 */

/** What became of one attempt. */
export interface Probe {
  readonly attempt: string;
  /** "denied": the runtime refused. "possible": it was done, or failed only for a reason of its own. */
  readonly result: "denied" | "possible";
  readonly detail: string;
}

/** Milliseconds after which an attempt that neither succeeds nor fails counts as possible. */
const ATTEMPT_MS = 2000;

/** The discard port: nothing of ours listens there. */
const ELSEWHERE = { hostname: "127.0.0.1", port: 9 } as const;

const attempts: readonly (readonly [string, () => unknown])[] = [
  ["open a file to read (/etc/passwd)", () => Deno.openSync("/etc/passwd").close()],
  ["open a kernel file (/proc/version)", () => Deno.openSync("/proc/version").close()],
  [
    "create a file (/tmp)",
    () => Deno.removeSync(Deno.makeTempFileSync({ dir: "/tmp", prefix: "sonde-probe-" })),
  ],
  ["read an environment variable (PATH)", () => Deno.env.get("PATH")],
  ["ask the system for the host name", () => Deno.hostname()],
  // With a server named, nothing of the host's own configuration is read before the permission is looked at.
  [
    "resolve another host (sonde.invalid)",
    () =>
      Deno.resolveDns("sonde.invalid", "A", {
        nameServer: { ipAddr: ELSEWHERE.hostname, port: ELSEWHERE.port },
      }),
  ],
  ["connect to another port (127.0.0.1:9)", async () => (await Deno.connect(ELSEWHERE)).close()],
  ["listen on a port (127.0.0.1:0)", () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close()],
  ["run a program (/bin/true)", () => new Deno.Command("/bin/true").outputSync()],
  ["load a library (libc.so.6)", () => Deno.dlopen("libc.so.6", {}).close()],
  ["start a worker that may use the network", () => {
    const options: WorkerOptions = { type: "module", deno: { permissions: { net: true } } };
    new Worker("data:text/javascript,close()", options).terminate();
  }],
];

async function attemptOne([attempt, act]: readonly [string, () => unknown]): Promise<Probe> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), ATTEMPT_MS);
  });
  try {
    await Promise.race([Promise.resolve().then(act), limit]);
    return { attempt, result: "possible", detail: "done" };
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const denied = error instanceof Deno.errors.NotCapable || /escalate parent thread permissions/.test(text);
    return {
      attempt,
      result: denied ? "denied" : "possible",
      detail: text.split("\n")[0]?.slice(0, 160) ?? "",
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Makes every attempt, one after another. */
export async function probe(): Promise<Probe[]> {
  const results: Probe[] = [];
  for (const attempt of attempts) results.push(await attemptOne(attempt));
  return results;
}
