import { expect, test } from 'vitest';
import type { Column, Operator } from '../catalog/table.ts';
import { needlesOfPredicate, type Needles } from './needles.ts';

const column = (type: string, path: string): Column => ({
  name: 'c',
  attnum: 1,
  type,
  typeOid: 0,
  notNull: false,
  path,
  operators: [],
  comment: '',
});
const TEXT = column('text', 'eventName');
const RECORD = column('jsonb', '@record');

test.each<readonly [column: Column, operator: Operator, values: readonly string[], needles: Needles | undefined]>([
  [TEXT, '=', ['CreateUser'], ['CreateUser']],
  [TEXT, '=', ['CreateUser', 'x'], undefined],
  [TEXT, 'like', ['%Create%User\\_%'], ['Create']],
  [TEXT, 'ilike', ['Create%', 'delete%', 'CREATE%'], [{ anyCase: 'create' }, { anyCase: 'delete' }]],
  [TEXT, 'ilike', ['Kr\u00fcmel-und-so'], [{ anyCase: 'mel-und-so' }]],
  [TEXT, 'ilike', ['%'], undefined],
  [TEXT, 'ilike', ['1E5'], undefined],
  [TEXT, '~', ['^(Create|Delete)User'], ['Create', 'Delete']],
  [TEXT, '~', ['^(Create|Delete)LoginProfile'], ['LoginProfile']],
  [TEXT, '~', ['^(Create|Delete)(User|Access)?$'], ['Create', 'Delete']],
  [TEXT, '~', ['Create', 'Delete.*Bucket'], ['Create', 'Delete']],
  [TEXT, '~', ['Create|.*'], undefined],
  [TEXT, '~', ['(?i)create'], [{ anyCase: 'create' }]],
  [TEXT, '~*', ['Create(Access|Login)'], [{ anyCase: 'create' }]],
  [RECORD, '~', ['"two words": 12'], ['words']],
  [
    TEXT,
    '=',
    Array.from({ length: 300 }, (_, index) => `name-${index}`),
    Array.from({ length: 300 }, (_, index) => `name-${index}`),
  ],
  [RECORD, 'like', ['%two words%'], ['words']],
  [RECORD, 'like', ['%"a\\\\\\\\b-c-d"%'], ['b-c-d']],
  [column('text', '@region'), '=', ['us-east-1'], undefined],
])('%o %s %j', (of, operator, values, needles) => {
  expect(needlesOfPredicate({ column: of, operator, values })).toEqual(needles);
});
