/**
 * Somebody with a wrong key and no documentation: from the first failure to delivered data by what sonde itself says to
 * type, and by nothing else.
 */
import { assert, assertEquals, assertExists } from "@std/assert";
import { answer, type Behaviour, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";
import { inTerminal, plainText } from "./terminal.ts";

const RIGHT = "the-right-key-0123456789";
const WRONG = "the-wrong-key-9876543210";

/** A backend that takes one key only. */
const guarded: Behaviour = {
  answer: (request, exchange) => {
    const isRight = Object.values(request.headers).some((value) => value.includes(RIGHT));
    return (isRight ? ok : answer(401, { body: "no such key" })).answer(request, exchange);
  },
};

/** The first command that a text says to type, without the program's name. */
function nextCommand(text: string): string[] {
  const words = /(?:[Tt]ype|Next:) sonde ([a-z]+)/.exec(text.replaceAll(/\s+/g, " "));
  assertExists(words?.[1], `no command in:\n${text}`);
  return [words[1]];
}

Deno.test("a newcomer with a wrong key gets to delivered data by the printed next commands", async () => {
  await using server = new FaultServer(guarded);
  await inFolder(async (folder) => {
    const file = `${folder}/sonde.env`;
    Deno.writeTextFileSync(file, `SONDE_ENDPOINT=${server.url}\nSONDE_API_KEY=${WRONG}\n`, { mode: 0o600 });
    const env = { SONDE_ENV_FILE: file };

    const once = await sonde(folder, ["once"], { env });
    assertEquals(once.code, 77, once.stderr);
    const first = nextCommand(once.stderr);
    assertEquals(first, ["doctor"]);

    const doctor = await sonde(folder, first, { env });
    assertEquals(doctor.code, 77, doctor.stdout);
    assert(doctor.stdout.includes(`${file}:2`), doctor.stdout);
    const second = nextCommand(doctor.stdout);
    assertEquals(second, ["setup"]);

    const places = {
      ...env,
      SONDE_STATE_DIR: `${folder}/state`,
      SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
    };
    const { code, output } = await inTerminal(folder, second, {
      env: places,
      // What is there stays with a return; only the key is typed.
      steps: [
        { expect: "Where to", send: "\r" },
        { expect: "Key", send: `${RIGHT}\r` },
        { expect: "Name of this host", send: "\r" },
        { expect: "Write this", send: "yes\r" },
      ],
    });
    assertEquals(code, 0, output);
    const third = nextCommand(plainText(output));
    assertEquals(third, ["run"]);

    const before = server.requests.length;
    await using agent = new Program(folder, third, { env });
    await server.waitFor(before + 1);
    const healthy = await sonde(folder, ["status", "--healthy"], { env });
    assertEquals([healthy.code, agent.stderr.includes("401")], [0, false], healthy.stderr);
  });
});
