/**
 * The steps of a hand-over as a worker runs them: the real log, ledger, objects and adapters to vendors' batches, and
 * the simulated vendors over HTTP. A test decides at which write the process of a step dies.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { awaitVendors } from '../../../activities/batches/await-vendors.ts';
import type { BatchDependencies } from '../../../activities/batches/batch-dependencies.ts';
import { handOver } from '../../../activities/batches/hand-over.ts';
import { keepAnswers } from '../../../activities/batches/keep-answers.ts';
import { takeAnswers } from '../../../activities/batches/take-answers.ts';
import type { Dependencies } from '../../../activities/dependencies.ts';
import type { BatchStop } from '../../../contracts/batches.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { GenerationInput, GenerationOrder } from '../../../contracts/generation.ts';
import { readLine } from '../../../engine/batches/batch-line.ts';
import { BatchObjects } from '../../../engine/batches/batch-objects.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';
import { checkFile } from '../../../engine/batches/check-lines.ts';
import { PartPlan } from '../../../engine/batches/handover.ts';
import { HandoverObjects } from '../../../engine/batches/handover-objects.ts';
import type { LineFormats } from '../../../engine/batches/line-formats.ts';
import { RedisBatchStore } from '../../../engine/batches/redis-batch-store.ts';
import { BudgetAccounts } from '../../../engine/budget/budget-accounts.ts';
import type { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import { createProviderBatches } from '../../../engine/providers/create-provider-batches.ts';
import { providerKeysOf } from '../../../platform/config/gate-schema.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import { KEY, simulatedConfig } from '../../engine/providers/adapter-for.ts';
import { type AttemptStand, startAttemptStand } from '../attempt/attempt-stand.ts';

const MODEL = 'sim-large';
const ENDPOINT = '/v1/chat/completions';
const OWNER = { tenant: 'acme', user: 'ann', team: null, keyId: 'key', scopes: [] } as const;

export type HandoverDependencies = Dependencies & BatchDependencies;

/** A batch whose file was checked. */
export interface Batch {
  readonly spec: BatchSpec;
  readonly plan: { readonly lines: number; readonly shardLines: number };
  /** The id of the generation of a line. */
  readonly idOf: (line: number) => string;
}

export class HandoverStand {
  readonly stand: AttemptStand;
  readonly dependencies: HandoverDependencies;
  readonly accounts: BudgetAccounts;
  readonly #store: FolderObjectStore;
  readonly #folder: string;
  #batches = 0;
  #epoch = Date.now();

  constructor(stand: AttemptStand, store: FolderObjectStore, folder: string) {
    this.stand = stand;
    this.#store = store;
    this.#folder = folder;
    const { limits } = stand.dependencies.budget as RedisBudgetLedger;
    this.accounts = new BudgetAccounts({ redis: stand.redis, limits });
    this.dependencies = this.#createDependencies();
  }

  /** @param changed for lines of which the test wants more than a question. */
  async begin(
    wire: WireFamily,
    questions: readonly string[],
    changed: Partial<GenerationInput> = {},
  ): Promise<Batch> {
    this.#batches += 1;
    const batchId = `batch_${process.pid}_${Date.now()}_${this.#batches}`;
    const spec: BatchSpec = {
      tenant: OWNER.tenant,
      batchId,
      owner: OWNER,
      format: 'openai',
      endpoint: ENDPOINT,
      inputKey: `files/${batchId}`,
      inputFileId: 'file',
      completionWindow: '24h',
      mode: 'vendor',
      deadlineAtMs: Date.now() + 3_600_000,
      outputKeptMs: 60_000,
      headers: { wire },
      metadata: { changed: JSON.stringify(changed) },
      requestHash: 'hash',
    };
    const lines = questions.map((content, index) => {
      const body = { model: MODEL, messages: [{ role: 'user', content }] };
      return JSON.stringify({ custom_id: `${index}`, method: 'POST', url: ENDPOINT, body });
    });
    await this.#store.put(spec.inputKey, Buffer.from(lines.join('\n')));
    const { batches, batchObjects, checkInput } = this.dependencies;
    const plan = { lines: lines.length, shardLines: 2 };
    await batches.create(spec);
    await batchObjects.writeOffsets(spec, (await checkInput(spec)).offsets);
    await batches.change(batchId, { to: 'in_progress', from: ['validating'], facts: { plan } });
    return { spec, plan, idOf: (line) => `gen_${batchId}_${line}` };
  }

  handOver({ spec, plan }: Batch, dependencies = this.dependencies) {
    const { tenant, batchId, deadlineAtMs } = spec;
    const step = { tenant, batchId, ...plan, deadlineAtMs, linesAtOnce: 4 };
    return this.#run(() => handOver(dependencies)(step));
  }

  /** @param lateMs how long after the time at which vendors are given up; absent: long before. */
  awaitVendors({ spec, plan }: Batch, { cancels = false, isLate = false } = {}) {
    const { tenant, batchId } = spec;
    const giveUpAtMs = Date.now() + (isLate ? -1 : 600_000);
    return this.#run(() =>
      awaitVendors(this.dependencies)({ tenant, batchId, ...plan, giveUpAtMs, cancels }),
    );
  }

  keepAnswers({ spec, plan }: Batch, dependencies = this.dependencies) {
    const { tenant, batchId } = spec;
    const step = { tenant, batchId, ...plan, giveUpAtMs: Date.now() + 600_000 };
    return this.#run(() => keepAnswers(dependencies)(step));
  }

  /** All shards, one after another. @returns the lines that have ended */
  async takeAnswers(
    { spec, plan }: Batch,
    stop: BatchStop | null = null,
    dependencies = this.dependencies,
  ): Promise<readonly number[]> {
    const { tenant, batchId } = spec;
    const ended: number[] = [];
    for (let shard = 0; shard * plan.shardLines < plan.lines; shard += 1) {
      const step = { tenant, batchId, shard, ...plan, stop, closes: stop !== null, except: [] };
      const { lines } = await this.#run(() => takeAnswers(dependencies)(step));
      ended.push(...lines);
    }
    return ended;
  }

  /** Up to the answers in the object store. */
  async answer(batch: Batch): Promise<void> {
    await this.handOver(batch);
    for (;;) {
      const isOver = await this.awaitVendors(batch).then(
        () => true,
        () => false,
      );
      if (isOver) break;
    }
    await this.keepAnswers(batch);
  }

  events(batch: Batch, line: number): Promise<GenerationEvent[]> {
    return this.dependencies.log.read(batch.idOf(line), -1);
  }

  /** What the ledger has booked for a line, and what it still holds for it. */
  async booked(batch: Batch, line: number) {
    const today = new Date().toISOString().slice(0, 10);
    const query = { from: today, until: today, limit: 1_000, generation: batch.idOf(line) };
    const { data } = await this.accounts.entries(OWNER.tenant, query);
    const sum = (of: 'spentMicroUsd' | 'reservedMicroUsd') =>
      data.reduce((total, entry) => total + entry[of], 0);
    const debits = data.filter(({ spentMicroUsd }) => spentMicroUsd > 0).length;
    return { debits, spentMicroUsd: sum('spentMicroUsd'), reservedMicroUsd: sum('reservedMicroUsd') };
  }

  async stop(): Promise<void> {
    await this.stand.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A later attempt than all before it. */
  #run<Result>(step: () => Promise<Result>): Promise<Result> {
    this.#epoch += 1;
    const info = { currentAttemptScheduledTimestampMs: this.#epoch };
    const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
    return environment.run(step) as Promise<Result>;
  }

  #createDependencies(): HandoverDependencies {
    const { stand } = this;
    const base = loadConfig({});
    const wires = [...stand.dependencies.providers.keys()] as WireFamily[];
    const vendorBatches = createProviderBatches({
      ...base,
      providers: Object.fromEntries(
        wires.map((wire) => [
          wire,
          { ...simulatedConfig(wire, stand.sim.url), simulated: true, apiKeyEnv: 'KEY' },
        ]),
      ),
      providerKeys: Object.fromEntries(
        wires.map((wire) => [wire, providerKeysOf({ apiKeyEnv: 'KEY' }, { KEY })]),
      ),
    });
    const rules = {
      endpoint: ENDPOINT,
      atMostLines: 1_000,
      atMostLineBytes: 1_000_000,
      atMostValues: 1_000,
    } as const;
    const unused = () => {
      throw new Error('it was not to be used');
    };
    return {
      ...stand.dependencies,
      compression: { compressOnce: async () => null, read: async () => null } as Dependencies['compression'],
      // The price of a batch, or of a call.
      priceOf: (_provider, _model, { inputTokens, outputTokens, serviceTier }) =>
        (inputTokens + outputTokens) * (serviceTier === 'batch' ? 5 : 10),
      batches: new RedisBatchStore(stand.redis, { keptMs: 60_000 }),
      batchObjects: new BatchObjects(this.#store),
      handoverObjects: new HandoverObjects(this.#store),
      vendorBatches,
      planParts: () =>
        new PartPlan((provider) => vendorBatches.get(provider)?.most ?? { lines: 0, bytes: 0 }),
      vendorTimes: { pollMs: 100, cancelMs: 1_000, liveLineMs: 100 },
      lineFormats: this.#lineFormats(),
      checkInput: async ({ inputKey }) => {
        const download = await this.#store.download(inputKey);
        if (download === null) throw new Error('no input');
        return checkFile(download.body, rules);
      },
      readLine,
      mayPayBatch: async () => true,
      nowMs: Date.now,
      resultFileId: unused,
      files: {} as BatchDependencies['files'],
    };
  }

  /** Lines become generations of the wire that the batch names. */
  #lineFormats(): LineFormats {
    const unused = () => {
      throw new Error('it was not to be used');
    };
    return {
      generationsOf: (_spec, { body }) => ('n' in (body as object) ? 2 : 1),
      order: async ({ batchId, headers, metadata }, { index, body }) => {
        const { messages } = body as Pick<GenerationInput, 'messages'>;
        const order: GenerationOrder = {
          generationId: `gen_${batchId}_${index}`,
          ...OWNER,
          batchId,
          route: 'default',
          candidates: [{ provider: headers['wire'] ?? '', model: MODEL }],
          cache: 'off',
          inputChars: 1,
          maxOutputTokens: 2_000,
          limitMs: 60_000,
        };
        const input = { messages, ...(JSON.parse(metadata?.['changed'] ?? '{}') as object) };
        await this.stand.dependencies.log.create(this.stand.creationOf(order, input));
        return [order];
      },
      refusal: () => null,
      embed: unused,
      book: unused,
      answer: unused,
      endStranded: unused,
      write: unused,
    };
  }
}

export async function startHandoverStand(wires: readonly WireFamily[]): Promise<HandoverStand> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-handover-'));
  const [stand, store] = await Promise.all([startAttemptStand(wires), FolderObjectStore.open(folder)]);
  return new HandoverStand(stand, store, folder);
}
