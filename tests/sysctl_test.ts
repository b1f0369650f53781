/**
 * Which names of kernel parameters are files, and which are refused.
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { sysctl } from "../collectors/sysctl.ts";
import { hostOf, treeOf } from "./fixture_host.ts";

const filesOf = (...names: string[]) => sysctl({ sysctl: names }).prepare(hostOf(treeOf({}))).files;

Deno.test("sysctl() takes dots or slashes, whichever comes first", () => {
  assertEquals(
    filesOf("vm.swappiness", "kernel/pid_max", "net/ipv4/conf/eth0.5/mtu", "net.ipv4.conf.eth0/5.mtu"),
    [
      "/proc/sys/vm/swappiness",
      "/proc/sys/kernel/pid_max",
      "/proc/sys/net/ipv4/conf/eth0.5/mtu",
      "/proc/sys/net/ipv4/conf/eth0/5/mtu",
    ],
  );
});

Deno.test("sysctl() reads a parameter named twice once, and none by default", () => {
  assertEquals(filesOf("vm.swappiness", "vm.swappiness"), ["/proc/sys/vm/swappiness"]);
  assertEquals(filesOf(), []);
});

Deno.test("sysctl() refuses names that lead out of /proc/sys or are none", () => {
  for (
    const name of [
      "",
      ".",
      "..",
      "/etc/passwd",
      "vm/../../../etc/passwd",
      "vm..swappiness",
      "vm/",
      "a b",
      "a\nb",
    ]
  ) {
    assertThrows(() => sysctl({ sysctl: [name] }), RangeError, "expected a name such as");
  }
});
