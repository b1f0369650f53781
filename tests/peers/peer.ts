/**
 * Tests that need another program: they run where its toolchain is, are skipped with a printed reason where it
 * is not, and fail there when CI=true, so that CI can never lose a peer unnoticed (design 11).
 * @module
 */

/** Registers a test that needs a peer; `absence` says why the peer cannot be had here, undefined: it can. */
export function peerTest(
  title: string,
  absence: string | undefined,
  run: (context: Deno.TestContext) => Promise<void>,
): void {
  if (absence === undefined) {
    Deno.test(title, run);
    return;
  }
  if (Deno.env.get("CI") === "true") {
    Deno.test(title, () => {
      throw new Error(`Cannot skip a peer in CI: ${absence}`);
    });
    return;
  }
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${title}: ${absence}\n`));
  Deno.test({ name: title, ignore: true, fn: run });
}
