/** Runs a table of bodies against the rules of a wire: what the vendor accepts, and what it refuses, in which words. */
import { expect, test } from '@jest/globals';
import {
  type Refusal,
  type Rule,
  refuse,
  type VendorRequest,
} from '../../../../tools/simulator/rules/rule.ts';

export type Body = Record<string, unknown>;

export const ACCOUNT = 'sk-own-account';

/** By the name of the rule: bodies that only this rule refuses, by a part of the vendor's words. */
type Refused = Readonly<Record<string, readonly (readonly [part: string, body: Body, more?: object])[]>>;

interface Table {
  readonly rules: readonly Rule[];
  readonly base: Omit<VendorRequest, 'body'>;
  readonly bodyOf: (status: number, problem: { message: string; param?: string; code?: string }) => object;
  readonly accepted: readonly (readonly [name: string, body: Body, more?: object])[];
  readonly refused: Refused;
}

export const REQUEST = { headers: {}, apiKey: ACCOUNT, hasResponse: () => false } as const;

export function testRules({ rules, base, bodyOf, accepted, refused }: Table): void {
  const ask = (body: Body, more: object = {}): Refusal | null =>
    refuse(rules, { ...base, ...more, body }, bodyOf);

  test.each(accepted.map(([name, body, more = {}]) => [name, body, more] as const))(
    'accepts %s',
    (_name, body, more) => {
      expect(ask(body, more)).toBeNull();
    },
  );

  const cases = Object.entries(refused).flatMap(([rule, bodies]) =>
    bodies.map(([part, body, more = {}]) => [rule, part, body, more] as const),
  );
  test.each(cases)('%s: refuses with "%s"', (rule, part, body, more) => {
    const refusal = ask(body, more);
    expect(refusal?.rule).toBe(rule);
    expect(JSON.stringify(refusal?.body)).toContain(JSON.stringify(part).slice(1, -1));
  });

  test('each rule has its source, and an example that it refuses', () => {
    expect(Object.keys(refused).sort()).toEqual(rules.map(({ name }) => name).sort());
    for (const { source } of rules) expect(source).toMatch(/^https:\/\//);
  });
}
