/**
 * Asks OpenAI for the tier whose prices the budgets know. A request that names none is served, and billed, in the tier
 * of the vendor's project, which may cost twice as much. Source: OpenAI API reference, `service_tier`: auto, default.
 */
import type { RequestFormat } from '../../contracts/content.ts';
import { nativeRequestFields } from './native-request.ts';
import type { ProviderCall } from './provider.ts';

/** Tiers that cost no more than the usual one. */
const KEPT: readonly unknown[] = ['default', 'flex'];

/** @param baseUrl of the provider; undefined: OpenAI's own. Other servers may not know the field. */
export function withStandardTier(
  call: ProviderCall,
  format: RequestFormat,
  baseUrl: string | undefined,
): ProviderCall {
  const fields = nativeRequestFields(call.input, format);
  if (!isOpenAi(baseUrl) || KEPT.includes(fields['service_tier'])) return call;
  const native = { format, fields: { ...fields, service_tier: 'default' } };
  return { ...call, input: { ...call.input, native } };
}

/** Also the addresses that keep data in a region, such as eu.api.openai.com. */
function isOpenAi(baseUrl: string | undefined): boolean {
  return baseUrl === undefined || /(?:^|\.)api\.openai\.com$/.test(new URL(baseUrl).hostname);
}
