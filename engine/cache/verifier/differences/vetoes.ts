/** The kinds of difference that rule out the same answer, the most telling first. */
import { antonym } from './antonym.ts';
import { audience } from './audience.ts';
import { comparison } from './comparison.ts';
import { dates } from './dates.ts';
import type { Veto } from './difference.ts';
import { entities } from './entities.ts';
import { format } from './format.ts';
import { language } from './language.ts';
import { negation } from './negation.ts';
import { numbers, units } from './numbers.ts';
import { question } from './question.ts';
import { quotation } from './quotation.ts';
import { scope } from './scope.ts';
import { symbols } from './symbols.ts';

export const VETOES: readonly Veto[] = [
  symbols,
  quotation,
  numbers,
  units,
  dates,
  language,
  format,
  negation,
  antonym,
  comparison,
  question,
  audience,
  entities,
  scope,
];
