/** The path of a label in the API. */
export function labelPath(name: string, label: string): string {
  return `/v1/prompts/${encodeURIComponent(name)}/labels/${encodeURIComponent(label)}`;
}
