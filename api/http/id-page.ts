/** A page of a list, as the clients of OpenAI and Anthropic turn it: by the ids at its ends. */
export function idPage<Item extends { readonly id?: string | undefined }>(
  data: readonly Item[],
  { hasMore }: { readonly hasMore: boolean },
) {
  return { data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}
