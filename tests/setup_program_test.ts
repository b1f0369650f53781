/** `sonde setup`: asked in a terminal and told by flags; what is written, what stays, and that a cancel leaves nothing. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";
import { inTerminal, type Step } from "./terminal.ts";

const KEY = "planted-key-4711";

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("setup --yes tries a delivery and writes a file of mode 0600 that loads", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const path = `${folder}/new/sonde.env`;
    Deno.writeTextFileSync(`${folder}/key`, `${KEY}\n`, { mode: 0o600 });
    const args = [
      "setup",
      "--yes",
      "-c",
      path,
      "--preset",
      "otlp",
      "--endpoint",
      server.url,
      "--key-file",
      "key",
    ];
    const { code, stdout, stderr } = await sonde(folder, args);
    assertEquals([code, stdout], [0, ""], stderr);
    assertEquals(
      Deno.readTextFileSync(path),
      `SONDE_PRESET=otlp\nSONDE_ENDPOINT=${server.url}\nSONDE_API_KEY=${KEY}\n`,
    );
    assertEquals(modeOf(path), 0o600);
    assertStringIncludes(stderr, "+ SONDE_API_KEY=****");
    assert(!stderr.includes(KEY));
    assertEquals((await sonde(folder, ["check", "--strict", "-c", path])).code, 0);
  });
  assertEquals(server.requests.length, 1);
  assertEquals(server.requests[0]?.headers["authorization"], `Bearer ${KEY}`);
});

Deno.test("setup --yes writes nothing when the backend refuses, and ends with its code", async () => {
  await using server = new FaultServer(answer(401));
  await inFolder(async (folder) => {
    const path = `${folder}/sonde.env`;
    Deno.writeTextFileSync(path, "# mine\nSONDE_INTERVAL=30s\n");
    const { code, stderr } = await sonde(folder, ["setup", "--yes", "-c", path, "--endpoint", server.url]);
    assertEquals(code, 77, stderr);
    assertStringIncludes(stderr, "nothing was written");
    assertEquals(Deno.readTextFileSync(path), "# mine\nSONDE_INTERVAL=30s\n");
    assertEquals(
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes("tmp")),
      [],
    );
  });
});

Deno.test("setup keeps comments, order and keys it does not know, and begins with an imported file", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const path = `${folder}/sonde.env`;
    Deno.writeTextFileSync(
      path,
      "# site\nOTHER=1\nSONDE_ENDPOINT=http://127.0.0.1:4399 # old\n\nSONDE_INTERVAL=30s\n",
    );
    const first = await sonde(folder, ["setup", "--yes", "-c", path, "--endpoint", server.url]);
    assertEquals(first.code, 0, first.stderr);
    const expected = `# site\nOTHER=1\nSONDE_ENDPOINT=${server.url}\n\nSONDE_INTERVAL=30s\n`;
    assertEquals(Deno.readTextFileSync(path), expected);
    const second = `${folder}/second.env`;
    const import_ = ["setup", "--yes", "-c", second, "--import", path, "--endpoint", server.url];
    assertEquals((await sonde(folder, import_)).code, 0);
    assertEquals(Deno.readTextFileSync(second), expected);
  });
});

Deno.test("setup --yes leaves a file readable to its group, which the service reads it by, and to nobody else", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const [before, after] of [[0o640, 0o640], [0o644, 0o640], [0o600, 0o600]] as const) {
      const path = `${folder}/sonde.env`;
      Deno.writeTextFileSync(path, "");
      Deno.chmodSync(path, before);
      const { code, stderr } = await sonde(folder, ["setup", "--yes", "-c", path, "--endpoint", server.url]);
      assertEquals([code, modeOf(path)], [0, after], stderr);
    }
  });
});

Deno.test("setup --yes --import takes over an older agent's file as it is, tried and not shown", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const [older, path] = [`${folder}/.older`, `${folder}/sonde.env`];
    const text =
      `# kept\nEXPORTER_TYPE=otlp_http\nOTLP_HTTP_ENDPOINT=${server.url}/in\nOTLP_HTTP_HEADERS=x-key=${KEY}\n`;
    Deno.writeTextFileSync(older, text);
    const { code, stderr } = await sonde(folder, ["setup", "--yes", "-c", path, "--import", older]);
    assertEquals(code, 0, stderr);
    assertEquals([Deno.readTextFileSync(path), modeOf(path)], [text, 0o600]);
    assertStringIncludes(stderr, `imported from ${older}`);
    assert(!stderr.includes(KEY));
  });
  assertEquals([server.requests[0]?.path, server.requests[0]?.headers["x-key"]], ["/in", KEY]);
});

Deno.test("setup in a terminal asks three things, hides the key, and writes after a yes", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const path = `${folder}/sonde.env`;
    const steps: Step[] = [
      { expect: "Where to", send: `${server.url}\r` },
      { expect: "Key", send: `${KEY}x\x7f\r` },
      { expect: "Name of this host", send: "edge 7\r" },
      { expect: "Write this", send: "yes\r" },
    ];
    const { code, output, restored, unplayed } = await inTerminal(folder, ["setup", "-c", path], { steps });
    assertEquals([code, restored, unplayed], [0, true, 0], output);
    assert(!output.includes(KEY), output);
    const text = Deno.readTextFileSync(path);
    assertMatch(text, new RegExp(`^SONDE_API_KEY=${KEY}$`, "m"));
    assertMatch(text, /^SONDE_RESOURCE_ATTRIBUTES=host\.name=edge%207$/m);
    assertEquals(modeOf(path), 0o600);
  });
});

const ways: readonly (readonly [name: string, steps: Step[]])[] = [
  ["the word cancel", [{ expect: "Where to", send: "cancel\r" }]],
  ["Ctrl-C at a question", [{ expect: "Where to", send: "\x03" }]],
  ["Ctrl-D at a question", [{ expect: "Where to", send: "\x04" }]],
  ["Ctrl-C at the key", [{ expect: "Where to", send: "otlp\r" }, { expect: "Key", send: "ab\x03" }]],
  ["Ctrl-D at the key", [{ expect: "Where to", send: "otlp\r" }, { expect: "Key", send: "\x04" }]],
  ["a TERM", [{ expect: "Where to", signal: 15 }]],
];

for (const [name, steps] of ways) {
  Deno.test(`setup: ${name} ends it with 130, the terminal as it was and nothing behind`, async () => {
    await inFolder(async (folder) => {
      const { code, output, restored } = await inTerminal(folder, ["setup", "-c", `${folder}/sonde.env`], {
        steps,
      });
      assertEquals([code, restored], [130, true], output);
      assertStringIncludes(output, "cancelled, nothing was written");
      assertEquals(
        [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((each) => each.endsWith("env")),
        [],
      );
    });
  });
}

Deno.test("setup says no and the file stays as it was", async () => {
  await using server = new FaultServer(answer(503));
  await inFolder(async (folder) => {
    const path = `${folder}/sonde.env`;
    Deno.writeTextFileSync(path, "# mine\n");
    const steps: Step[] = [
      { expect: "Where to", send: `${server.url}\r` },
      { expect: "Key", send: "\r" },
      { expect: "Name of this host", send: "\r" },
      { expect: "Write this all the same", send: "\r" },
    ];
    const { code, output } = await inTerminal(folder, ["setup", "-c", path], { steps });
    assertEquals(code, 130, output);
    assertEquals(Deno.readTextFileSync(path), "# mine\n");
  });
});
