import { expect, test } from '@jest/globals';
import { metricsOfWorker } from '../../../tools/services/metrics-ports.ts';

test.each([
  [undefined, {}],
  [0, { UNBROKEN_METRICS_PORT: '0' }],
  [9464, { UNBROKEN_METRICS_PORT: '9465' }],
])(
  'where the API serves its metrics on port %p, the worker serves its own on another',
  (port, environment) => {
    expect(metricsOfWorker(port)).toEqual(environment);
  },
);
