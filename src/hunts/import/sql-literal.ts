/**
 * A text as SQL reads it, whatever standard_conforming_strings says. It has no line ends of its own, so that a statement can be
 * indented.
 */
export function literal(text: string): string {
  return constant(escaped(text).replaceAll('\n', '\\n').replaceAll('\r', '\\r'));
}

/** JSON, whose line ends say nothing: they stay. */
export function jsonLiteral(json: string): string {
  return constant(escaped(json));
}

function escaped(text: string): string {
  return text.replaceAll("'", "''").replaceAll('\\', '\\\\');
}

function constant(body: string): string {
  return body.includes('\\') ? `E'${body}'` : `'${body}'`;
}
