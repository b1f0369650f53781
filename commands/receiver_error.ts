/**
 * Why a start ends when the receiver cannot listen. Apart from the receiver, so that a life without one knows it too.
 * @module
 */

/** The address of `SONDE_RECEIVE` cannot be had: the start ends with 78. */
export class ReceiverError extends Error {
  constructor(address: string, cause: unknown) {
    const found = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot receive on ${address}: ${found}`, { cause });
    this.name = "ReceiverError";
  }
}
