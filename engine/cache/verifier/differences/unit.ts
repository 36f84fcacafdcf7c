/** 5 km is not 5 miles, and 30 days are not 30 hours. */
import { anyOnlyOneHas, type Check, wordSet } from './difference.ts';

const UNITS = wordSet(
  'second minute hour day week month year decade century km m cm mm mi mile foot ft inch yard kg g gram mg lb pound ounce ' +
    'oz stone ton tonne l ml litre liter gallon pint cup tablespoon teaspoon celsius fahrenheit kelvin degree dollar euro ' +
    'usd eur gbp jpy yen peso rupee franc yuan cent bit byte kb mb gb tb hertz watt volt ampere percent % am pm word ' +
    'sentence page line',
);

export const unit: Check = anyOnlyOneHas('unit', ({ lemma }) => UNITS.has(lemma));
