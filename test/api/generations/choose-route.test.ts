/** What a caller reads where no model can take the request. */
import { expect, test } from '@jest/globals';
import { RouteChooser } from '../../../api/generations/choose-route.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { configSchema } from '../../../platform/config/schema.ts';

const [FIRST, SECOND] = ['anthropic/claude-sonnet-4-5', 'anthropic/claude-haiku-4-5'];
const { routes } = configSchema.parse({ routes: { two: [FIRST, SECOND] } });
const config = { ...loadConfig({ ANTHROPIC_API_KEY: 'k' }), routes };
const health = { healthOf: () => ({ hasKey: true, circuit: 'closed' }) };
const chooser = new RouteChooser(config, health as never);
const input: GenerationInput = {
  messages: [{ role: 'user', content: 'Hi' }],
  maxOutputTokens: 100,
  logprobs: 1,
};
const asker = { tenant: 'dev', seed: 'gen_1' };
const WHY = String.raw` does not take logprobs \([^)]*\)\.`;

test('a single model says itself what it does not take', () => {
  expect(() => chooser.choose({ model: FIRST }, input, asker)).toThrow(new RegExp(`^${FIRST}${WHY}$`));
});

test('so does each model of a route', () => {
  expect(() => chooser.choose({ route: 'two' }, input, asker)).toThrow(
    new RegExp(`^No model of the route can answer\\. ${FIRST}${WHY} ${SECOND}${WHY}$`),
  );
});
