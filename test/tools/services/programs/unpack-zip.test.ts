import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { unpackEntry } from '../../../../tools/services/programs/unpack-zip.js';
import { type ZipFile, zipArchive } from './zip-archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-zip-'));
const archive = join(folder, 'archive.zip');
const target = join(folder, 'program');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const README: ZipFile = { name: 'a.dist-info/METADATA', content: 'Name: a' };
const program = (change: Partial<ZipFile> = {}): ZipFile => ({
  name: 'a.data/scripts/program',
  content: 'x'.repeat(100_000),
  ...change,
});

async function unpack(bytes: Buffer): Promise<string> {
  writeFileSync(archive, bytes);
  await unpackEntry(archive, (name) => name.endsWith('/program'), { target, maxBytes: 200_000 });
  return readFileSync(target, 'utf8');
}

describe('a file is taken out whole', () => {
  test.each<[string, ZipFile[], string]>([
    ['deflated', [README, program()], ''],
    ['stored', [program({ isStored: true }), README], ''],
    ['behind a longer local header', [README, program({ localExtra: Buffer.alloc(28) })], ''],
    ['from an archive with a comment', [program()], 'a comment'.repeat(1_000)],
  ])('%s', async (_name, files, comment) => {
    const { content } = files.find(({ name }) => name.endsWith('/program')) ?? program();
    expect(await unpack(zipArchive(files, comment))).toBe(content);
  });
});

describe('an archive is refused', () => {
  test.each<[string, Buffer, RegExp]>([
    ['that is no archive', Buffer.from('<html>blocked</html>'), /not a zip archive/],
    ['that is cut off', zipArchive([program()]).subarray(0, 200), /not a zip archive/],
    ['without the file', zipArchive([README]), /has 0 of the wanted/],
    ['with two of them', zipArchive([program(), program({ name: 'b/program' })]), /has 2 of the wanted/],
    ['with an empty file', zipArchive([program({ content: '', isStored: true })]), /is empty/],
    ['that is encrypted', zipArchive([program({ flags: 1 })]), /encrypted/],
    ['with an unknown method', zipArchive([program({ method: 93 })]), /method 93/],
    ['with a file that is too large', zipArchive([program({ content: 'x'.repeat(200_001) })]), /more than/],
    [
      'whose file unpacks to more than it claims',
      zipArchive([program({ content: 'x'.repeat(5_000_000), claimedBytes: 10 })]),
      /more than 200000 bytes/,
    ],
  ])('%s', async (_name, bytes, reason) => {
    await expect(unpack(bytes)).rejects.toThrow(reason);
  });

  test('whose packed bytes are damaged', async () => {
    const bytes = zipArchive([program()]);
    bytes.fill(0xff, 60, 80);
    await expect(unpack(bytes)).rejects.toThrow();
  });
});
