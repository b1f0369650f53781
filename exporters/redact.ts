/**
 * A backend that refuses a key likes to repeat it in its answer. Its words are taken over without any value this
 * destination was sent in a header, before they can reach a log, a status or a terminal (otlp 4.6).
 * @module
 */
import type { Outcome } from "./outcome.ts";

const MASK = "****";
/** Shorter values are words, not secrets: masking them would garble the answer. */
const SECRET_CHARS_MIN = 6;
/** What is no secret in any request. */
const OPEN: readonly string[] = [
  "user-agent",
  "content-type",
  "accept",
  "accept-encoding",
  "content-encoding",
];

/** The forms in which a header's value may come back: whole, without its scheme, and basic credentials decoded. */
function formsOf(value: string): string[] {
  const token = value.slice(value.indexOf(" ") + 1);
  const forms = [value, token];
  if (value.startsWith("Basic ")) {
    try {
      const pair = atob(token);
      forms.push(pair, pair.slice(pair.indexOf(":") + 1));
    } catch {
      // Not base64: then there is nothing behind it.
    }
  }
  return forms.filter((form) => form.length >= SECRET_CHARS_MIN);
}

/** The text with every header value taken out, the longest first. */
export function withoutSecrets(text: string, headers: Readonly<Record<string, string>>): string {
  const secrets = Object.entries(headers).filter(([name]) => !OPEN.includes(name))
    .flatMap(([, value]) => formsOf(value));
  return secrets.sort((a, b) => b.length - a.length).reduce(
    (left, secret) => left.replaceAll(secret, MASK),
    text,
  );
}

/** The outcome with the same done to its words. */
export function redacted(outcome: Outcome, headers: Readonly<Record<string, string>>): Outcome {
  const { message } = outcome;
  return message === undefined ? outcome : { ...outcome, message: withoutSecrets(message, headers) };
}
