/**
 * What short verbs cost: help, and `exec -- true` without a destination, beside a running agent, and delivering by
 * itself. Runs of all kinds take turns, so that a busy moment of the machine meets all alike.
 * `deno run -A scripts/bench_verbs.ts [ROUNDS] [BINARY]` prints these figures alone.
 * @module
 */
import { end } from "../tests/peers/child.ts";
import { median, rounded } from "./bench_figures.ts";
import { endedChildrenCpuMs } from "./bench_proc.ts";
import { BARE, type Command, measureExit, sondeCommand, spawn, withSink } from "./bench_process.ts";
import { print, say } from "./terminal.ts";

/** What a start costs beyond that of the empty program, and for `exec` beyond the job itself. Milliseconds. */
export interface Added {
  /** From spawn to exit, median. */
  readonly wallMs: number;
  /** User and system, mean. */
  readonly cpuMs: number;
}

export interface VerbFigures {
  /** `--help`. */
  readonly help: Added;
  /** `exec -- true`: nothing is sent. */
  readonly execAlone: Added;
  /** `exec -- true`: a running agent takes the data over. */
  readonly execBesideAgent: Added;
  /** `exec -- true`: delivered before it ends. */
  readonly execDelivering: Added;
}

type Env = Readonly<Record<string, string>>;

/** One kind of run and what its rounds took. */
class Kind {
  readonly #command: Command;
  readonly #env: Env;
  readonly #walls: number[] = [];
  #cpuMs = 0;

  constructor(command: Command, env: Env) {
    this.#command = command;
    this.#env = env;
  }

  /** One run more; the first one fills caches and does not count. */
  async run(isCounted: boolean): Promise<void> {
    const before = endedChildrenCpuMs();
    const wallMs = await measureExit(this.#command, this.#env);
    if (!isCounted) return;
    this.#walls.push(wallMs);
    this.#cpuMs += endedChildrenCpuMs() - before;
  }

  /** Less what others take. */
  beyond(...others: readonly Kind[]): Added {
    const less = (own: number, of: (kind: Kind) => number) =>
      others.reduce((rest, other) => rest - of(other), own);
    const wall = (kind: Kind) => median(kind.#walls);
    const cpu = (kind: Kind) => kind.#cpuMs / kind.#walls.length;
    return { wallMs: less(wall(this), wall), cpuMs: less(cpu(this), cpu) };
  }
}

async function measureKinds(
  command: Command,
  rounds: number,
  { alone, agent, delivering }: { readonly alone: Env; readonly agent: Env; readonly delivering: Env },
): Promise<VerbFigures> {
  const exec: Command = [...command, "exec", "--", "true"];
  const [bare, job] = [new Kind(BARE, {}), new Kind(["true"], {})];
  const kinds = {
    help: new Kind([...command, "--help"], alone),
    execAlone: new Kind(exec, alone),
    execBesideAgent: new Kind(exec, agent),
    execDelivering: new Kind(exec, delivering),
  };
  for (let round = 0; round <= rounds; round++) {
    for (const kind of [bare, job, ...Object.values(kinds)]) await kind.run(round > 0);
  }
  return {
    help: kinds.help.beyond(bare),
    execAlone: kinds.execAlone.beyond(bare, job),
    execBesideAgent: kinds.execBesideAgent.beyond(bare, job),
    execDelivering: kinds.execDelivering.beyond(bare, job),
  };
}

/** Measures all of them, so many rounds. */
export function measureVerbs(command: Command, rounds: number): Promise<VerbFigures> {
  return withSink((_sink, delivering) =>
    withSink(async (sink, env) => {
      const agent = { ...env, SONDE_INTERVAL: "1h" };
      const running = spawn([...command, "run"], agent);
      try {
        await sink.received(1, 30_000);
        const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...alone } = delivering;
        return await measureKinds(command, rounds, { alone, agent, delivering });
      } finally {
        await end(running);
      }
    })
  );
}

async function main(): Promise<number> {
  const [rounds = "15", binary] = Deno.args;
  if (!/^[1-9]\d{0,3}$/.test(rounds)) {
    say(`Cannot measure "${rounds}" rounds: expected a number`);
    return 64;
  }
  const figures = await measureVerbs(sondeCommand(binary), Number(rounds));
  print(JSON.stringify(figures, rounded, 2));
  return 0;
}

if (import.meta.main) Deno.exit(await main());
