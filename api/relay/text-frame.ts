/**
 * A message as a text frame of a WebSocket (RFC 6455, section 5.2). `ws` builds a frame for each connection; this one
 * is built once and written to all of them.
 */
const FINAL_TEXT = 0x81;
const SHORT_BYTES = 125;
const MEDIUM_BYTES = 0xffff;
/** In place of a length: it follows in 2, or in 8 bytes. */
const IS_MEDIUM = 126;
const IS_LONG = 127;

export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headBytes = bytes <= SHORT_BYTES ? 2 : bytes <= MEDIUM_BYTES ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + bytes);
  frame[0] = FINAL_TEXT;
  if (headBytes === 2) frame[1] = bytes;
  else if (headBytes === 4) {
    frame[1] = IS_MEDIUM;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = IS_LONG;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.write(text, headBytes);
  return frame;
}
