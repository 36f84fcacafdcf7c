/** A WebSocket client that may break every rule of RFC 6455: it sends bytes, and tells the frames that come back. */
import { connect } from 'node:net';

export interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits. */
  readonly reserved: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly payload: Uint8Array;
  /** What the head says of the length; absent: the truth. */
  readonly saidLength?: number | undefined;
}

interface HeardFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface RawWebSocket {
  readonly frames: readonly HeardFrame[];
  /** What the server answered the upgrade with. */
  readonly status: number;
  isClosed(): boolean;
  write(bytes: Uint8Array): void;
  /** From now on it takes nothing: what the server sends waits on its way. */
  stopReading(): void;
  /** What was written here and is not on its way yet. */
  unsentBytes(): number;
  destroy(): void;
}

const OPEN_MS = 10_000;
const MASK = Buffer.from([1, 2, 3, 4]);

/** @throws where the server does not answer the upgrade. */
export function openRawWebSocket(url: string, path: string, key: string): Promise<RawWebSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const frames: HeardFrame[] = [];
  let rest = Buffer.alloc(0);
  let status = 0;
  let isClosed = false;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no answer to the upgrade')), OPEN_MS);
    socket.on('error', reject);
    socket.on('close', () => {
      isClosed = true;
      reject(new Error('closed before the upgrade was answered'));
    });
    socket.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      if (status === 0) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        clearTimeout(timer);
        status = Number(/^HTTP\/1\.1 (\d{3})/.exec(rest.toString('latin1'))?.[1] ?? 0);
        rest = rest.subarray(end + 4);
        resolve({
          frames,
          status,
          isClosed: () => isClosed,
          destroy: () => void socket.destroy(),
          write: (bytes) => void socket.write(bytes),
          stopReading: () => void socket.pause(),
          unsentBytes: () => socket.writableLength,
        });
      }
      rest = takeFrames(rest, frames);
    });
    const lines = [
      'upgrade: websocket',
      'connection: upgrade',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
    ];
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: fuzz\r\nauthorization: Bearer ${key}\r\n${lines.join('\r\n')}\r\n\r\n`,
    );
  });
}

/** Server frames are never masked. Returns what is not a whole frame yet. */
function takeFrames(bytes: Buffer, frames: HeardFrame[]): Buffer<ArrayBuffer> {
  let left = Buffer.from(bytes);
  for (;;) {
    if (left.length < 2) return left;
    const short = left.readUInt8(1) & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (left.length < head) return left;
    const length =
      short === 126 ? left.readUInt16BE(2) : short === 127 ? Number(left.readBigUInt64BE(2)) : short;
    if (left.length < head + length) return left;
    frames.push({ opcode: left.readUInt8(0) & 0x0f, payload: left.subarray(head, head + length) });
    left = left.subarray(head + length);
  }
}

export function encodeFrame({ fin, reserved, opcode, isMasked, payload, saidLength }: RawFrame): Buffer {
  const length = saidLength ?? payload.length;
  const first = (fin ? 0x80 : 0) | ((reserved & 7) << 4) | (opcode & 15);
  const mark = isMasked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) head = Buffer.from([first, mark | length]);
  else if (length < 65_536) {
    head = Buffer.from([first, mark | 126, 0, 0]);
    head.writeUInt16BE(length, 2);
  } else {
    head = Buffer.concat([Buffer.from([first, mark | 127]), Buffer.alloc(8)]);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!isMasked) return Buffer.concat([head, payload]);
  const masked = Buffer.from(payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0)));
  return Buffer.concat([head, MASK, masked]);
}
