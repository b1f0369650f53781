/**
 * Instance ids between their text and their 16 bytes (opamp 1.4).
 * @module
 */

/** A UUID as 16 bytes. Throws SyntaxError when the text is none. */
export function parseUid(text: string): Uint8Array {
  const hex = text.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(hex)) {
    throw new SyntaxError(`Cannot use instance id "${text}": expected a UUID`);
  }
  return Uint8Array.fromHex(hex);
}

/** 16 bytes as canonical UUID text. */
export function formatUid(uid: Uint8Array): string {
  const hex = uid.toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
