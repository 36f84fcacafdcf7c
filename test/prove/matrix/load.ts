/** Callers at work: each asks, lets its readers follow, does what is planned, waits for the end, and asks again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenerationRequest, GenerationView, Message } from '../../../contracts/generation.ts';
import { createRandom } from '../../harness/random.ts';
import type { Accepted } from './accepted.ts';
import { AGAIN_MS, Asker } from './ask.ts';
import { isClosed } from './evidence.ts';
import { expireLog, readLog } from './logs.ts';
import { type Following, hasEnded } from './notebook.ts';
import { type PlannedRequest, planRequests, TENANTS, type Tenant } from './plan.ts';
import type { Stage } from './stage.ts';
import type { Timeline } from './timeline.ts';

interface Seen {
  readonly tenant: Tenant;
  readonly what: string;
}

export interface LoadDone {
  readonly accepted: readonly Accepted[];
  /** Refused for their budget. */
  readonly refused: number;
  /** Calls that were sent again because no answer came. */
  readonly silences: number;
  readonly unclear: readonly string[];
  /** What another tenant could see, and must not. */
  readonly seen: readonly Seen[];
  /** Deleted generations that could be read afterwards: what was answered. */
  readonly readAfterDelete: readonly { readonly id: string; readonly what: string }[];
}

interface LoadPlan {
  readonly seed: number;
  readonly atOnce: number;
  readonly timeline: Timeline;
}

const END_WITHIN_MS = 20_000;
const READ_WITHIN_MS = 10_000;
const DELETED_WITHIN_MS = 20_000;
const POLL_MS = 400;
const SECOND_QUESTION = 'And what came next?';

export async function load(
  stage: Stage,
  keys: Readonly<Record<Tenant, string>>,
  plan: LoadPlan,
  signal: AbortSignal,
): Promise<LoadDone> {
  return await new Load(stage, keys, plan, signal).run();
}

class Load {
  readonly #stage: Stage;
  readonly #keys: Readonly<Record<Tenant, string>>;
  readonly #plan: LoadPlan;
  readonly #signal: AbortSignal;
  readonly #asker: Asker;
  readonly #accepted: Accepted[] = [];
  readonly #seen: Seen[] = [];
  readonly #readAfterDelete: { id: string; what: string }[] = [];
  #refused = 0;
  #next = 0;

  constructor(stage: Stage, keys: Readonly<Record<Tenant, string>>, plan: LoadPlan, signal: AbortSignal) {
    this.#stage = stage;
    this.#keys = keys;
    this.#plan = plan;
    this.#signal = signal;
    this.#asker = new Asker(stage.apis);
  }

  async run(): Promise<LoadDone> {
    await Promise.all(Array.from({ length: this.#plan.atOnce }, (_, number) => this.#lane(number)));
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      unclear: this.#asker.unclear,
      silences: this.#asker.silences,
      seen: this.#seen,
      readAfterDelete: this.#readAfterDelete,
    };
  }

  async #lane(number: number): Promise<void> {
    const { seed } = this.#plan;
    const random = createRandom(seed + number);
    while (!this.#signal.aborted) {
      const index = this.#next;
      this.#next += 1;
      await Promise.all(planRequests(seed, index).map((planned) => this.#one(planned)));
      await sleep(random.between(0, 200));
    }
  }

  async #one(plan: PlannedRequest): Promise<void> {
    await this.#pause(plan.beginAfterMs);
    if (plan.fault !== null) {
      const fault = { ...plan.fault, match: plan.mark, delayMs: 2_500 };
      // The provider may be down: then there is a fault enough.
      await this.#stage.sim.fault(fault).catch(() => this.#plan.timeline.note(`no fault for ${plan.mark}`));
    }
    const accepted = await this.#submit(plan, { ...plan.body, input: plan.input, user: plan.user });
    if (accepted === null) return;
    if (plan.isProbed) await this.#probe(accepted);
    if (plan.cancelAfterMs !== null) await this.#cancel(accepted, plan.cancelAfterMs);
    if (plan.deleteAfterMs !== null) return await this.#delete(accepted, plan.deleteAfterMs);
    const view = await this.#end(accepted);
    if (view === null || this.#signal.aborted) return;
    if (plan.kind === 'reused') await this.#reuse(accepted);
    if (plan.secondTurn !== null && view.status === 'completed' && view.text)
      await this.#converse(accepted, view.text);
  }

  /** null where it was refused. */
  async #submit(plan: PlannedRequest, request: GenerationRequest, life = ''): Promise<Accepted | null> {
    const response = await this.#asker.ask(this.#keys[plan.tenant], '/v1/generations', {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'idempotency-key': `matrix-${plan.name}` },
    });
    const answer = (await response.json()) as GenerationView;
    const { input = '' } = request;
    const messages: readonly Message[] =
      typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    return await this.#accept(plan, messages, { response, answer, id: answer.id, life });
  }

  async #accept(
    plan: PlannedRequest,
    messages: readonly Message[],
    { response, answer, id, life }: { response: Response; answer: unknown; id: string; life: string },
  ): Promise<Accepted | null> {
    if (response.status === 429) {
      this.#refused += 1;
      await sleep(AGAIN_MS);
      return null;
    }
    if (response.status !== 201 && response.status !== 200) {
      this.#asker.unclear.push(`POST: ${response.status} ${JSON.stringify(answer)}`);
      return null;
    }
    const readers = Array.from({ length: plan.readers }, (_, reader) => `${plan.name}${life}-${reader}`);
    const accepted: Accepted = {
      plan,
      id,
      acceptedAtMs: Date.now(),
      messages,
      readers,
      cancelledAtMs: null,
      deletedAtMs: null,
      expiredLog: null,
    };
    this.#accepted.push(accepted);
    await this.#follow(accepted);
    return accepted;
  }

  async #follow({ plan, id, readers }: Accepted): Promise<void> {
    for (const [place, reader] of readers.entries()) {
      const turn = plan.index + place;
      const following: Following = {
        wire: turn % 4 === 0 ? 'responses' : 'native',
        reader,
        generationId: id,
        key: this.#keys[plan.tenant],
        apis: this.#stage.apis,
        seed: this.#plan.seed + plan.index * 31 + place,
      };
      await order(this.#stage.readers[turn % this.#stage.readers.length] ?? '', following);
    }
  }

  /** The other tenants ask for it, and for what they may list. */
  async #probe({ plan, id }: Accepted): Promise<void> {
    for (const tenant of TENANTS.filter((other) => other !== plan.tenant)) {
      for (const path of [`/v1/generations/${id}`, `/v1/generations/${id}/events`]) {
        const { status } = await this.#asker.ask(this.#keys[tenant], path);
        if (status !== 404) this.#asker.unclear.push(`${path} by ${tenant}: ${status}`);
      }
      const list = await this.#asker.ask(this.#keys[tenant], '/v1/generations?limit=100');
      this.#seen.push({ tenant, what: await list.text() });
    }
  }

  async #cancel(accepted: Accepted, afterMs: number): Promise<void> {
    await this.#pause(afterMs);
    const key = this.#keys[accepted.plan.tenant];
    const response = await this.#asker.ask(key, `/v1/generations/${accepted.id}/cancel`, { method: 'POST' });
    if (response.status === 202) accepted.cancelledAtMs = Date.now();
    else this.#asker.unclear.push(`cancel: ${response.status} ${await response.text()}`);
  }

  /** Until the API says that it is deleted; then nobody may read it, on any API. */
  async #delete(accepted: Accepted, afterMs: number): Promise<void> {
    await this.#pause(afterMs);
    const key = this.#keys[accepted.plan.tenant];
    const path = `/v1/responses/${responseIdOf(accepted.id)}`;
    const deadline = Date.now() + DELETED_WITHIN_MS;
    while (Date.now() < deadline) {
      const response = await this.#asker.ask(key, path, { method: 'DELETE' });
      const text = await response.text();
      // An answer that was lost may have deleted it.
      const isDeleted = response.status === 404 || (response.ok && text.includes('"deleted":true'));
      if (!isDeleted) {
        await sleep(POLL_MS);
        continue;
      }
      accepted.deletedAtMs = Date.now();
      for (const place of [path, `/v1/generations/${accepted.id}`, `/v1/generations/${accepted.id}/events`]) {
        const after = await this.#asker.ask(key, place);
        if (after.ok) this.#readAfterDelete.push({ id: accepted.id, what: `${place}: ${after.status}` });
        await after.body?.cancel();
      }
      return;
    }
  }

  /** The view of its end; null where that did not come in time. */
  async #end({ plan, id }: Accepted): Promise<GenerationView | null> {
    const deadline = Date.now() + END_WITHIN_MS;
    while (Date.now() < deadline && !this.#signal.aborted) {
      const response = await this.#asker.ask(this.#keys[plan.tenant], `/v1/generations/${id}`);
      const view = (await response.json()) as GenerationView;
      if (view.status !== 'running') return view;
      await sleep(POLL_MS);
    }
    return null;
  }

  /** The log expires, as it does after its retention; then the same request comes again, under the same key. */
  async #reuse(accepted: Accepted): Promise<void> {
    const { plan, id } = accepted;
    const deadline = Date.now() + READ_WITHIN_MS;
    while (!accepted.readers.every((reader) => hasEnded(this.#stage.notebooks, reader))) {
      if (Date.now() > deadline) return;
      await sleep(POLL_MS);
    }
    const { REDIS_URL } = this.#stage.direct;
    // A log is kept for longer than any run needs to settle its accounts.
    if (!(await isClosed(this.#stage, accepted))) return;
    const log = await readLog(REDIS_URL, id);
    if (log === null || !(await expireLog(REDIS_URL, id))) return;
    accepted.expiredLog = log;
    this.#plan.timeline.note(`the log of ${id} expired`);
    const again = await this.#submit(plan, { ...plan.body, input: plan.input, user: plan.user }, 'again');
    if (again !== null) await this.#end(again);
  }

  /** The answer so far is part of the next question. */
  async #converse({ plan, id, messages }: Accepted, text: string): Promise<void> {
    const second: PlannedRequest = { ...plan, name: `${plan.name}.2`, fault: null, secondTurn: null };
    const conversation: readonly Message[] = [
      ...messages,
      { role: 'assistant', content: text },
      { role: 'user', content: SECOND_QUESTION },
    ];
    if (plan.secondTurn === 'messages') {
      const request = { ...plan.body, input: [...conversation], user: plan.user };
      const accepted = await this.#submit(second, request);
      if (accepted !== null) await this.#end(accepted);
      return;
    }
    const response = await this.#asker.ask(this.#keys[plan.tenant], '/v1/responses', {
      method: 'POST',
      body: JSON.stringify({
        model: plan.body.model ?? 'unbroken',
        input: SECOND_QUESTION,
        background: true,
        store: true,
        previous_response_id: responseIdOf(id),
        user: plan.user,
        max_output_tokens: plan.body.maxOutputTokens,
      }),
      headers: { 'idempotency-key': `matrix-${second.name}`, 'x-unbroken-cache': 'off' },
    });
    const answer = (await response.json()) as { id: string };
    const accepted = await this.#accept(second, conversation, {
      response,
      answer,
      life: '',
      id: String(answer.id).replace(/^resp_/, 'gen_'),
    });
    if (accepted !== null) await this.#end(accepted);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, null, { signal: this.#signal }).catch(() => 'the load is over');
  }
}

function responseIdOf(generationId: string): string {
  return generationId.replace(/^gen_/, 'resp_');
}

/** Until the process of readers has taken it: it may be down. */
async function order(url: string, following: Following): Promise<void> {
  for (;;) {
    const taken = await askReaders(url, following).catch(() => false);
    if (taken) return;
    await sleep(AGAIN_MS);
  }
}

async function askReaders(url: string, following: Following): Promise<boolean> {
  const signal = AbortSignal.timeout(8_000);
  return (await fetch(url, { method: 'POST', body: JSON.stringify(following), signal })).ok;
}
