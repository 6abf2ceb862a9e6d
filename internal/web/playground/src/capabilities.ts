// The server's optional features, read from its OpenAPI document.

/** The files that a message may have. */
export interface FileRules {
  types: string[];
  maxBytes: number;
  /** The maximum number of files in a message. */
  most: number;
}

export interface Capabilities {
  /** The models to choose from, the default first; empty if there is no choice. */
  models: string[];
  /** Absent if the server does not store files. */
  files?: FileRules;
}

interface Property {
  enum?: unknown[];
  maximum?: number;
  maxItems?: number;
}

type Schemas = Record<string, { properties?: Record<string, Property> }>;

/** Reads the capabilities. If the document cannot be loaded, there are none. */
export async function readCapabilities(): Promise<Capabilities> {
  try {
    const response = await fetch('/openapi.json', { cache: 'no-cache', credentials: 'omit' });
    const document = (await response.json()) as { components: { schemas: Schemas } };
    return capabilitiesOf(document.components.schemas);
  } catch {
    return { models: [] };
  }
}

function capabilitiesOf(schemas: Schemas): Capabilities {
  const property = (schema: string, name: string) => schemas[schema]?.properties?.[name] ?? {};
  const types = property('AttachmentCreateParams', 'mime_type').enum;
  const maxBytes = property('AttachmentCreateParams', 'size').maximum;
  const most = property('CreateRunMessage', 'attachments').maxItems;
  return {
    models: (property('CreateRunRequest', 'model').enum ?? []).filter((name) => typeof name === 'string'),
    ...(types && maxBytes && most ? { files: { types: types.map(String), maxBytes, most } } : {}),
  };
}
