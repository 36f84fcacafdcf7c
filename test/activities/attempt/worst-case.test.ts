import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { worstPrice } from '../../../activities/attempt/worst-case.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';

const rate = fc.integer({ min: 0, max: 90_000_000 });
const candidates = fc.array(fc.record({ input: rate, cacheWrite: rate, hour: rate, output: rate }), {
  minLength: 1,
  maxLength: 4,
});

test('no output up to the cap, of whichever candidate, costs more than was reserved', () => {
  fc.assert(
    fc.property(
      candidates,
      fc.nat(200_000),
      fc.integer({ min: 1, max: 100_000 }),
      fc.nat(),
      (rates, input, most, at) => {
        const priceOf = (_: string, model: string, usage: Usage) => {
          const of = rates[Number(model)];
          if (of === undefined) throw new Error(model);
          const { inputTokens, cacheWriteTokens, cacheWriteHourTokens = 0, outputTokens } = usage;
          const written =
            (cacheWriteTokens - cacheWriteHourTokens) * of.cacheWrite + cacheWriteHourTokens * of.hour;
          return Math.ceil((inputTokens * of.input + written + outputTokens * of.output) / 1_000_000);
        };
        const names = rates.map((_, index) => ({ provider: 'p', model: String(index) }));
        const { fixedMicroUsd, outputMicroUsdPerMillion } = worstPrice(priceOf, names, {
          inputTokens: input,
          maxOutputTokens: most,
          forHour: true,
          isSpoken: false,
        });
        const outputTokens = at % (most + 1);
        const reserved = fixedMicroUsd + Math.ceil((outputTokens * outputMicroUsdPerMillion) / 1_000_000);
        for (const { model } of names) {
          const half = Math.floor(input / 2);
          for (const usage of [
            { inputTokens: input },
            { cacheWriteTokens: input },
            { cacheWriteTokens: input, cacheWriteHourTokens: half },
            { inputTokens: half, cacheWriteTokens: input - half },
          ]) {
            expect(priceOf('p', model, { ...NO_USAGE, ...usage, outputTokens })).toBeLessThanOrEqual(
              reserved,
            );
          }
        }
      },
    ),
  );
});

test('what has no price reserves no money', () => {
  expect(
    worstPrice(() => 0, [{ provider: 'p', model: 'm' }], {
      inputTokens: 100,
      maxOutputTokens: 100,
      forHour: true,
      isSpoken: false,
    }),
  ).toEqual({
    fixedMicroUsd: 0,
    outputMicroUsdPerMillion: 0,
  });
});

test('an output is reserved at the price of pictures, or of thoughts, where these cost more', () => {
  const priceOf = (_provider: string, model: string, { outputTokens, ...usage }: Usage) => {
    const { outputImageTokens = 0, reasoningTokens } = usage;
    return outputTokens + (model === 'draws' ? 11 * outputImageTokens : 0) + 5 * reasoningTokens;
  };
  const worst = (model: string) =>
    worstPrice(priceOf, [{ provider: 'p', model }], {
      inputTokens: 100,
      maxOutputTokens: 1_000_000,
      forHour: false,
      isSpoken: false,
    }).outputMicroUsdPerMillion;
  expect([worst('writes'), worst('draws')]).toEqual([5_000_001, 12_000_001]);
});

test('spoken input is reserved at its own price', () => {
  const priceOf = (_provider: string, _model: string, { inputTokens, inputAudioTokens = 0 }: Usage) =>
    inputTokens + 9 * inputAudioTokens;
  const worst = (isSpoken: boolean) =>
    worstPrice(priceOf, [{ provider: 'p', model: 'm' }], {
      inputTokens: 100,
      maxOutputTokens: 100,
      forHour: false,
      isSpoken,
    }).fixedMicroUsd;
  expect([worst(false), worst(true)]).toEqual([100, 1_000]);
});
