import { violation } from '../payload-reader.ts';

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** `a=…,b=…` of RFC 5802, section 5. */
export function attributes(text: string): readonly Attribute[] {
  return text.split(',').map((part) => {
    if (!/^[A-Za-z]=/u.test(part)) throw violation('malformed SCRAM message');
    return { name: part.slice(0, 1), value: part.slice(2) };
  });
}

export function requireAttribute(fields: readonly Attribute[], index: number, name: string): string {
  const field = fields[index];
  if (field?.name !== name) throw violation('malformed SCRAM message');
  return field.value;
}
