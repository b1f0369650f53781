/** `sonde exec` with awkward children: they end, hang, fork, flood and vanish as they would have without it. */
import { assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { inFolder, Program, sonde } from "./program.ts";

const shell = (script: string): string[] => ["exec", "--", "sh", "-c", script];

const endings: readonly { title: string; args: readonly string[]; code: number; stderr?: RegExp }[] = [
  { title: "exit 0", args: shell("exit 0"), code: 0 },
  { title: "exit 255", args: shell("exit 255"), code: 255 },
  { title: "killed by SIGKILL", args: shell("kill -KILL $$"), code: 137 },
  { title: "killed by SIGSEGV", args: shell("kill -SEGV $$"), code: 139 },
  { title: "killed by SIGTERM", args: shell("kill -TERM $$"), code: 143 },
  {
    title: "not found",
    args: ["exec", "--", "no-such-program"],
    code: 127,
    stderr: /"no-such-program" is not there/,
  },
  { title: "not found by path", args: ["exec", "--", "/no/such"], code: 127, stderr: /is not there/ },
  { title: "not executable", args: ["exec", "--", "/etc/passwd"], code: 126, stderr: /cannot be executed/ },
  { title: "a folder", args: ["exec", "--", "/etc"], code: 126, stderr: /cannot be executed/ },
];

for (const { title, args, code, stderr } of endings) {
  Deno.test(`exec: ${title} ends with ${code}`, async () => {
    await inFolder(async (folder) => {
      const found = await sonde(folder, args);
      assertEquals(found.code, code);
      if (stderr === undefined) assertEquals(found.stderr, "");
      else assertMatch(found.stderr, stderr);
    });
  });
}

for (const name of ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT", "WINCH"] as const) {
  Deno.test(`exec: passes SIG${name} on`, async () => {
    await inFolder(async (folder) => {
      const script = `trap 'echo got; exit 9' ${name}; echo ready; while :; do sleep 0.02; done`;
      await using program = new Program(folder, shell(script));
      await program.waitFor(({ stdout }) => stdout.includes("ready"));
      program.signal(`SIG${name}`);
      const { code, stdout } = await program.finish();
      assertEquals([code, stdout], [9, "ready\ngot\n"]);
    });
  });
}

Deno.test("exec: a signal that kills the job gives 128+n", async () => {
  await inFolder(async (folder) => {
    await using program = new Program(folder, shell("echo ready; exec sleep 60"));
    await program.waitFor(({ stdout }) => stdout.includes("ready"));
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 143);
  });
});

Deno.test("exec: input passes through, binary and to its end", async () => {
  await inFolder(async (folder) => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 3);
    await using program = new Program(folder, shell("cat > copy"), { stdin: "piped" });
    await program.write(bytes);
    assertEquals((await program.finish()).code, 0);
    assertEquals(Deno.readFileSync(`${folder}/copy`), bytes);
  });
});

Deno.test("exec: 100 MB of binary output pass through, byte by byte", async () => {
  await inFolder(async (folder) => {
    const make = "i=0; while [ $i -lt 100 ]; do cat block; i=$((i+1)); done";
    const block = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 2654435761) >>> 13);
    Deno.writeFileSync(`${folder}/block`, block);
    // The kernel's own copy is compared, so that this process need not hold it.
    const wrap = ["sh", "-c", '"$@" | cmp - whole && echo same', "sh"];
    Deno.writeFileSync(`${folder}/whole`, block);
    for (let i = 1; i < 100; i++) Deno.writeFileSync(`${folder}/whole`, block, { append: true });
    const { code, stdout, stderr } = await sonde(folder, shell(make), { wrap });
    assertEquals([code, stdout, stderr], [0, "same\n", ""]);
  });
});

Deno.test("exec: lines of both streams keep their order when both go to one place", async () => {
  await inFolder(async (folder) => {
    const script = "i=0; while [ $i -lt 50 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done";
    const wrap = ["sh", "-c", '"$@" > log 2>&1', "sh"];
    assertEquals((await sonde(folder, shell(script), { wrap })).code, 0);
    const expected = Array.from({ length: 50 }, (_, i) => `o${i}\ne${i}\n`).join("");
    assertEquals(Deno.readTextFileSync(`${folder}/log`), expected);
  });
});

Deno.test("exec: output appears while the job runs", async () => {
  await inFolder(async (folder) => {
    await using program = new Program(folder, shell("printf half; read line; echo done"), { stdin: "piped" });
    await program.waitFor(({ stdout }) => stdout === "half");
    await program.write("go\n");
    assertEquals((await program.finish()).stdout, "halfdone\n");
  });
});

Deno.test("exec: a reader that goes away ends the job as it would have without us", async () => {
  await inFolder(async (folder) => {
    const wrap = ["sh", "-c", '{ "$@"; echo $? > code; } | head -n 1', "sh"];
    const { code, stdout } = await sonde(folder, ["exec", "--", "yes"], { wrap });
    assertEquals([code, stdout], [0, "y\n"]);
    assertEquals(Deno.readTextFileSync(`${folder}/code`).trim(), "141");
  });
});

Deno.test("exec: a closed standard output does not hurt", async () => {
  await inFolder(async (folder) => {
    const wrap = ["sh", "-c", '"$@" >&-', "sh"];
    assertEquals((await sonde(folder, shell("exit 5"), { wrap })).code, 5);
  });
});

Deno.test("exec: what the job leaves running is not waited for", async () => {
  await inFolder(async (folder) => {
    const begunMs = performance.now();
    const { code, stdout } = await sonde(folder, shell("sleep 20 & echo $! > pid; echo left"));
    assertEquals([code, stdout], [0, "left\n"]);
    assertLess(performance.now() - begunMs, 5_000);
    const pid = Number(Deno.readTextFileSync(`${folder}/pid`));
    Deno.kill(pid, "SIGKILL");
  });
});

Deno.test("exec --timeout: ends the job and its children with 124", async () => {
  await inFolder(async (folder) => {
    const args = ["exec", "--timeout", "300ms", "--", "sh", "-c", "sleep 30 & echo $! > pid; wait"];
    const { code, stderr } = await sonde(folder, args);
    assertEquals(code, 124);
    assertMatch(stderr, /took longer than --timeout/);
    const pid = Number(Deno.readTextFileSync(`${folder}/pid`));
    const state = () => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.[0];
      } catch {
        return "gone";
      }
    };
    assertMatch(state() ?? "gone", /^(gone|Z)$/);
  });
});

Deno.test("exec --timeout: a job that ignores SIGTERM is killed 5 s later", async () => {
  await inFolder(async (folder) => {
    const begunMs = performance.now();
    const script = "trap '' TERM; while :; do sleep 0.05; done";
    const { code } = await sonde(folder, ["exec", "--timeout", "100ms", "--", "sh", "-c", script]);
    assertEquals(code, 124);
    // Real time: the escalation is what is tested.
    const tookMs = performance.now() - begunMs;
    assertGreaterOrEqual(tookMs, 5_000);
    assertLess(tookMs, 8_000);
  });
});
