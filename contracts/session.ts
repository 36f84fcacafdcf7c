/**
 * What a caller may know of itself and of the deployment; the page loads it first. Browsers load this file, so it stays
 * free of libraries.
 */
import type { Candidate } from './generation.ts';

/** A request with the cookie of the page must have this header, with the value 1. */
export const PAGE_HEADER = 'x-unbroken-page';

export interface SessionView {
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly scopes: readonly string[];
  /** The routes and their candidates, in the order in which they are tried. */
  readonly routes: readonly { readonly name: string; readonly candidates: readonly Candidate[] }[];
  /**
   * URL of the namespace's workflows in the Temporal UI, to which an encoded workflow id is appended. null: there is no
   * UI, or the caller is not an admin (the UI shows all tenants).
   */
  readonly temporalWorkflows: string | null;
}
