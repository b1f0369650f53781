/**
 * What a lane works with, handed to it by whoever composes it: the courier, the library or a test.
 * @module
 */
import type { LaneSpool } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import type { LogRecord } from "./messages.ts";
import type { Poster } from "./post.ts";
import type { QueueBudget } from "./queue.ts";

/** What lanes to one origin share: a 503 with Retry-After speaks for the whole server (otlp 4.4). */
export interface OriginPause {
  untilMs: number;
}

/** What a lane works with. */
export interface LaneParts {
  readonly poster: Poster;
  readonly clock: Clock;
  readonly budget: QueueBudget;
  readonly origin: OriginPause;
  readonly spool?: LaneSpool;
  /** True: every batch is written before its first attempt. */
  readonly spoolAlways?: boolean;
  readonly log: (record: LogRecord) => void;
  /** Something in the report changed. */
  readonly changed: () => void;
}
