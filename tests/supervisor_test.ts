/**
 * What the service manager is told (sd_notify(3)), by the class and by the program after it has given up everything.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Supervisor, watchdogMs } from "../commands/supervisor.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

/** A supervisor whose clock stands where it is put. */
function supervised(limitMs: number | undefined) {
  const told: string[] = [];
  const clock = { ms: 0 };
  const supervisor = new Supervisor({
    notify: (state) => told.push(state),
    watchdogMs: limitMs,
    intervalMs: () => 10_000,
    nowMs: () => clock.ms,
  });
  return { told, clock, supervisor };
}

Deno.test("Supervisor.beat() gives a sign of life only while cycles end well", () => {
  const { told, clock, supervisor } = supervised(120_000);
  const cases: readonly (readonly [atMs: number, isAlive: boolean])[] = [
    [10_000, true],
    [70_000, true],
    [70_001, false],
    [500_000, false],
  ];
  for (const [atMs, isAlive] of cases) {
    clock.ms = atMs;
    told.length = 0;
    supervisor.beat();
    assertEquals(told, isAlive ? ["WATCHDOG=1"] : [], String(atMs));
  }
  supervisor.cycle();
  supervisor.beat();
  assertEquals(told, ["WATCHDOG=1"]);
});

Deno.test("Supervisor tells ready, reloading, ready, stopping", () => {
  const { told, supervisor } = supervised(undefined);
  supervisor.ready("collecting");
  supervisor.reloading();
  supervisor.ready("configuration applied");
  supervisor.stopping();
  assertEquals(told, [
    "READY=1\nSTATUS=collecting",
    "RELOADING=1",
    "READY=1\nSTATUS=configuration applied",
    "STOPPING=1",
  ]);
});

Deno.test("watchdogMs() is for this process alone", () => {
  assertEquals(watchdogMs({ WATCHDOG_USEC: "3000000" }, 7), 3_000);
  assertEquals(watchdogMs({ WATCHDOG_USEC: "3000000", WATCHDOG_PID: "7" }, 7), 3_000);
  assertEquals(watchdogMs({ WATCHDOG_USEC: "3000000", WATCHDOG_PID: "8" }, 7), undefined);
  assertEquals(watchdogMs({ WATCHDOG_USEC: "soon" }, 7), undefined);
  assertEquals(watchdogMs({}, 7), undefined);
});

/** The service manager's end: every datagram as text. */
class NotifySocket {
  readonly states: string[] = [];
  readonly #socket: Deno.DatagramConn;
  #waiting: (() => void) | undefined;
  readonly #receiving: Promise<void>;

  constructor(path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
    this.#receiving = this.#receive();
  }

  async #receive(): Promise<void> {
    for await (const [bytes] of this.#socket) {
      this.states.push(new TextDecoder().decode(bytes));
      this.#waiting?.();
    }
  }

  /** Resolves when a state that begins so has come. */
  async told(start: string): Promise<void> {
    while (!this.states.some((state) => state.startsWith(start))) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#receiving;
  }
}

Deno.test("run tells its service manager after the drop; sandbox shows the socket", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    await using notified = new NotifySocket(`${folder}/notify`);
    const env = {
      NOTIFY_SOCKET: `${folder}/notify`,
      WATCHDOG_USEC: "600000",
      RUNTIME_DIRECTORY: folder,
      SONDE_ENDPOINT: `http://127.0.0.1:${server.port}`,
    };
    await using program = new Program(folder, ["run", "--interval", "1s"], { env });
    await notified.told("READY=1");
    await notified.told("WATCHDOG=1");
    program.signal("SIGHUP");
    await notified.told("READY=1\nSTATUS=configuration unchanged");
    const { stdout } = await sonde(folder, ["sandbox"]);
    assertStringIncludes(stdout, `net, read, write unix:${folder}/notify\n`);
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
    await notified.told("STOPPING=1");
    assert(notified.states.indexOf("RELOADING=1") > 0);
    assert(!program.stderr.includes("not told"), program.stderr);
  });
});

Deno.test("run without a destination is ready for its service manager as well", async () => {
  await inFolder(async (folder) => {
    await using notified = new NotifySocket(`${folder}/notify`);
    const env = { NOTIFY_SOCKET: `${folder}/notify`, RUNTIME_DIRECTORY: folder };
    await using program = new Program(folder, ["run"], { env });
    await notified.told("READY=1");
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
  });
});
