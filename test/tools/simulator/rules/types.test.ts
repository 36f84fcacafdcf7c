import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { typesPath } from '../../../../tools/simulator/rules/check-types.ts';
import { textOf, typesOf, VENDORS } from '../../../harness/vendor-types/vendor-types.ts';

test.each(VENDORS)(
  'the types of %s are those of the installed SDK: node test/harness/vendor-types/write.ts',
  (vendor) => {
    expect(readFileSync(typesPath(vendor), 'utf8')).toBe(textOf(typesOf(vendor)));
  },
);
