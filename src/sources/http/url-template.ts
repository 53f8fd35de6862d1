export interface UrlTemplate {
  /** `https://api.example.com`: no value changes it. */
  readonly origin: string;
  /**
   * Path and query with the values percent-encoded in the places of their columns. Undefined: the values cannot stand
   * there, since a path would lead elsewhere by them, or would be that of something else.
   */
  expand(values: Readonly<Record<string, string>>): string | undefined;
}

/** Longer ones are refused by many a server, or cut. */
export const LONGEST_TARGET = 8_000;

const PARTS = /^(https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)(\/[^?#]*)(\?[^#]*)?$/;
const PLACEHOLDER = /\{([a-z_][a-z0-9_]*)\}/g;

/** Undefined: it is no URL of a path and a query that a URL parser reads as it stands. */
export function parseUrlTemplate(text: string): UrlTemplate | undefined {
  const [, origin, path, query = ''] = PARTS.exec(text) ?? [];
  if (origin === undefined || path === undefined) return undefined;
  const sample = (part: string) => part.replace(PLACEHOLDER, 'x');
  const whole = origin + sample(path + query);
  if (/[{}]/.test(whole) || !URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  // A default port that is spelt out is left out by the parser.
  const isSame = url.origin === origin || `${url.origin}:${url.protocol === 'https:' ? '443' : '80'}` === origin;
  if (!isSame || url.pathname + url.search !== sample(path + query)) return undefined;
  return {
    origin: url.origin,
    expand: (values) => {
      const named = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => values[name] ?? '');
      // Services take an empty value for none, and answer for the caller or with a list.
      if (named.includes('')) return undefined;
      const fill = (part: string) =>
        part.replace(PLACEHOLDER, (_, name: string) => encodeURIComponent(values[name] ?? ''));
      const filled = fill(path);
      return filled.split('/').some((segment) => segment === '.' || segment === '..')
        ? undefined
        : filled + fill(query);
    },
  };
}
