// Short names for the types that are generated from openapi.yaml.
import type { components } from './openapi';

type Schemas = components['schemas'];

export type SessionSummary = Schemas['SessionSummary'];
export type Message = Schemas['Message'];
export type ToolCall = Schemas['ToolCall'];
export type Attachment = Schemas['Attachment'];
export type FinishReason = NonNullable<Message['finish_reason']>;
export type ThreadItem = Schemas['ThreadItem'];
export type ThreadItemUpdate = Schemas['ThreadItemUpdate'];
export type ErrorResponse = Schemas['ErrorResponse'];
export type ErrorCode = Schemas['ErrorCode'];
export type StreamEvent = Schemas['ThreadStreamEvent'];
export type RunRequest = Schemas['CreateRunRequest'];
