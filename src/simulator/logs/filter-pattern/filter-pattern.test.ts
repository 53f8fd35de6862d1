import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileMatcher } from './evaluate.ts';
import { parseFilterPattern } from './parse.ts';
import { InvalidFilterPattern } from './pattern.ts';
import { necessaryTexts } from './prefilter.ts';

const record = {
  eventName: 'PutObject',
  literal: 'Put*Object',
  sourceIPAddress: '10.1.2.3',
  'cluster.name': 'blue',
  'user-agent': 'curl "x" \\ y',
  status: 404,
  latency: 0.001,
  account: '111122223333',
  error: null,
  readOnly: true,
  managementEvent: false,
  nested: {
    list: [{ id: 1 }, { id: 22 }],
    tags: ['red', 'green'],
    grid: [
      [0, 1],
      [2, 3],
    ],
  },
};

function matches(pattern: string, message: unknown = record, notEqualMatchesMissing?: boolean): boolean {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return compileMatcher(parseFilterPattern(pattern), { notEqualMatchesMissing })(text);
}

describe('a JSON filter pattern', () => {
  it.each([
    ['{ $.eventName = "PutObject" }', true],
    ['{$.eventName=PutObject}', true],
    ['{ $.eventName = "putobject" }', false],
    ['{ $.eventName != "PutObject" }', false],
    ['{ $.eventName = "Put*" }', true],
    ['{ $.eventName = *Object }', true],
    ['{ $.eventName = "*tObj*" }', true],
    ['{ $.eventName = * }', true],
    ['{ $.status = * }', true],
    ['{ $.missing = * }', false],
    ['{ $.eventName = "Put*Object" }', false],
    ['{ $.literal = "Put*Object" }', true],
    ['{ $.sourceIPAddress != 10.1.* }', false],
    ['{ $.sourceIPAddress != 10.2.* }', true],
    ['{ $.status = 404 }', true],
    ['{ $.status = 4.04e2 }', true],
    ['{ $.status = "404" }', true],
    ['{ $.status = 4* }', true],
    ['{ $.status != 500 }', true],
    ['{ $.status > 403 && $.status <= 404 }', true],
    ['{ $.status < 404 || $.status > 404 }', false],
    ['{ $.latency = 1e-3 }', true],
    ['{ $.latency < +0.5 }', true],
    ['{ $.account = 111122223333 }', true],
    ['{ $.account > 5 }', false],
    ['{ $.error IS NULL }', true],
    ['{ $.eventName IS NULL }', false],
    ['{ $.missing IS NULL }', false],
    ['{ $.missing NOT EXISTS }', true],
    ['{ $.error NOT EXISTS }', false],
    ['{ $.readOnly IS TRUE }', true],
    ['{ $.readOnly IS FALSE }', false],
    ['{ $.managementEvent is false }', true],
    ['{ $.readOnly = true }', false],
    ['{ $.nested.list[1].id = 22 }', true],
    ['{ $.nested.list[2].id = 22 }', false],
    ['{ $.nested.grid[1][0] = 2 }', true],
    ['{ $.nested.tags[*] = "green" }', true],
    ['{ $.nested.tags[*] = "blue" }', false],
    ['{ $.nested.list[*].id = 22 }', true],
    ['{ $.* = %^10\\.1\\.[0-9]+\\.3$% }', true],
    ['{ $.[\'cluster.name\'] = "blue" }', true],
    ['{ $.user-agent = "curl \\"x\\" \\\\ y" }', true],
    ['{ $.eventName = %tO% }', true],
    ['{ $.eventName = %^tO% }', false],
    ['{ $.eventName != %tO% }', false],
    // A selector that points to an array or object matches nothing, not even by !=.
    ['{ $.nested.tags = "red" }', false],
    ['{ $.nested.tags != "red" }', false],
    ['{ $.nested != 1 }', false],
    ['{ $.eventName[0] = "P" }', false],
    // && binds tighter than ||, parentheses tighter than both.
    ['{ $.status = 404 || $.status = 1 && $.status = 2 }', true],
    ['{ ($.status = 404 || $.status = 1) && $.status = 2 }', false],
    ['{ (($.status = 404)) }', true],
  ])('%s is %s', (pattern, expected) => {
    expect(matches(pattern)).toBe(expected);
  });

  it('takes a missing or null field for different only where it is told to', () => {
    for (const pattern of ['{ $.missing != "x" }', '{ $.error != "x" }', '{ $.a.b[0] != 1 }']) {
      expect([matches(pattern), matches(pattern, record, true)]).toEqual([false, true]);
    }
    expect(matches('{ $.nested != "x" }', record, true)).toBe(false);
  });

  it('matches no message that is not a JSON object', () => {
    for (const message of ['', 'plain', '{"cut":', '"text"', '7', 'null']) {
      expect(matches('{ $.a NOT EXISTS }', message)).toBe(false);
    }
  });

  it.each([
    '{ $.a }',
    '{ $.a = }',
    '{ $.a = "b }',
    '{ $.a = "b" ',
    '{ $.a = "b" } x',
    '{ a = "b" }',
    '{ $ = "b" }',
    '{ $.a == "b" }',
    '{ $.a = b@c }',
    '{ $.a = "b" & $.c = "d" }',
    '{ $.a IS NOT NULL }',
    '{ $.a EXISTS }',
    '{ $.a > "b" }',
    '{ $.a > x }',
    '{ ($.a = 1 }',
    '{ $.a = %(b)% }',
    '{ $.a = %b!% }',
    '{ $.a = %[% }',
    '{ $.a = %b }',
    '{ $.a = %b% || $.a = %c% || $.a = %d% }',
    '{ $.a[*].b[*] = 1 }',
    '{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }',
    '{ }',
    'user@example.com',
    'ERROR "open',
    '[a, b',
    '[a b]',
    '[a = 1 && b = 2, c]',
  ])('%s is refused', (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(InvalidFilterPattern);
  });
});

describe('a pattern of terms', () => {
  it.each([
    ['', 'anything', true],
    ['" "', 'anything', true],
    ['ERROR', 'an ERRORCODE', true],
    ['error', 'ERROR', false],
    ['ERROR Exception', 'Exception after ERROR', true],
    ['ERROR Exception', 'ERROR alone', false],
    ['?ERROR ?WARN', 'WARN', true],
    ['?ERROR ?WARN', 'INFO', false],
    ['?ERROR REQUEST', 'INFO REQUEST', true],
    ['ERROR -Exiting', 'ERROR Exiting', false],
    ['"ERROR" - "Exiting now"', 'ERROR Exiting later', true],
    ['"in this order"', 'order this in', false],
    ['%AUTH[OR]+IZED%', 'UNAUTHORIZED', true],
    ['-%[0-9]{3}%', 'code 404', false],
  ])('%s on "%s" is %s', (pattern, message, expected) => {
    expect(matches(pattern, message)).toBe(expected);
  });
});

describe('a space-delimited pattern', () => {
  const line = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';
  it.each([
    ['[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]', line, true],
    ['[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]', line, false],
    ['[..., status_code = 404 || status_code = 410, bytes > 1000]', line, true],
    ['[ip = %127\\.0\\.0\\.[1-9]%, ..., bytes >= 1535]', line, false],
    ['[ip, user, username, timestamp = "10/Oct*", ...]', line, true],
    ['[..., request=*.html*, status_code=4*,]', line, true],
    ['[a, b]', 'one', false],
    ['[a, b = two]', 'one two three', false],
    ['[w1=ERROR, w2]', 'ERROR Failed to process request', true],
    ['[w1=ERROR || W1=WARNING, w2]', 'WARNING Invalid', true],
    ['[w1!=ERROR && w1!=WARNING, w2]', 'ERROR message', false],
  ])('%s on %s is %s', (pattern, message, expected) => {
    expect(matches(pattern, message)).toBe(expected);
  });
});

describe('the texts that a message must hold', () => {
  it.each([
    ['{ $.eventName = "CreateUser" }', ['CreateUser']],
    ['{ $.eventName = "Create*" && $.a = 1 }', ['Create']],
    ['{ $.a = "xx" || $.a = "yy" }', ['xx', 'yy']],
    ['{ $.a = "xx" || $.b NOT EXISTS }', undefined],
    ['{ $.a != "xx" }', undefined],
    ['{ $.a = 1000 }', undefined],
    ['{ $.a = "1e3" }', undefined],
    ['{ $.a = "tell \\"me\\"" }', undefined],
    ['ERROR', ['ERROR']],
    ['?ERROR', undefined],
  ])('%s: %j', (pattern, expected) => {
    expect(necessaryTexts(parseFilterPattern(pattern))).toEqual(expected);
  });
});

const testData = process.env['TRAILHOUND_TEST_DATA'];

describe.skipIf(testData === undefined)('with TRAILHOUND_TEST_DATA', () => {
  const read = (name: string): string => readFileSync(join(testData ?? '', 'patterns', name), 'utf8');

  it('gives the result that the guide gives for each of its examples', () => {
    const vectors = JSON.parse(read('cwl_doc_vectors.json')) as {
      pattern: string;
      event: unknown;
      expected: boolean;
    }[];
    expect(vectors.length).toBeGreaterThan(25);
    for (const { pattern, event, expected } of vectors) {
      expect([pattern, matches(pattern, event)]).toEqual([pattern, expected]);
    }
  });

  it('parses the patterns that people publish', () => {
    const refused: string[] = [];
    for (const line of read('cloudwatch_filter_patterns.ndjson').trim().split('\n')) {
      const { pattern } = JSON.parse(line) as { pattern: string };
      try {
        // Two are templates, whose path is put in before they are sent.
        parseFilterPattern(pattern.replaceAll('<INPUT_PATH>', 'input'));
      } catch {
        refused.push(pattern);
      }
    }
    // One is Terraform source around the ends of two patterns.
    expect(refused).toEqual([expect.stringContaining('var.mfa_console_signin_allow_sso ?')]);
  });
});
