/** Header values in a backend's words, in every form they may come back. */
import { assertEquals } from "@std/assert";
import { redacted, withoutSecrets } from "../exporters/redact.ts";

const rows: readonly (readonly [text: string, headers: Record<string, string>, clean: string])[] = [
  ["bad key s3cret-value!", { "x-key": "s3cret-value" }, "bad key ****!"],
  ["Bearer tok-12345 expired", { authorization: "Bearer tok-12345" }, "**** expired"],
  ["tok-12345 expired", { authorization: "Bearer tok-12345" }, "**** expired"],
  ["user u1:pa55word denied", { authorization: `Basic ${btoa("u1:pa55word")}` }, "user **** denied"],
  ["pa55word denied", { authorization: `Basic ${btoa("u1:pa55word")}` }, "**** denied"],
  [
    "no application/x-protobuf here",
    { "content-type": "application/x-protobuf" },
    "no application/x-protobuf here",
  ],
  ["tenant a is unknown", { "x-scope-orgid": "a" }, "tenant a is unknown"],
  ["broken", { authorization: "Basic %%%not-base64" }, "broken"],
];

for (const [text, headers, clean] of rows) {
  Deno.test(`withoutSecrets() makes "${clean}" of "${text}"`, () =>
    assertEquals(withoutSecrets(text, headers), clean));
}

Deno.test("redacted() leaves an outcome without words alone", () => {
  const outcome = { kind: "accepted", status: 200, rejected: 0 } as const;
  assertEquals(redacted(outcome, { "x-key": "s3cret-value" }), outcome);
});
