/** Resource attributes under a destination's own key (vendors.md 1.2): every kind of data, and nobody else's. */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { CopiedResource, withCopies } from "../exporters/resource_copies.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { inFolder, sonde } from "./program.ts";

const COPIES = { "vendor.host": "host.name" };

Deno.test("withCopies() copies what is there and keeps what is given", () => {
  const copied: Record<string, unknown> = withCopies({ "host.name": "a" }, COPIES);
  assertEquals(copied, { "host.name": "a", "vendor.host": "a" });
  assertEquals(withCopies({ "host.name": "a", "vendor.host": "b" }, COPIES)["vendor.host"], "b");
  const without = { "host.id": "x" };
  assertStrictEquals(withCopies(without, COPIES), without);
  assertStrictEquals(withCopies(without, undefined), without);
});

Deno.test("CopiedResource.of() gives one object for one object", () => {
  const copied = new CopiedResource(COPIES);
  const [one, other] = [{ "host.name": "a" }, { "host.name": "b" }];
  assertStrictEquals(copied.of(one), copied.of(one));
  assertEquals([copied.of(other)["vendor.host"], copied.of(one)["vendor.host"]], ["b", "a"]);
});

Deno.test("Datadog's OTLP intake is told the host by name in all data, other destinations are not", async () => {
  await using vendor = new FaultServer(ok);
  await using plain = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = {
      SONDE_DESTINATIONS: "dog,other",
      SONDE_DOG_PRESET: "datadog_otlp",
      SONDE_DOG_REGION: "datadoghq.eu",
      SONDE_DOG_API_KEY: "0123456789abcdef0123456789abcdef",
      SONDE_DOG_ENDPOINT: vendor.url,
      SONDE_DOG_PROTOCOL: "http/json",
      SONDE_OTHER_ENDPOINT: plain.url,
      SONDE_OTHER_PROTOCOL: "http/json",
      SONDE_RESOURCE_ATTRIBUTES: "host.name=web-1,host.id=0af3",
    };
    for (const args of [["once"], ["emit", "histogram", "took", "1"], ["emit", "log", "said"]]) {
      const { code, stderr } = await sonde(folder, args, { env });
      assertEquals(code, 0, stderr);
    }
  });
  for (const [server, wanted] of [[vendor, "web-1"], [plain, undefined]] as const) {
    const requests = await Promise.all(server.requests.map(readRequest));
    assertEquals(requests.map(({ resource }) => resource["datadog.host.name"]), [wanted, wanted, wanted]);
    assertEquals(requests.map(({ resource }) => resource["host.name"]), ["web-1", "web-1", "web-1"]);
  }
});
