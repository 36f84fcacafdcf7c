/** The blocks of docs/scale.md that are made of the measured costs, by name. */
import { ASSUMED, INPUT_TOKENS, NODES } from './assumptions.ts';
import { type Costs, OWN_PROCESSES } from './costs.ts';
import { amount, bytes, error, gigabytes, large, percent, table, usd, wrapped } from './markdown.ts';
import { disksUsdPerDay, nodesUsdPerDay, tokenBills } from './money.ts';
import { ceilingsOf, ENGINES, type EngineNeed, type Needs, needsOf } from './needs.ts';
import type { Simulated } from './simulate-scale.ts';

const SCALES = [1e6, 1e7, 1e8, 1e9] as const;
const HEAD = SCALES.map((perDay) => `${large(perDay)} a day`);

export function figuresOf(costs: Costs, simulated: Simulated): Record<string, string> {
  const plans = SCALES.map((perDay) => needsOf(costs, perDay));
  const shortPlans = SCALES.map((perDay) => needsOf(costs, perDay, ASSUMED.shortRetention));
  return {
    source: sourceOf(costs),
    cpu: cpuOf(costs),
    kept: keptOf(costs),
    points: pointsOf(costs, simulated),
    shares: sharesOf(simulated),
    plan: planOf(plans),
    engines: enginesOf(plans),
    redis: redisOf(plans, shortPlans),
    ceilings: ceilingTable(costs),
    money: moneyOf(costs, plans),
  };
}

function sourceOf({ measuredOn, machine, generation, points }: Costs): string {
  const others = points.map(({ otherCores }) => amount(otherCores)).join(', ');
  return wrapped(
    `Measured on ${measuredOn}: ${machine.cores} cores (${machine.cpu}), Node ${machine.node}. Temporal (the development
    server on SQLite), Redis, Qdrant, an API, a worker, the simulated provider and the load shared them; other programs
    used ${others} cores meanwhile. A generation of this page has ${generation.tokens} tokens at
    ${amount(generation.tokensPerSecond)} a second, takes ${amount(generation.seconds)} s, and has one viewer.`,
  );
}

function cpuOf({ cpuMs, generation, cache, mainShare }: Costs): string {
  const rows = OWN_PROCESSES.map((name) => [
    name,
    amount(cpuMs.generation[name]),
    amount(cpuMs.token[name] * 1_000),
    amount(cpuMs.frame[name] * 1_000),
    amount(cpuMs.adoption[name]),
    amount(generation.cpuMs[name]),
    amount(cache.cpuMs[name]),
    percent(mainShare[name]),
  ]);
  const total = OWN_PROCESSES.reduce((sum, name) => sum + generation.cpuMs[name], 0);
  const head = [
    '',
    'a generation, ms',
    'a token, µs',
    'an append, µs',
    'adoption, ms',
    `**${generation.tokens} tokens**, ms`,
    'the cache, ms',
    'of it the main thread',
  ];
  return `${table(head, rows)}\n\nTogether ${amount(total)} ms for ${generation.tokens} tokens in ${amount(generation.frames)} appends.`;
}

function keptOf({ generation, cache, memory }: Costs): string {
  const { stateWrites, historyEvents, historyBytes, temporalBytes } = generation;
  const { redisCommands, redisNetworkBytes, runningLogBytes, endedLogBytes } = generation;
  return [
    `- **Temporal**: ${amount(stateWrites)} state writes, a history of ${amount(historyEvents)} events and
    ${bytes(historyBytes)}, and ${bytes(temporalBytes)} in its store.`,
    `- **Redis**: ${amount(redisCommands)} commands and ${bytes(redisNetworkBytes)} over its connections. A log has
    ${bytes(runningLogBytes)} just before its end and ${bytes(endedLogBytes)} afterwards; the books keep
    ${bytes(generation.entryBytes)} of entries and ${bytes(generation.reservationBytes)} of a reservation.`,
    `- **Qdrant**: ${amount(cache.qdrantRequests)} requests, with ${amount(cache.redisCommands)} more commands of Redis, if
    the cache is asked and the answer stored.`,
    `- **Memory**: a worker has ${amount(memory.workerMiB)} MiB and ${amount(memory.workerStreamMiB)} for each stream, an
    API ${amount(memory.apiMiB)} and ${amount(memory.apiStreamMiB)}.`,
  ]
    .map((item) => wrapped(item, '  '))
    .join('\n');
}

function pointsOf(costs: Costs, { points, waitMs }: Simulated): string {
  const rows = costs.points.map((measured, index) => {
    const simulated = points[index];
    if (simulated === undefined) throw new Error('simulated.json has fewer points than measured.json');
    const pair = (name: 'firstMeanMs' | 'perSecond' | 'cpuMs') => [
      amount(measured[name]),
      amount(simulated[name]),
      error(simulated[name], measured[name]),
    ];
    return [measured.concurrency, ...pair('firstMeanMs'), ...pair('perSecond'), ...pair('cpuMs')];
  });
  const head = ['first token, mean ms', 'generations/s', 'CPU of each, ms'].flatMap((name) => [
    name,
    'simulated',
    'error',
  ]);
  const note = wrapped(
    `${costs.pointLoad.tokens} tokens, one every ${amount(costs.pointLoad.delayMs)} ms. The first token of the first row is
    met by choice: the simulation waits ${amount(waitMs)} ms where no process computes. All other figures are predictions.`,
  );
  return `${table(['at once', ...head], rows)}\n\n${note}`;
}

function sharesOf({ shares, plan }: Simulated): string {
  const rows = shares.map(({ share, firstMs, firstP99Ms }) => [
    percent(share),
    amount(firstMs),
    amount(firstP99Ms),
  ]);
  const note = wrapped(
    `With the processes of the plan below for ${large(plan.perDay)} a day, at its peak: ${amount(plan.firstMs)} ms, p99
    ${amount(plan.firstP99Ms)} ms.`,
  );
  return `${table(['busiest main thread', 'first token, median ms', 'p99 ms'], rows)}\n\n${note}`;
}

function planOf(plans: readonly Needs[]): string {
  const row = (name: string, cell: (needs: Needs) => string) => [name, ...plans.map(cell)];
  return table(
    ['', ...HEAD],
    [
      row('mean, a second', (needs) => amount(needs.meanPerSecond)),
      row(`peak, a second: ${ASSUMED.peak} times the mean`, (needs) => amount(needs.peakPerSecond)),
      row('running at once (Little)', (needs) => large(needs.atOnce)),
      row("state writes a second in Temporal's store", (needs) => amount(needs.stateWritesPerSecond)),
      row('history shards', (needs) => needs.historyShards.toLocaleString('en')),
      row("Temporal's store", (needs) => gigabytes(needs.temporalDiskGB)),
      row('commands of Redis a second', (needs) => large(needs.redisCommandsPerSecond)),
      row('network of Redis, a second', (needs) => bytes(needs.redisMBPerSecond * 1e6)),
      row('answers in the cache', (needs) => large(needs.cacheEntries)),
    ],
  );
}

function enginesOf(plans: readonly Needs[]): string {
  const cell = ({ processes, cores, memoryGB, nodes }: EngineNeed) =>
    `${amount(processes)}; ${amount(cores)}; ${gigabytes(memoryGB)}; **${amount(nodes)}**`;
  const rows = ENGINES.map((name) => [name, ...plans.map(({ engines }) => cell(engines[name]))]);
  const total = plans.map(({ engines }) => ENGINES.reduce((sum, name) => sum + engines[name].nodes, 0));
  return table(['', ...HEAD], [...rows, ['nodes', ...total.map((nodes) => `**${amount(nodes)}**`)]]);
}

function redisOf(plans: readonly Needs[], shortPlans: readonly Needs[]): string {
  const row = (name: string, needs: readonly Needs[], cell: (needs: Needs) => number) => [
    name,
    ...needs.map((plan) => gigabytes(cell(plan))),
  ];
  const { logHours, entryDays } = ASSUMED.retention;
  const short = ASSUMED.shortRetention;
  return table(
    ['', ...HEAD],
    [
      row('logs that run', plans, ({ redisRunningGB }) => redisRunningGB),
      row(`ended logs, for ${logHours} hours`, plans, ({ redisEndedGB }) => redisEndedGB),
      row(`books, for ${entryDays} days`, plans, ({ redisBooksGB }) => redisBooksGB),
      row(
        `ended logs, for ${short.logHours} hour of the peak`,
        shortPlans,
        ({ redisEndedGB }) => redisEndedGB,
      ),
      row(`books, for ${short.entryDays} days`, shortPlans, ({ redisBooksGB }) => redisBooksGB),
    ],
  );
}

function ceilingTable(costs: Costs): string {
  const rows = ceilingsOf(costs).map(({ name, perDay }) => [
    name,
    large(perDay),
    ...SCALES.map((scale) => amount(Math.ceil(scale / perDay))),
  ]);
  return table(['full at the peak of', 'generations a day', ...HEAD.map((head) => `at ${head}`)], rows);
}

function moneyOf(costs: Costs, plans: readonly Needs[]): string {
  const outputTokens = costs.generation.tokens;
  const machines = plans.map((needs) => nodesUsdPerDay(needs) + disksUsdPerDay(needs));
  const bills = plans.map((needs) => tokenBills(needs, outputTokens));
  const models = (bills[0] ?? []).map(({ model }, index) => {
    const cells = bills.map((bill, scale) => {
      const tokens = bill[index]?.usdPerDay ?? Number.NaN;
      return `${usd(tokens)}; ${percent((machines[scale] ?? Number.NaN) / tokens)}`;
    });
    return [`tokens of ${model}; machines to tokens`, ...cells];
  });
  return (
    `${table(
      ['a day', ...HEAD],
      [
        [
          `nodes (${NODES.general.name}, ${NODES.memory.name})`,
          ...plans.map((needs) => usd(nodesUsdPerDay(needs))),
        ],
        ['disks', ...plans.map((needs) => usd(disksUsdPerDay(needs)))],
        [
          'machines for 1,000 generations',
          ...plans.map(
            ({ perDay }, index) => `$${(((machines[index] ?? 0) * 1_000) / perDay).toPrecision(2)}`,
          ),
        ],
        ...models,
      ],
    )}\n\n` +
    `Each generation has ${INPUT_TOKENS.toLocaleString('en')} input tokens and ${outputTokens} output tokens.`
  );
}
