/** `sonde exec` on a terminal: the job keeps it, and Ctrl-C reaches the job once. Python makes the pseudo-terminal. */
import { assertEquals, assertMatch } from "@std/assert";
import { inFolder, sonde } from "./program.ts";

/** Runs its arguments on a terminal, types what `KEYS` says once "ready" was printed, and ends with the same code. */
const TERMINAL = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen, typed = b"", False
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if b"ready" in seen and not typed:
        typed = True
        os.write(fd, os.environ.get("KEYS", "").encode())
sys.stdout.write(seen.decode())
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const onTerminal = (folder: string, script: string, keys = "") =>
  sonde(folder, ["exec", "--", "sh", "-c", script], {
    wrap: ["python3", "-c", TERMINAL],
    env: { KEYS: keys },
  });

Deno.test("exec: a job on a terminal has that terminal", async () => {
  await inFolder(async (folder) => {
    const script = "test -t 0 && test -t 1 && test -t 2 && echo terminal; exit 6";
    const { code, stdout } = await onTerminal(folder, script);
    assertEquals([code, stdout.trim()], [6, "terminal"]);
  });
});

Deno.test("exec: Ctrl-C on a terminal reaches the job once", async () => {
  await inFolder(async (folder) => {
    const loop = "i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done";
    const script = `n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready; ${loop}; exit $n`;
    const { code, stdout } = await onTerminal(folder, script, "\x03");
    assertEquals(code, 1, stdout);
    assertMatch(stdout, /got 1/);
  });
});
