// What this server offers, as its own document tells every client.

/** Which files a message may have. */
export interface FileRules {
  types: string[];
  maxBytes: number;
  /** The most files of a message. */
  most: number;
}

export interface Offer {
  /** The models to pick from, the one that answers without a choice first; empty where there is no choice. */
  models: string[];
  /** Absent where the server keeps no files. */
  files?: FileRules;
}

interface Property {
  enum?: unknown[];
  maximum?: number;
  maxItems?: number;
}

type Schemas = Record<string, { properties?: Record<string, Property> }>;

/** Without the document the page goes on without a choice and without files. */
export async function readOffer(): Promise<Offer> {
  try {
    const response = await fetch('/openapi.json', { cache: 'no-cache', credentials: 'omit' });
    const document = (await response.json()) as { components: { schemas: Schemas } };
    return offerOf(document.components.schemas);
  } catch {
    return { models: [] };
  }
}

function offerOf(schemas: Schemas): Offer {
  const property = (schema: string, name: string) => schemas[schema]?.properties?.[name] ?? {};
  const types = property('AttachmentCreateParams', 'mime_type').enum;
  const maxBytes = property('AttachmentCreateParams', 'size').maximum;
  const most = property('CreateRunMessage', 'attachments').maxItems;
  return {
    models: (property('CreateRunRequest', 'model').enum ?? []).filter((name) => typeof name === 'string'),
    ...(types && maxBytes && most ? { files: { types: types.map(String), maxBytes, most } } : {}),
  };
}
