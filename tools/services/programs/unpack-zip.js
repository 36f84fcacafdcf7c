/**
 * Takes one file out of a zip archive, such as a Python wheel. Knows what wheels use: stored or deflated entries below
 * 4 GiB, found through the central directory. It refuses encryption, Zip64 and archives of several parts.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { limitBytes } from './download.js';

const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
/** The end of the archive may be followed by a comment as long as this. */
const MAX_COMMENT_BYTES = 0xffff;
const ZIP64 = 0xffffffff;
const ENCRYPTED_FLAG = 1;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

/** @typedef {import('node:fs/promises').FileHandle} FileHandle */
/** @typedef {{ name: string, method: number, flags: number, packedBytes: number, bytes: number, offset: number }} Entry */

/**
 * Writes the only entry whose name satisfies `isWanted` to `target`. Throws where there is none, or more than one.
 * @param {string} archive
 * @param {(name: string) => boolean} isWanted
 * @param {{ target: string, maxBytes: number }} to
 */
export async function unpackEntry(archive, isWanted, { target, maxBytes }) {
  const file = await open(archive);
  let start;
  let entry;
  try {
    const wanted = (await readDirectory(file)).filter(({ name }) => isWanted(name));
    entry = wanted[0];
    if (entry === undefined || wanted.length > 1)
      throw new Error(`the archive has ${wanted.length} of the wanted files, not 1`);
    if (entry.packedBytes === 0) throw new Error(`${entry.name} is empty`);
    if (entry.bytes > maxBytes) throw new Error(`${entry.name} has more than ${maxBytes} bytes`);
    start = await startOfData(file, entry);
  } finally {
    await file.close();
  }
  const packed = createReadStream(archive, { start, end: start + entry.packedBytes - 1 });
  // The declared size is only a claim, so what comes out is limited as well.
  await pipeline(packed, unpackerOf(entry), limitBytes(maxBytes), createWriteStream(target));
}

/** @param {Entry} entry */
function unpackerOf({ name, method, flags }) {
  if ((flags & ENCRYPTED_FLAG) !== 0) throw new Error(`${name} is encrypted`);
  if (method === 0) return new PassThrough();
  if (method === 8) return createInflateRaw();
  throw new Error(`${name} is packed by method ${method}, which is not supported`);
}

/**
 * @param {FileHandle} file
 * @returns {Promise<Entry[]>}
 */
async function readDirectory(file) {
  const { size } = await file.stat();
  const tail = await readBytes(file, Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES), size);
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
  if (end < 0) throw new Error('not a zip archive, or cut off');
  const count = tail.readUInt16LE(end + 10);
  const bytes = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  if (offset === ZIP64 || bytes > MAX_DIRECTORY_BYTES || offset + bytes > size)
    throw new Error('the directory of the archive cannot be read');
  return entriesOf(await readBytes(file, offset, offset + bytes), count);
}

/**
 * @param {Buffer} directory
 * @param {number} count
 */
function entriesOf(directory, count) {
  /** @type {Entry[]} */
  const entries = [];
  let at = 0;
  while (entries.length < count) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw new Error('the directory of the archive is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    entries.push({
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
      name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
    });
    at += ENTRY_BYTES + nameBytes + extraBytes;
  }
  return entries;
}

/**
 * The local header repeats the name, and may have other extra fields than the directory.
 * @param {FileHandle} file
 * @param {Entry} entry
 */
async function startOfData(file, { name, offset }) {
  const header = await readBytes(file, offset, offset + LOCAL_BYTES);
  if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw new Error(`the header of ${name} is damaged`);
  return offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/**
 * @param {FileHandle} file
 * @param {number} from
 * @param {number} to
 */
async function readBytes(file, from, to) {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}
