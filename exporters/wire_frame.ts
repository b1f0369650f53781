/**
 * Protobuf messages put together from encoded pieces: a frame is a length-delimited field whose content is known to be
 * whole fields. Sizes are known before a byte is written, so one buffer of the right size is enough.
 * @module
 */

/** Encoded fields, to be copied as they are. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A length-delimited field: tag, length, content. The tag is one byte, which holds for field numbers up to 15. */
export class Frame {
  readonly tag: number;
  readonly content: readonly (Piece | Frame)[];
  readonly contentSize: number;

  constructor(tag: number, content: readonly (Piece | Frame)[]) {
    this.tag = tag;
    this.content = content;
    let size = 0;
    for (const part of content) size += part instanceof Frame ? part.size : part.bytes.length;
    this.contentSize = size;
  }

  /** Bytes of the field, tag and length included. */
  get size(): number {
    return 1 + varintSize(this.contentSize) + this.contentSize;
  }
}

/** Bytes a length takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** The bytes of a frame. `placed` is told where each piece begins, in order. */
export function frameBytes(
  frame: Frame,
  placed: (piece: Piece, at: number) => void,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frame.size);
  let at = 0;
  const write = ({ tag, content, contentSize }: Frame): void => {
    bytes[at++] = tag;
    let length = contentSize;
    while (length >= 0x80) {
      bytes[at++] = (length % 0x80) + 0x80;
      length = Math.floor(length / 0x80);
    }
    bytes[at++] = length;
    for (const part of content) {
      if (part instanceof Frame) {
        write(part);
        continue;
      }
      bytes.set(part.bytes, at);
      placed(part, at);
      at += part.bytes.length;
    }
  };
  write(frame);
  return bytes;
}
