/** Fields that never leave this product, or that say nothing: why each changes neither the answer nor the bill. */
import type { RequestFormat } from '../../../contracts/content.ts';

const HERE = 'says how the answer is delivered or kept, which this product does';
const DEFAULT = 'asks for what is the default';
const ALWAYS = 'a vendor without it always keeps to the schema';
const LABEL = 'a label, which only this vendor asks for';
const CHOOSES = 'chooses the provider and the model here';
const COMPACTS = 'says when the conversation is compacted, which this product does';
const OWN_ID = 'names an item that the vendor has no copy of';
const REFUSED = 'the vendor refuses it in a request, though its type has it';

const REASONS: Readonly<Record<RequestFormat, Readonly<Record<string, string>>>> = {
  'openai-chat': {
    'ChatCompletionCreateParamsBase.model': CHOOSES,
    'ResponseFormatText.type': DEFAULT,
    'ChatCompletionCreateParamsBase.stream': HERE,
    'ChatCompletionCreateParamsBase.store': HERE,
    'ChatCompletionCreateParamsBase.metadata': HERE,
    'ChatCompletionCreateParamsBase.stream_options': HERE,
    'ChatCompletionStreamOptions.include_usage': HERE,
    'ResponseFormatJSONSchema.JSONSchema.strict': ALWAYS,
    'ResponseFormatJSONSchema.JSONSchema.name': LABEL,
  },
  'openai-responses': {
    'ResponseCreateParamsBase.model': CHOOSES,
    'ResponseFormatText.type': DEFAULT,
    'ResponseCreateParamsBase.stream': HERE,
    'ResponseCreateParamsBase.store': HERE,
    'ResponseCreateParamsBase.background': HERE,
    'ResponseCreateParamsBase.stream_options': HERE,
    'ResponseCreateParamsBase.metadata': HERE,
    'ResponseCreateParamsBase.context_management': COMPACTS,
    'ResponseCreateParams.ContextManagement.type': COMPACTS,
    'ResponseCreateParams.ContextManagement.compact_threshold': COMPACTS,
    'ResponseCreateParamsBase.previous_response_id': 'its conversation is sent instead',
    'ResponseCreateParamsBase.conversation': 'its items are sent instead',
    'ResponseConversationParam.id': 'its items are sent instead',
    'ResponseInputItem.AdditionalTools.id': OWN_ID,
    'CustomTool.format': DEFAULT,
    'ResponseCustomToolCall.id': OWN_ID,
    'ResponseCustomToolCallOutput.id': OWN_ID,
    'ResponseInputItem.ItemReference.id': 'the item that it names is sent instead',
    'ResponseInputItem.ItemReference.type': 'the item that it names is sent instead',
    'ResponseInputItem.Message.status': OWN_ID,
    'ResponseFormatTextJSONSchemaConfig.strict': ALWAYS,
    'ResponseFormatTextJSONSchemaConfig.name': LABEL,
    'ResponseInputItem.Message.type': DEFAULT,
    'EasyInputMessage.type': DEFAULT,
    'ResponseOutputMessage.id': OWN_ID,
    'ResponseOutputMessage.status': OWN_ID,
    'ResponseFunctionToolCall.id': OWN_ID,
    'ResponseFunctionToolCall.status': OWN_ID,
    'ResponseInputItem.FunctionCallOutput.id': OWN_ID,
    'ResponseInputItem.FunctionCallOutput.status': OWN_ID,
    'ResponseReasoningItem.content': REFUSED,
    'ResponseReasoningItem.status': REFUSED,
    'ResponseReasoningItem.Content.text': REFUSED,
  },
  'anthropic-messages': {
    'MessageCreateParamsBase.model': CHOOSES,
    'MessageCreateParamsBase.stream': HERE,
    'ThinkingConfigDisabled.type': DEFAULT,
    'Tool.type': DEFAULT,
  },
};

export function reasonToIgnore(format: RequestFormat, field: string): string | null {
  return REASONS[format][field] ?? null;
}
