/** The port to the named prompts. Versions never change; labels move. */
import type {
  LabelTarget,
  PromptContent,
  PromptReference,
  PromptVersionView,
  PromptView,
} from '../../contracts/prompts.ts';
import type { ArmUnit } from './choose-arm.ts';

export interface ResolvedPrompt extends PromptVersionView {
  /** The label by which it was found; null if the request named the version. */
  readonly label: string | null;
}

/** All methods throw `prompt_not_found` if the prompt, version or label does not exist. */
export interface PromptRegistry {
  /**
   * Adds a version and returns its number. Known content returns its existing version, so a retried request adds no
   * second one.
   */
  addVersion(
    tenant: string,
    name: string,
    content: PromptContent,
    createdBy: string,
  ): Promise<{ readonly version: number; readonly created: boolean }>;
  list(tenant: string): Promise<PromptView[]>;
  read(tenant: string, name: string): Promise<PromptView>;
  readVersion(tenant: string, name: string, version: number): Promise<PromptVersionView>;
  setLabel(tenant: string, name: string, label: string, target: LabelTarget): Promise<void>;
  removeLabel(tenant: string, name: string, label: string): Promise<void>;
  /** The version that a request gets. */
  resolve(tenant: string, reference: PromptReference, unit: ArmUnit): Promise<ResolvedPrompt>;
}
