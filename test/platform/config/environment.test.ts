import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';

test.each(['UNBROKEN_PORT', 'UNBROKEN_METRICS_PORT'])(
  '%s that is no port is reported with the fix',
  (name) => {
    // Kubernetes sets such a value in all pods beside a Service of the name `unbroken`.
    for (const value of ['tcp://10.0.0.1:8787', '70000', '-1', '80.5'])
      expect(() => loadConfig({ [name]: value })).toThrow(`${name}: expected a port, 0 to 65535`);
  },
);
