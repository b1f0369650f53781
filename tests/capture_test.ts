/** scripts/capture.ts: what a recording says is what the host said, without names, addresses and serials. */
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { Scrubber } from "../scripts/scrub.ts";
import { inFolder } from "./program.ts";
import { printed } from "./root_tree.ts";

const scrubber = new Scrubber(["pluto"]);

Deno.test("Scrubber takes out names and addresses and keeps the form of the text", () => {
  const cases: readonly (readonly [path: string, text: string, clean: string])[] = [
    ["/proc/sys/kernel/hostname", "pluto\n", "host\n"],
    ["/etc/machine-id", "d41d8cd98f00b204e9800998ecf8427e\n", `${"1".padStart(32, "0")}\n`],
    ["/sys/class/dmi/id/product_serial", "ABC-123\n", "scrubbed\n"],
    ["/proc/net/dev", "  eth0: 1 2\n", "  eth0: 1 2\n"],
    ["/proc/meminfo", "MemTotal: 25276502 kB\n", "MemTotal: 25276502 kB\n"],
    ["/proc/diskstats", " 254 0 vda 403439 54063 11638290\n", " 254 0 vda 403439 54063 11638290\n"],
    ["/proc/net/tcp", "0: 0100007F:1538 0A00020F:0016 0A\n", "0: 00000000:1538 00000000:0016 0A\n"],
    [
      "/proc/1/mountinfo",
      "41 27 0:45 / /nas rw - nfs4 nas.example.com:/x rw\n",
      "41 27 0:45 / /nas rw - nfs4 server1:/x rw\n",
    ],
    [
      "/proc/1/mountinfo",
      "42 27 8:2 / /home/eve rw - ext4 /dev/sdb rw\n",
      "42 27 8:2 / /home/user2 rw - ext4 /dev/sdb rw\n",
    ],
  ];
  const fresh = new Scrubber(["pluto"]);
  for (const [path, text, clean] of cases) assertEquals(fresh.scrub(path, text), clean, path);
});

Deno.test("Scrubber gives the same thing the same word, and leaves loopback alone", () => {
  const clean = scrubber.scrub("/etc/x", "10.0.0.7 10.0.0.8 10.0.0.7 127.0.0.1 aa:bb:cc:dd:ee:ff on pluto");
  const [first, second, third, loopback, mac, , host] = clean.split(" ");
  assertEquals([first, loopback, host], [third, "127.0.0.1", "host"]);
  assert(first !== second);
  assertNotMatch(clean, /10\.0\.0|aa:bb/);
  assertEquals(mac?.startsWith("02:00:00:"), true);
});

Deno.test("capture records a host that says the same when it is replayed", () =>
  inFolder(async (folder) => {
    const script = new URL("../scripts/capture.ts", import.meta.url).pathname;
    const { success, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, `${folder}/host`],
    }).outputSync();
    assert(success, new TextDecoder().decode(stderr));
    const live = await printed(folder, []);
    const replayed = await printed(folder, ["--root", `${folder}/host/t0`]);
    // The kernel can only be asked about its clock while it runs, and a recording has no disk of its own.
    const unlike = /^(sonde|system\.(clock|filesystem|process\.count))/;
    const names = ({ points }: typeof live) =>
      [...new Set(points.map(({ name }) => name))].filter((name) => !unlike.test(name));
    assertEquals(names(replayed), names(live));
    const own = Deno.hostname();
    const texts = JSON.stringify(replayed.resource);
    assert(own.length < 2 || !texts.includes(`"${own}"`), texts);
    assertEquals(replayed.value("system.cpu.logical.count"), live.value("system.cpu.logical.count"));
  }));
