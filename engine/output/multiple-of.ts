/**
 * `multipleOf` as people mean it. As a division of binary fractions, 0.3 is no multiple of 0.1, nor 19.99 of 0.01: a
 * right answer would be paid, refused and asked for again.
 */

/** @param step greater than 0. */
export function isMultiple(value: number, step: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(step)) return value % step === 0;
  const [amount, amountPower] = decimalOf(value);
  const [unit, unitPower] = decimalOf(step);
  const power = Math.min(amountPower, unitPower);
  return (amount * 10n ** BigInt(amountPower - power)) % (unit * 10n ** BigInt(unitPower - power)) === 0n;
}

/** The digits that JSON would write, as a whole number and the power of ten that it is multiplied with. */
function decimalOf(value: number): readonly [bigint, number] {
  const [digits = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = digits.split('.');
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}
