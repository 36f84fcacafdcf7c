/** What a caller may know of itself and of the deployment; the page begins with it. Types only: browsers load this. */
import type { Candidate } from './generation.ts';

export interface SessionView {
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly scopes: readonly string[];
  /** The routes and their candidates, in the order in which they are tried. */
  readonly routes: readonly { readonly name: string; readonly candidates: readonly Candidate[] }[];
  /**
   * Where the Temporal UI shows the workflows of the namespace; a workflow id, encoded, goes behind it. null: there is
   * none, or the caller is no admin (the UI shows all tenants).
   */
  readonly temporalWorkflows: string | null;
}
