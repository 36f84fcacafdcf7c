/** `unbroken` as its users get it: `npm install unbroken`, `npx unbroken start`, in a folder that is no clone. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { textOf } from '../../contracts/fold-events.ts';
import { configSchema } from '../../platform/config/schema.ts';
import { runningPid } from '../../tools/services/pid-file.ts';
import { announcedServices } from '../harness/announced-services.ts';
import { faultsOf } from '../harness/check-events.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { type InstalledProduct, installProduct, type StartedProduct } from '../harness/installed-product.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { connectSimulator } from '../harness/simulator.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

/** Four fifths are the weights of two models, which hardly compress; a tenth is ONNX Runtime in WebAssembly. */
const LARGEST_TARBALL_BYTES = 50 * 1024 ** 2;
const ALLOWED = [
  /^(?:CHANGELOG\.md|LICENSE|README\.md|package\.json|bin\/unbroken\.js)$/,
  /^dist\/(?:activities|api|bin|clients\/typescript|contracts|engine|platform|worker)\/[\w/-]+\.js$/,
  /^dist\/engine\/[\w/-]+\.json$/,
  /^dist\/engine\/(?:embedding|cache\/pair-model)\/weights\/(?:\w+\.(?:onnx|json|md)|README\.md)$/,
  /^dist\/engine\/embedding\/onnxruntime-web\/ort[\w.-]+\.(?:mjs|wasm)$/,
  /^dist\/tools\/simulator\/rules\/types\/[\w-]+\.json$/,
  /^dist\/tools\/(?:deploy|services|simulator)\/[\w/-]+\.js$/,
  /^dist\/clients\/web\/(?:build\.js|dist\/(?:index\.html|sources-sha256|assets\/[\w-]+\.(?:js|css|svg)))$/,
  /^dist\/docs\/errors\/\w+\.md$/,
  /^dist\/docs\/dist\/(?:\.sources-sha256|(?!.*\.\.)[\w./@-]+\.(?:html|js|css|svg|png|json))$/,
  /^dist\/unbroken\.config\.(?:example\.yaml|schema\.json)$/,
  /^dist\/unbroken\.pipeline\.schema\.json$/,
];

const SOURCE_MAP = 'sourceMappingURL=data:application/json;charset=utf-8;base64,';

let product: InstalledProduct;
let installed: string[];
let started: StartedProduct;

beforeAll(async () => {
  product = await installProduct();
  installed = product.files('node_modules');
  started = await product.start({
    ...announcedServices(),
    UNBROKEN_TASK_QUEUE: `test-${randomUUID()}`,
    UNBROKEN_PORT: '0',
  });
});
afterAll(async () => {
  await started?.stop('SIGTERM');
  product?.remove();
});

const bytesOf = (path: string) => readFileSync(join(product.folder, 'node_modules', 'unbroken', path));
const processOf = (name: string) => runningPid(join(product.folder, '.unbroken'), name);

test('the package has the compiled product and nothing else, and is small', () => {
  const paths = product.packed.files.map(({ path }) => path);
  expect(paths.filter((path) => !ALLOWED.some((pattern) => pattern.test(path)))).toEqual([]);
  for (const path of [
    'bin/unbroken.js',
    'dist/api/main.js',
    'dist/clients/web/dist/index.html',
    'dist/docs/dist/index.html',
  ])
    expect(paths).toContain(path);
  expect(product.packed.size).toBeLessThan(LARGEST_TARBALL_BYTES);
});

test('no file in it has a secret', () => {
  const secrets =
    /-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:sk-(?:ant-|proj-)?[\w-]{24,}|ub_(?:dev|live)_\w{24,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36,}|AIza[\w-]{35})/;
  expect(secrets.test(`UNBROKEN_DEV_KEY=${started.key}`)).toBe(true);
  const leaking = product.packed.files.filter(({ path }) =>
    // Every secret is ASCII, and to decode the weights of the models as UTF-8 takes seconds.
    secrets.test(bytesOf(path).toString('latin1')),
  );
  expect(leaking.map(({ path }) => path)).toEqual([]);
});

test('no file in it names a folder of the machine that built it, in a source map neither', () => {
  const naming = product.packed.files
    .map(({ path }) => path)
    .filter((path) => {
      const bytes = bytesOf(path);
      const at = bytes.indexOf(SOURCE_MAP);
      const map = at === -1 ? '' : bytes.toString('latin1', at + SOURCE_MAP.length);
      return bytes.includes(PROJECT_ROOT) || Buffer.from(map, 'base64').includes(PROJECT_ROOT);
    });
  expect(naming).toEqual([]);
});

test('init writes a valid config there, and start reads it', async () => {
  const initialised = await product.run(['init', '--path', 'other.yaml']);
  expect(initialised).toMatchObject({ code: 0, out: expect.stringContaining('npx unbroken start') });
  const path = join(product.folder, 'other.yaml');
  expect(configSchema.safeParse(parse(readFileSync(path, 'utf8')) ?? {}).success).toBe(true);
  writeFileSync(path, 'no-such-key: 1\n');
  const refused = await product.run(['start', '--config', 'other.yaml'], announcedServices());
  expect(refused).toMatchObject({ code: 1, error: expect.stringContaining('no-such-key') });
});

test('its models run without the native runtime, in WebAssembly', async () => {
  const program = `
    import { readFileSync } from 'node:fs';
    import { loadOnnxRuntime } from 'unbroken/dist/engine/embedding/onnx-runtime.js';
    const runtime = await loadOnnxRuntime('wasm');
    const weights = readFileSync('node_modules/unbroken/dist/engine/cache/pair-model/weights/verifier.onnx');
    const { inputNames } = await runtime.load(weights);
    console.log(runtime.kind, inputNames.length);
  `;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: product.folder });
  expect(stdout).toMatch(/^wasm [1-9]\n$/);
});

test('serves the page, and answers a question of its command line', async () => {
  const page = await fetch(started.url);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script type="module"')]);
  const answer = await product.run(['generate', 'Why is the sky blue?'], { UNBROKEN_URL: started.url });
  expect(answer).toMatchObject({ code: 0, out: expect.stringMatching(/\w+ \w+/) });
});

test.each(['api', 'worker'])('a killed %s loses no token, and comes back', async (name) => {
  const api = connectApi(started.url, started.key);
  const input = promptOf({ tokens: 200, delayMs: 10 });
  const expected = await connectSimulator(started.simulatorUrl).text(input);
  const body = await api.submit({ input, cache: 'off' });
  const reading = startReading(api, body.id);
  await reading.deltas(20);
  const killed = processOf(name);
  process.kill(killed ?? -1, 'SIGKILL');
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
  await waitFor(`another ${name}`, () => ![undefined, killed].includes(processOf(name)));
});

test('keeps its data in the folder of the user, writes nothing into node_modules, and stops whole', async () => {
  const pids = ['api', 'worker', 'simulator'].map(processOf);
  await started.stop('SIGTERM');
  expect(started.output()).toMatch(/\nstopped\n$/);
  for (const pid of pids) expect(() => process.kill(pid ?? -1, 0)).toThrow('ESRCH');
  expect(product.files('.unbroken')).toContain('dev-key');
  expect(product.files('node_modules')).toEqual(installed);
  console.info(
    `npm install unbroken: ${product.installedMb()} MB, of which ours ${product.packed.files.length} files`,
  );
});
