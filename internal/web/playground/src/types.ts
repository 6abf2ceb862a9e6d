// The API's shapes, as openapi.yaml says them. Nothing here is written by hand
// but the short names.
import type { components } from './api';

type Schemas = components['schemas'];

export type SessionSummary = Schemas['SessionSummary'];
export type Message = Schemas['Message'];
export type ToolCall = Schemas['ToolCall'];
export type Attachment = Schemas['Attachment'];
export type ThreadItem = Schemas['ThreadItem'];
export type ThreadItemUpdate = Schemas['ThreadItemUpdate'];
export type ErrorResponse = Schemas['ErrorResponse'];
export type ErrorCode = Schemas['ErrorCode'];
export type StreamEvent = Schemas['ThreadStreamEvent'];
export type RunRequest = Schemas['CreateRunRequest'];
