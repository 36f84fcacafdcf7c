/** Writes the vendors' request types for the strict simulator, after an update of their SDKs. */
import { writeFileSync } from 'node:fs';
import { typesPath } from '../../../tools/simulator/rules/check-types.ts';
import { textOf, typesOf, VENDORS } from './vendor-types.ts';

for (const vendor of VENDORS) writeFileSync(typesPath(vendor), textOf(typesOf(vendor)));
