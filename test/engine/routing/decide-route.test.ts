import { describe, expect, test } from '@jest/globals';
import type { Candidate } from '../../../contracts/generation.ts';
import {
  decideRoute,
  type RouteKnowledge,
  type RouteQuestion,
} from '../../../engine/routing/decide-route.ts';
import {
  type CandidateFacts,
  type ModelHealth,
  UNKNOWN_HEALTH,
} from '../../../engine/routing/route-facts.ts';
import { type Route, routeOf } from '../../../platform/config/route-schema.ts';

const NOW = Date.UTC(2026, 10, 24);

function questionOf(route: Partial<Route>, facts: Partial<RouteQuestion> = {}): RouteQuestion {
  return {
    route: { ...routeOf(['p/small', 'p/middle', 'p/large']), ...route },
    task: null,
    inputTokens: 100,
    maxOutputTokens: 1_000,
    seed: 'gen_1',
    nowMs: NOW,
    ...facts,
  };
}

function knowledgeOf(known: {
  readonly facts?: Readonly<Record<string, Partial<CandidateFacts>>>;
  readonly health?: Readonly<Record<string, Partial<ModelHealth>>>;
}): RouteKnowledge {
  return {
    factsOf: ({ model }) => ({
      contextTokens: null,
      costMicroUsd: () => null,
      cannot: null,
      ...known.facts?.[model],
    }),
    healthOf: ({ model }) => ({ ...UNKNOWN_HEALTH, ...known.health?.[model] }),
  };
}

const models = (candidates: readonly Candidate[]) => candidates.map(({ model }) => model);
const task = (name: string) => ({ task: name, source: 'caller', because: 'the caller says so' }) as const;
const perMillion = (price: number) => ({
  costMicroUsd: (input: number, output: number) => ((input + output) * price) / 1_000_000,
});

test('without more said, models are asked as they are listed', () => {
  const { candidates, considered } = decideRoute(questionOf({}), knowledgeOf({}));
  expect(models(candidates)).toEqual(['small', 'middle', 'large']);
  expect(considered.map(({ place }) => place)).toEqual([1, 2, 3]);
});

describe('a task', () => {
  const tasks = routeOf(['p/small'], { complex: ['p/large'] }).tasks;

  test('goes to its models first, and the others stand in', () => {
    const { candidates, considered } = decideRoute(
      questionOf({ tasks }, { task: task('complex') }),
      knowledgeOf({}),
    );
    expect(models(candidates)).toEqual(['large', 'small', 'middle']);
    expect(considered[0]?.why).toContain('for complex tasks');
    expect(considered[1]?.why).toContain('stands in');
  });

  test.each(['poetry', 'constructor', 'toString', '__proto__'])(
    'that the route does not know goes to its general models (%s)',
    (name) => {
      const { candidates } = decideRoute(questionOf({ tasks }, { task: task(name) }), knowledgeOf({}));
      expect(models(candidates)).toEqual(['small', 'middle', 'large']);
    },
  );
});

describe('the order', () => {
  test('by cost asks the cheapest first and those without a known price last', () => {
    const facts = { large: perMillion(10), middle: perMillion(900_000) };
    const { candidates, considered } = decideRoute(questionOf({ order: 'cost' }), knowledgeOf({ facts }));
    expect(models(candidates)).toEqual(['large', 'middle', 'small']);
    expect(considered.map(({ maxCostMicroUsd }) => maxCostMicroUsd)).toEqual([0.011, 990, null]);
  });

  test('by latency counts the first token and the speed after it', () => {
    const health = {
      small: { firstTokenMs: 100, tokensPerSecond: 10 },
      middle: { firstTokenMs: 900, tokensPerSecond: 400 },
      large: { firstTokenMs: 2_000, tokensPerSecond: 400 },
    };
    const { candidates } = decideRoute(questionOf({ order: 'latency' }), knowledgeOf({ health }));
    expect(models(candidates)).toEqual(['middle', 'large', 'small']);
  });

  test('by latency puts a model that nobody has measured lately in the middle, so that it is measured', () => {
    const health = {
      small: { firstTokenMs: 9_000, tokensPerSecond: 100 },
      large: { firstTokenMs: 100, tokensPerSecond: 100 },
    };
    const { candidates } = decideRoute(questionOf({ order: 'latency' }), knowledgeOf({ health }));
    expect(models(candidates)).toEqual(['large', 'middle', 'small']);
  });

  test('by weight gives each model its share, and the same generation the same order', () => {
    const candidates = [
      { provider: 'p', model: 'often', weight: 3 },
      { provider: 'p', model: 'seldom', weight: 1 },
    ];
    const route: Partial<Route> = { order: 'weighted', candidates };
    const firstOf = (seed: string) =>
      decideRoute(questionOf(route, { seed }), knowledgeOf({})).candidates[0]?.model;
    const draws = Array.from({ length: 2_000 }, (_, index) => firstOf(`gen_${index}`));
    const share = draws.filter((model) => model === 'often').length / draws.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
    expect(firstOf('gen_7')).toBe(firstOf('gen_7'));
  });
});

describe('a model', () => {
  test('whose window is too small is not asked, and it is said why', () => {
    const facts = { small: { contextTokens: 50 } };
    const { candidates, considered, plan } = decideRoute(questionOf({}), knowledgeOf({ facts }));
    expect(models(candidates)).toEqual(['middle', 'large']);
    expect(considered.at(-1)).toMatchObject({ model: 'small', place: null });
    expect(considered.at(-1)?.why).toContain('its window of 50 tokens is too small for up to 100');
    expect(plan.contextTokens).toEqual([null, null]);
  });

  test('with the largest window is asked where none seems large enough: our count is only an upper bound', () => {
    const facts = {
      small: { contextTokens: 50 },
      middle: { contextTokens: 99 },
      large: { contextTokens: 70 },
    };
    const { candidates } = decideRoute(questionOf({}), knowledgeOf({ facts }));
    expect(models(candidates)[0]).toBe('middle');
  });

  test('that cannot take the input is never asked', () => {
    const cannot = 'p/x does not take images.';
    const facts = { small: { cannot }, middle: { cannot }, large: { cannot } };
    const { candidates, considered } = decideRoute(questionOf({}), knowledgeOf({ facts }));
    expect(candidates).toEqual([]);
    expect(considered[0]?.why).toContain('does not take images');
  });

  test('whose circuit is open is asked last, and in its place again when it is to be tried', () => {
    const open = (retryAtMs: number) => knowledgeOf({ health: { small: { circuit: 'open', retryAtMs } } });
    expect(models(decideRoute(questionOf({}), open(NOW + 1)).candidates)).toEqual([
      'middle',
      'large',
      'small',
    ]);
    expect(models(decideRoute(questionOf({}), open(NOW)).candidates)).toEqual(['small', 'middle', 'large']);
  });

  test('whose provider refused every key is asked last', () => {
    const knowledge = knowledgeOf({ health: { small: { hasKey: false } } });
    expect(models(decideRoute(questionOf({}), knowledge).candidates)).toEqual(['middle', 'large', 'small']);
  });
});

test('the plan tells people each reason and price, and the workflow what it may do', () => {
  const route = { ...routeOf(['p/small']), onContextLength: [{ provider: 'p', model: 'large', weight: 1 }] };
  const facts = { small: perMillion(1_000_000), large: { contextTokens: 1_000_000 } };
  const { plan } = decideRoute(questionOf(route), knowledgeOf({ facts }));
  expect(plan.reasons).toEqual(['p/small: of the route, as listed, at most $0.001100']);
  expect(plan.onContextLength).toEqual([{ provider: 'p', model: 'large', contextTokens: 1_000_000 }]);
});

describe('a conversation', () => {
  const conversations = Array.from({ length: 40 }, (_, index) => `conversation-${index}`);
  const firstOf = (route: Partial<Route>, facts: Partial<RouteQuestion>, known = knowledgeOf({})) =>
    decideRoute(questionOf(route, facts), known).candidates[0]?.model;

  test('keeps its model of a weighted route at every turn, and conversations spread over the models', () => {
    const order = 'weighted' as const;
    const seeds = ['gen_1', 'gen_2', 'gen_3'];
    for (const conversation of conversations) {
      expect(new Set(seeds.map((seed) => firstOf({ order }, { seed, conversation }))).size).toBe(1);
    }
    const spread = new Set(conversations.map((conversation) => firstOf({ order }, { conversation })));
    expect(spread.size).toBe(3);
    // A short prompt has nothing in a cache: each call draws.
    expect(new Set(conversations.map((seed) => firstOf({ order }, { seed }))).size).toBe(3);
  });

  test('prefers one of the models that are about as fast as the fastest, and never a slower one', () => {
    const order = 'latency' as const;
    const known = knowledgeOf({
      health: {
        small: { firstTokenMs: 400 },
        middle: { firstTokenMs: 410 },
        large: { firstTokenMs: 900 },
      },
    });
    const firsts = conversations.map((conversation) => firstOf({ order }, { conversation }, known));
    expect(new Set(firsts)).toEqual(new Set(['small', 'middle']));
    expect(new Set(conversations.map((seed) => firstOf({ order }, { seed }, known)))).toEqual(
      new Set(['small']),
    );
  });

  test('costs no availability: a model whose circuit is open comes last, and the cheapest stays first', () => {
    const open = knowledgeOf({ health: { small: { circuit: 'open', retryAtMs: NOW + 1_000 } } });
    const cheap = knowledgeOf({
      facts: { small: perMillion(9), middle: perMillion(3), large: perMillion(8) },
    });
    for (const conversation of conversations) {
      expect(firstOf({ order: 'weighted' }, { conversation }, open)).not.toBe('small');
      expect(firstOf({ order: 'cost' }, { conversation }, cheap)).toBe('middle');
      expect(firstOf({}, { conversation })).toBe('small');
    }
  });
});
