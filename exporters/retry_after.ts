/**
 * The Retry-After header in both its forms (RFC 9110 10.2.3, otlp 4.4). A date is read against the answer's own
 * Date header, so a wrong clock on this host changes nothing.
 * @module
 */

const SECONDS = /^\d+$/;
/** Never an immediate retry, whatever the server says. */
const WAIT_MIN_MS = 100;
/** Added on top, so that a fleet told "20" does not return in one instant. */
const JITTER_PART = 0.1;

const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 = /^[A-Z][a-z]+, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})$/;

/** Milliseconds since 1970 of an HTTP-date (IMF-fixdate, RFC 850 or asctime); undefined when it is none. */
export function parseHttpDate(text: string): number | undefined {
  const rfc850 = RFC_850.exec(text);
  const asctime = ASCTIME.exec(text);
  let normal: string;
  if (IMF_FIXDATE.test(text)) normal = text;
  else if (rfc850) normal = `${rfc850[1]} ${rfc850[2]} ${century(Number(rfc850[3]))} ${rfc850[4]} GMT`;
  else if (asctime) normal = `${asctime[2]} ${asctime[1]} ${asctime[4]} ${asctime[3]} GMT`;
  else return undefined;
  const ms = Date.parse(normal);
  return Number.isNaN(ms) ? undefined : ms;
}

/** RFC 850 years have two digits; 70 and above belong to the last century. */
function century(year: number): number {
  return year >= 70 ? 1900 + year : 2000 + year;
}

/** What the wait is computed from beside the header. */
export interface RetryAfterContext {
  /** The answer's Date header. */
  readonly date: string | null;
  readonly wallMs: number;
  readonly maxMs: number;
  readonly random: () => number;
}

/**
 * Milliseconds to wait, never less than asked unless the cap says so; undefined when the header is absent,
 * malformed or names a time that has passed, which all mean ordinary backoff.
 */
export function retryAfterMs(value: string | null, context: RetryAfterContext): number | undefined {
  const asked = askedMs(value?.trim() ?? "", context);
  if (asked === undefined) return undefined;
  const wait = Math.max(WAIT_MIN_MS, Math.min(asked, context.maxMs));
  return wait * (1 + JITTER_PART * context.random());
}

/** Seconds since 1970 rather than seconds from now: no server asks to wait for thirty years. */
const EPOCH_SECONDS_MIN = 1e9;
/** The same in milliseconds. */
const EPOCH_MS_MIN = 1e12;

/**
 * A rate limit's reset as a Retry-After: some servers send the seconds that are left, others the time, in seconds or
 * milliseconds since 1970. Null when that time has passed.
 */
export function resetSeconds(
  value: string | null,
  { date, wallMs }: Pick<RetryAfterContext, "date" | "wallMs">,
): string | null {
  const text = value?.trim() ?? "";
  const reset = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(reset >= EPOCH_SECONDS_MIN)) return value;
  const atMs = reset >= EPOCH_MS_MIN ? reset : reset * 1000;
  const served = date === null ? undefined : parseHttpDate(date.trim());
  const wait = Math.ceil((atMs - (served ?? wallMs)) / 1000);
  return wait < 0 ? null : String(wait);
}

function askedMs(value: string, context: RetryAfterContext): number | undefined {
  const date = parseHttpDate(value);
  if (date !== undefined) {
    const served = context.date === null ? undefined : parseHttpDate(context.date.trim());
    const wait = date - (served ?? context.wallMs);
    return wait < 0 ? undefined : wait;
  }
  // Two Retry-After headers arrive joined by a comma: the longer wait satisfies both.
  const parts = value.split(",").map((part) => part.trim());
  if (!parts.every((part) => SECONDS.test(part))) return undefined;
  return Math.max(...parts.map(Number)) * 1000;
}
