import { describe, expect, it } from 'vitest';
import type { ResultField, ResultRow } from '../../hunts/text-query.ts';
import { displayWidth } from './display-width.ts';
import { createRowWriter } from './create-row-writer.ts';
import type { Output } from './row-writer.ts';

const TEXT = 25;
const INT = 23;

function write(output: Output, fields: ResultField[], rows: ResultRow[], toTerminal = false): string {
  const writer = createRowWriter(output, { toTerminal });
  return writer.begin(fields) + rows.map((row) => writer.rows([row])).join('') + writer.end();
}

const FIELDS = [
  { name: 'name', typeOid: TEXT },
  { name: 'n', typeOid: INT },
];
const HOSTILE = 'a\u001b[2Jb\u009b1m\u202ec\nd';

describe('table', () => {
  it('puts numbers to the right and leaves NULL empty', () => {
    const rows = [
      ['alice', '7'],
      [null, '12'],
      ['b', null],
    ];
    expect(write('table', FIELDS, rows)).toBe(
      [' name  | n', '-------+----', ' alice |  7', '       | 12', ' b     |', '(3 rows)', ''].join('\n'),
    );
  });

  it('counts wide characters as two columns and combining ones as none', () => {
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(write('table', FIELDS, [['日本', '1']]).split('\n')[2]).toBe(' 日本 | 1');
  });

  it('shows what a terminal would obey', () => {
    expect(write('table', FIELDS, [[HOSTILE, '1']])).toContain('a\\u001b[2Jb\\u009b1m\\u202ec\\nd');
  });

  it('draws the columns of an empty result', () => {
    expect(write('table', FIELDS, [])).toBe(' name | n\n------+---\n(0 rows)\n');
  });

  it('writes rows as they come once the first ten thousand have been measured', () => {
    const writer = createRowWriter('table', { toTerminal: false });
    writer.begin(FIELDS);
    expect(writer.rows(Array.from({ length: 9_999 }, () => ['x', '1']))).toBe('');
    expect(writer.rows([['x', '1']]).split('\n')).toHaveLength(10_003);
    expect(writer.rows([['longer than all', '1']])).toBe(' longer than all | 1\n');
    expect(writer.end()).toBe('(10001 rows)\n');
  });
});

describe('csv', () => {
  it('tells NULL from an empty text and quotes what must be', () => {
    const rows = [
      [null, '1'],
      ['', '2'],
      ['a "b", c\nd', '3'],
    ];
    expect(write('csv', FIELDS, rows)).toBe('name,n\n,1\n"",2\n"a ""b"", c\nd",3\n');
  });

  it('keeps every character in a file and shows it on a terminal', () => {
    expect(write('csv', FIELDS, [['\u001b[2J', '1']])).toContain('\u001b[2J');
    expect(write('csv', FIELDS, [['\u001b[2J', '1']], true)).toContain('\\u001b[2J');
  });
});

describe('json', () => {
  const fields = [
    { name: 'n', typeOid: 20 },
    { name: 'f', typeOid: 701 },
    { name: 'b', typeOid: 16 },
    { name: 'j', typeOid: 3802 },
    { name: 'a', typeOid: 1009 },
    { name: 'n', typeOid: TEXT },
  ];
  const row = ['9007199254740993', 'NaN', 't', '{"x": [1, "\u009b"]}', '{a,"b c",NULL}', HOSTILE];
  const object =
    '{"n":9007199254740993,"f":"NaN","b":true,"j":{"x": [1, "\\u009b"]},"a":["a","b c",null],' +
    '"n_2":"a\\u001b[2Jb\\u009b1m\\u202ec\\nd"}';

  it('writes one object a line, with all digits, types kept and names made distinct', () => {
    expect(write('jsonl', fields, [row])).toBe(`${object}\n`);
    expect(JSON.parse(object)).toMatchObject({ n_2: HOSTILE });
  });

  it('writes one JSON text, empty or not', () => {
    expect(JSON.parse(write('json', fields, []))).toEqual([]);
    expect(JSON.parse(write('json', fields, [row, row]))).toHaveLength(2);
  });

  it('keeps a json value with line breaks on one line', () => {
    expect(write('jsonl', [{ name: 'j', typeOid: 114 }], [['{\n"a": 1}']])).toBe('{"j":{"a":1}}\n');
  });
});

it('line: writes one value a line', () => {
  expect(write('line', FIELDS, [['x', null]])).toBe('-[ RECORD 1 ]--------------------\nname | x\nn    |\n');
});
