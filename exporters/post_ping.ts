/**
 * One request to a monitor that waits for jobs to report: the common `URL/start`, `URL`, `URL/fail`. Never throws: a
 * monitor that is away is no matter of the job.
 * @module
 */

/** What is reported. */
export type PingEvent = "start" | "success" | "failure";

export interface Ping {
  readonly event: PingEvent;
  /** The last of the job's output; may be empty. */
  readonly body?: string;
  readonly timeoutMs: number;
}

const SUFFIXES: Readonly<Record<PingEvent, string>> = { start: "/start", success: "", failure: "/fail" };

/** Where an event goes; a query stays behind the path. */
export function pingUrl(url: string, event: PingEvent): string {
  const target = new URL(url);
  target.pathname = target.pathname.replace(/\/+$/, "") + SUFFIXES[event];
  return target.href;
}

/** Reports; resolves to what went wrong, without the address, which is a secret. */
export async function ping(url: string, { event, body = "", timeoutMs }: Ping): Promise<string | undefined> {
  try {
    const response = await fetch(pingUrl(url, event), {
      method: "POST",
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `the monitor answered ${response.status}`;
  } catch (error) {
    return error instanceof DOMException ? "the monitor does not answer" : "the monitor cannot be reached";
  }
}
