/**
 * The bill of an agent's session with and without prompt caching: the whole product, the simulated vendors with four
 * keys each, and the vendors' list prices. Nothing is timed, so the figures are the same on every machine.
 */
import { formatUsd } from '../../contracts/money.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { closeTemporalClients } from '../../test/harness/streaming-worker.ts';
import { agentSession } from './agent-session.ts';

const KEYS = ['KEY_1', 'KEY_2', 'KEY_3', 'KEY_4'];
const MODELS = { anthropic: 'claude-sonnet-4-5', openai: 'gpt-5.1' } as const;
const MODES = ['off', '5m', '1h'] as const;

type Vendor = keyof typeof MODELS;
type Mode = (typeof MODES)[number];

/** Of all turns of a session. */
interface SessionBill {
  plain: number;
  cached: number;
  written: number;
  writtenForHour: number;
  output: number;
  costMicroUsd: number;
  /** Keys of the vendor that the session used. */
  readonly keys: Set<string>;
}

/** The providers of the vendors' formats at the simulated one, at the vendors' prices. */
export function vendorsAt(simulatorUrl: string): object {
  const keys = KEYS.map((env) => ({ env }));
  const as = (vendor: Vendor) => ({ pricedAs: vendor, knownAs: vendor, keys });
  return {
    providers: {
      anthropic: { wire: 'anthropic-messages', baseUrl: simulatorUrl, ...as('anthropic') },
      openai: { wire: 'openai-responses', baseUrl: `${simulatorUrl}/v1`, ...as('openai') },
    },
  };
}

export const VENDOR_KEYS = Object.fromEntries(KEYS.map((name) => [name, `sk-${name.toLowerCase()}`]));

/** Runs the session through the product, one turn after another. */
export async function billOf(
  { api, sim }: Pick<Stack, 'api' | 'sim'>,
  { vendor, mode, turns }: { readonly vendor: Vendor; readonly mode: Mode; readonly turns: number },
): Promise<SessionBill> {
  await sim.forget();
  const bill = emptyBill();
  for (const turn of agentSession(turns)) {
    const response = await api.send('/v1/messages', {
      method: 'POST',
      headers: { 'x-unbroken-cache': 'off', 'x-unbroken-prompt-caching': mode },
      body: JSON.stringify({ ...turn, model: `${vendor}/${MODELS[vendor]}`, max_tokens: 1_000 }),
    });
    const answer = (await response.json()) as { usage?: Usage };
    if (answer.usage === undefined) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    addTo(bill, answer.usage, Number(response.headers.get('x-unbroken-cost-micro-usd')));
  }
  for (const { apiKey } of await sim.calls()) bill.keys.add(apiKey);
  return bill;
}

interface Usage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_creation: { readonly ephemeral_1h_input_tokens: number };
  readonly output_tokens: number;
}

function emptyBill(): SessionBill {
  return { plain: 0, cached: 0, written: 0, writtenForHour: 0, output: 0, costMicroUsd: 0, keys: new Set() };
}

function addTo(bill: SessionBill, usage: Usage, costMicroUsd: number): void {
  bill.plain += usage.input_tokens;
  bill.cached += usage.cache_read_input_tokens;
  bill.written += usage.cache_creation_input_tokens;
  bill.writtenForHour += usage.cache_creation.ephemeral_1h_input_tokens;
  bill.output += usage.output_tokens;
  bill.costMicroUsd += costMicroUsd;
}

export async function benchPromptCaching(turns: number): Promise<void> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ services: services.env, config: vendorsAt, env: VENDOR_KEYS });
    const rows: Record<string, object> = {};
    for (const vendor of Object.keys(MODELS) as Vendor[]) {
      const bills = new Map<Mode, SessionBill>();
      for (const mode of MODES) bills.set(mode, await billOf(stack, { vendor, mode, turns }));
      const without = bills.get('off')?.costMicroUsd ?? 0;
      for (const [mode, bill] of bills) rows[`${MODELS[vendor]}, ${mode}`] = rowOf(bill, without);
    }
    console.log(`\nThe bill of a session of ${turns} turns, by promptCaching; four keys of each vendor`);
    console.table(rows);
  } finally {
    await stack?.stop();
    await closeTemporalClients();
    await services.stop();
  }
}

function rowOf(bill: SessionBill, withoutMicroUsd: number) {
  return {
    'plain input': bill.plain,
    'read from cache': bill.cached,
    'written to cache': bill.written,
    output: bill.output,
    keys: bill.keys.size,
    cost: formatUsd(bill.costMicroUsd),
    saved: `${Math.round((1 - bill.costMicroUsd / withoutMicroUsd) * 100)} %`,
  };
}
