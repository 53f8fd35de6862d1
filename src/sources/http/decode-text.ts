/**
 * The text of a body, in the charset that its content-type names, or else in UTF-8. Undefined: it is none in that, so that
 * a value would become another one.
 */
export function decodeText(body: Uint8Array, contentType: string | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
