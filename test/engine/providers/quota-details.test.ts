/** The wait of a refusal of Google, which names a delay of seconds beside a limit of a whole day. */
import { expect, test } from '@jest/globals';
import { waitInDetails } from '../../../engine/vendor-errors/quota-details.ts';
import { parseVendorError } from '../../../engine/vendor-errors/vendor-error.ts';

const HOUR_MS = 3_600_000;
const RETRY_INFO = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '47s' };
const violation = (quotaId: string) => ({ violations: [{ quotaMetric: 'requests', quotaId }] });
const NOON_IN_LONDON = Date.parse('2026-01-15T12:00:00Z');

// https://github.com/gke-labs/gemini-for-kubernetes-development/issues/1215,
// https://github.com/googleapis/python-genai/issues/2044
test('a limit of a day has room at midnight in the Pacific time zone', () => {
  const details = [violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), RETRY_INFO];
  expect(waitInDetails(details, NOON_IN_LONDON)).toBe(20 * HOUR_MS);
  expect(waitInDetails(details, Date.parse('2026-07-15T12:00:00Z'))).toBe(19 * HOUR_MS);
});

test('the night in which the clocks change is an hour shorter', () => {
  const details = [violation('GenerateRequestsPerDayPerProjectPerModel')];
  expect(waitInDetails(details, Date.parse('2026-03-08T08:30:00Z'))).toBe(22.5 * HOUR_MS);
});

// https://github.com/google-gemini/gemini-cli/issues/10513
test('a limit of a day by the name in the metadata', () => {
  const details = [{ reason: 'RATE_LIMIT_EXCEEDED', metadata: { quota_limit: 'Gemini25ProRequestsPerDay' } }];
  expect(waitInDetails(details, NOON_IN_LONDON)).toBe(20 * HOUR_MS);
});

test('any other limit has the delay that is named', () => {
  expect(waitInDetails([violation('GenerateRequestsPerMinutePerProject'), RETRY_INFO])).toBe(47_000);
  expect(waitInDetails([{ reason: 'RATE_LIMIT_EXCEEDED' }])).toBeUndefined();
});

test.each([undefined, null, 'text', [null, 1, 'x'], [{ violations: 'x', retryDelay: 5 }]])(
  'details that are none have no wait: %j',
  (details) => {
    expect(waitInDetails(details)).toBeUndefined();
  },
);

test('the same in an error of any wire', () => {
  const body = JSON.stringify([{ error: { code: 429, message: 'No.', details: [RETRY_INFO] } }]);
  expect(parseVendorError(body).headers).toEqual({ 'retry-after-ms': '47000' });
});
