/**
 * Makes the pictures of docs/: `once`, `top` and `doctor` as a terminal shows them, against a backend of this script's
 * own on loopback. What differs from run to run (names, ports, times) is put in its usual form.
 * @module
 */
import { ok } from "../tests/fault_behaviours.ts";
import { FaultServer } from "../tests/fault_server.ts";
import { svgOf } from "./ansi_svg.ts";
import { print, root } from "./terminal.ts";

const COLUMNS = 84;
const FLAGS = ["run", "-A", "--no-prompt", "--no-check", "--v8-flags=--lite-mode", `${root}/main.ts`];

interface Stage {
  readonly folder: string;
  readonly server: FaultServer;
}

function command({ folder, server }: Stage, args: readonly string[]): Deno.Command {
  const settings = ["--endpoint", server.url, "--state-dir", `${folder}/state`, "--interval", "1s"];
  return new Deno.Command("script", {
    args: [
      "-qec",
      `stty cols ${COLUMNS} rows 40; exec ${[Deno.execPath(), ...FLAGS, ...args, ...settings].join(" ")}`,
      "/dev/null",
    ],
    env: { TERM: "xterm-256color", SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  });
}

/** Names and places of this machine are nobody's business, and would change with every recording. */
function tidied(text: string, { folder, server }: Stage): string {
  return text
    .replaceAll("\r", "")
    // deno-lint-ignore no-control-regex -- the runtime clears its own line before the program begins
    .replaceAll(/\x1b\[0G\x1b\[2K\x1b\[J/g, "")
    .replaceAll(Deno.hostname(), "edge-7")
    .replaceAll(`${folder}/state`, "/var/lib/sonde")
    .replaceAll(`127.0.0.1:${server.port}`, "127.0.0.1:4318")
    .replaceAll(/pid \d+/g, "pid 4711");
}

async function recorded(stage: Stage, args: readonly string[]): Promise<string> {
  const { stdout } = await command(stage, args).output();
  return tidied(new TextDecoder().decode(stdout), stage);
}

async function write(name: string, text: string): Promise<void> {
  const title = `sonde ${name}`;
  await Deno.writeTextFile(`${root}/docs/${name}.svg`, svgOf(text, { title, columns: COLUMNS }));
  print(`docs/${name}.svg: ${text.trimEnd().split("\n").length} lines`);
}

/** The last of several blocks that `top` prints. */
function lastBlock(text: string): string {
  return text.trimEnd().split("\n\n").join("\n\n").split(/(?=^\S*sonde \d)/m).at(-1) ?? "";
}

async function record(stage: Stage): Promise<void> {
  await write("once", await recorded(stage, ["once", "--dry-run", "--format", "table"]));
  await write("doctor", await recorded(stage, ["doctor"]));
  const agent = command(stage, ["run"]).spawn();
  try {
    await stage.server.waitFor(stage.server.requests.length + 3);
    await write("top", lastBlock(await recorded(stage, ["top", "--count", "2", "--color", "always"])));
  } finally {
    agent.kill("SIGTERM");
    await agent.output();
  }
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "s" });
  await using server = new FaultServer(ok);
  try {
    await record({ folder, server });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
