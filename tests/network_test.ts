/**
 * Interface and protocol counters: vectors V11, V18, V19 and V25 of host-metrics, identity of interfaces, limits
 * on hosts with hundreds of them.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BootClock } from "../collectors/boot_clock.ts";
import { connections, countConnections } from "../collectors/connections.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { matcher } from "../collectors/glob.ts";
import { ProtocolBlock } from "../collectors/net_protocol.ts";
import { cpuCount, CpuSum } from "../collectors/net_text.ts";
import { network } from "../collectors/network.ts";
import { INTERFACES_MAX } from "../collectors/network_interfaces.ts";
import { softnet } from "../collectors/softnet.ts";
import { collectInto, hostOf, Recording, treeOf, turn, valuesOf } from "./fixture_host.ts";

const HEAD = "Inter-|   Receive\n face |bytes\n";
const line = (name: string, bytes: number): string =>
  `${name}: ${bytes} 1 0 0 0 0 0 0 ${bytes} 1 0 0 0 0 0 0\n`;
const table = (...rows: string[]): string => HEAD + rows.join("");
const index = (name: string, at: number): string =>
  `${at}    ${name}            ff02${"0".repeat(27)}1     1 0000000C 0\n`;

/** Received bytes with the identity behind them, by interface. */
function received(recording: Recording): Record<string, readonly [number | bigint, string | undefined]> {
  const rows = recording.points.filter(({ series }) =>
    series.descriptor.name === "system.network.io" && series.attributes["network.io.direction"] === "receive"
  );
  return Object.fromEntries(
    rows.map(({ series, value }) => [series.attributes["network.interface.name"], [value, series.identity]]),
  );
}

Deno.test("matcher() matches whole names with * and ? and takes everything else literally", () => {
  const cases = [
    [["veth*"], "veth1a2b", true],
    [["veth*"], "myveth1", false],
    [["br-*"], "br-", true],
    [["eth?"], "eth0", true],
    [["eth?"], "eth10", false],
    [["a.b+c"], "a.b+c", true],
    [["a.b"], "axb", false],
    [["x", "y"], "y", true],
    [[], "anything", false],
  ] as const;
  for (const [patterns, name, expected] of cases) {
    assertEquals(matcher(patterns)(name), expected, `${patterns} ${name}`);
  }
});

Deno.test("V11: network reads a glued name, every column of both directions", async () => {
  const tree = treeOf({
    "/proc/net/dev": HEAD + "eth0:4294960000 500 0 0 0 0 0 0 100 2 1 3 0 0 0 0\n",
  });
  const values = valuesOf(await turn(network().prepare(hostOf(tree)), tree));
  const key = (name: string, direction: string) =>
    `system.network.${name}{network.interface.name="eth0",network.io.direction="${direction}"}`;
  assertEquals(values[key("io", "receive")], 4294960000);
  assertEquals(values[key("io", "transmit")], 100);
  assertEquals(values[key("errors", "transmit")], 1);
  assertEquals(values[key("packet.dropped", "transmit")], 3);
});

Deno.test("network keeps a series while it is the same interface and makes a new one for a new index", async () => {
  const texts = (bytes: number, at: number | undefined) => ({
    "/proc/net/dev": table(line("wan", bytes)),
    "/proc/net/igmp6": at === undefined ? "" : index("wan", at),
  });
  const prepared = network().prepare(hostOf(treeOf(texts(0, 3))));
  const collect = async (bytes: number, at: number | undefined) =>
    received(await turn(prepared, treeOf(texts(bytes, at))))["wan"];
  assertEquals(await collect(10, 3), [10, "wan#3"]);
  assertEquals(await collect(20, undefined), [20, "wan#3"]);
  assertEquals(await collect(30, 3), [30, "wan#3"]);
  assertEquals(await collect(5, 7), [5, "wan#7"]);
});

Deno.test("network learns a late index without starting the counters anew", async () => {
  const prepared = network().prepare(hostOf(treeOf({ "/proc/net/dev": "", "/proc/net/igmp6": "" })));
  const step = async (igmp6: string) =>
    received(
      await turn(prepared, treeOf({ "/proc/net/dev": table(line("tun0", 1)), "/proc/net/igmp6": igmp6 })),
    )["tun0"];
  assertEquals(await step(""), [1, "tun0"]);
  assertEquals(await step(index("tun0", 9)), [1, "tun0"]);
  assertEquals(await step(index("tun0", 10)), [1, "tun0#10"]);
});

Deno.test("network sees interfaces come and go, and obeys changed patterns", async () => {
  const options: { networkExclude?: readonly string[] } = {};
  const prepared = network(options).prepare(hostOf(treeOf({ "/proc/net/dev": "" })));
  const names = async (...rows: string[]) =>
    Object.keys(received(await turn(prepared, treeOf({ "/proc/net/dev": table(...rows) }))));
  assertEquals(await names(line("eth0", 1), line("veth0", 1)), ["eth0"]);
  assertEquals(await names(line("eth0", 1), line("wg0", 1)), ["eth0", "wg0"]);
  options.networkExclude = ["eth*"];
  assertEquals(await names(line("eth0", 1), line("wg0", 1), line("veth0", 1)), ["wg0", "veth0"]);
  assertEquals(await names(line("eth0", 1)), []);
});

Deno.test("network reports 64 of 500 interfaces, keeps their places and names the rest", async () => {
  const rows = (from: number) => Array.from({ length: 500 }, (_, at) => line(`wan${from + at}`, at));
  const prepared = network().prepare(hostOf(treeOf({ "/proc/net/dev": "" })));
  const first = await turn(prepared, treeOf({ "/proc/net/dev": table(...rows(0)) }));
  assertEquals(Object.keys(received(first)).length, INTERFACES_MAX);
  assertEquals(first.omitted, [{ what: "network", why: "436 interfaces above the limit of 64" }]);
  const second = await turn(
    prepared,
    treeOf({ "/proc/net/dev": table(line("new", 1), ...rows(0).reverse()) }),
  );
  assertEquals(Object.keys(received(second)).sort(), Object.keys(received(first)).sort());
});

Deno.test("network takes the first process's namespace of a foreign root", async () => {
  const tree = treeOf({
    "/proc/1/net/dev": table(line("eno1", 7)),
    "/proc/net/dev": table(line("eth0", 1)),
  });
  assertEquals(Object.keys(received(await turn(network().prepare(hostOf(tree)), tree))), ["eno1"]);
  const own = hostOf({ ...tree, facts: { isForeign: false } });
  assertEquals(network().prepare(own).files[0], "/proc/net/dev");
});

Deno.test("V19: ProtocolBlock reads by header name and refuses lines that do not match", () => {
  const block = new ProtocolBlock("Tcp");
  const values = block.read("Tcp: RtoMin MaxConn RetransSegs Foo\nTcp: 200 -1 42 9\n");
  assertEquals(values?.("RetransSegs"), 42);
  assertEquals(values?.("MaxConn"), undefined);
  assertEquals(values?.("InSegs"), undefined);
  const error = assertThrows(
    () => new ProtocolBlock("TcpExt").read("TcpExt: A B C\nTcpExt: 1 2\n"),
    SyntaxError,
  );
  assertEquals(error.message, 'Cannot parse "TcpExt: 1 2": 2 values, expected one for each name above');
  assertEquals(block.read("Tcp: A\nTcp: 1"), undefined, "an unterminated line is not trusted");
});

Deno.test("V25: softnet sums over CPUs, and the ledger undoes the wrap of one of them", () => {
  const boot = new BootClock({ bootId: undefined, plausibleNs: 0n });
  const ledger = new CounterLedger({ clock: boot, is32Bit: false });
  const prepared = softnet.prepare(hostOf(treeOf({})));
  let seconds = 1000;
  const processed = (...words: readonly string[]): number => {
    const rows = words.map((word) => [word, ...Array<string>(10).fill("00000000")].join(" ") + "\n");
    const found = new Recording({ timeNs: BigInt(++seconds) * 1_000_000_000n });
    collectInto(found, prepared, treeOf({ "/proc/net/softnet_stat": rows.join("") }));
    const point = found.points.find(({ series }) => series.descriptor.name.endsWith(".processed"));
    assert(point !== undefined);
    const value = ledger.observe(point.series, point.value, found.cycle)?.value;
    ledger.endCycle(found.cycle);
    return Number(value);
  };
  assertEquals(new CpuSum().add(new Map([[0, 0x19b9], [1, 0x3074]])), 18989);
  const before = processed("fffffffe", "0000000a");
  assertEquals(processed("00000001", "0000000a") - before, 3);
  assertEquals(processed("00000002") - before, 4, "a CPU that went offline keeps its share");
  assertEquals(processed("00000002", "0000000c") - before, 6);
});

Deno.test("cpuCount() counts ranges and refuses anything else", () => {
  assertEquals(cpuCount("0-3,5,8-9\n"), 7);
  assertEquals(cpuCount("0\n"), 1);
  for (const text of [undefined, "", "0-3", "0-\n", "x\n"]) assertEquals(cpuCount(text), undefined);
});

Deno.test("V18: countConnections() counts states of both families, zeros included", () => {
  const head = "  sl  local_address rem_address   st\n";
  const row = (state: string) => `   0: 0100007F:0016 00000000:0000 ${state} 00000000:00000000 00:00000000\n`;
  const { byState, unknown } = countConnections([
    head + ["0A", "0A", "01", "01", "01", "06", "03"].map(row).join(""),
    head + ["0A", "01", "1F"].map(row).join(""),
  ]);
  assertEquals(Object.fromEntries(byState), {
    established: 4,
    syn_sent: 0,
    syn_received: 1,
    fin_wait_1: 0,
    fin_wait_2: 0,
    time_wait: 1,
    closed: 0,
    close_wait: 0,
    last_ack: 0,
    listen: 3,
    closing: 0,
  });
  assertEquals(unknown, ["1F"]);
  assertThrows(() => countConnections([head + row("01") + "   1: 0100"]), SyntaxError);
});

Deno.test("connections is off by default and never read in the cycle", () => {
  const prepared = connections.prepare(hostOf(treeOf({ "/proc/net/tcp": "x\n" })));
  assertEquals(connections.on, false);
  assertEquals(prepared.files, []);
  assert((prepared.refreshMs ?? 0) >= 60_000);
});
