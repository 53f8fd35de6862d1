import { expect, test } from 'vitest';
import { allPages, column, predicate, scanRequest, testContext } from '../../../test/support/source-harness.ts';
import { abuseipdbCategorySource } from './category-source.ts';

test('every category is known without a call, whatever is asked', async () => {
  const context = testContext();
  const source = abuseipdbCategorySource();
  const request = scanRequest([predicate(column('title', 'title'), '=', 'SSH')], { table: 'abuseipdb_category' });
  const pages = await allPages(source, request, context);
  const ids = pages.flatMap(({ records }) => records.map(({ value }) => (value as { id: number }).id));
  expect(ids).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
  expect(context.limits).toEqual([]);
  expect(source.plan(request)).toMatchObject({ empty: false, pushed: [{ exactness: 'none' }] });
});
