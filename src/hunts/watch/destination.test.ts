import { expect, it } from 'vitest';
import { TrailhoundError } from '../../kernel/errors.ts';
import { parseDestination } from './destination.ts';

it('reads the kind and the URL, and takes a user and a password out of it', () => {
  expect(parseDestination('slack:https://hooks.slack.com/services/T/B/x')).toMatchObject({
    kind: 'slack',
    authorization: undefined,
  });
  const { url, authorization } = parseDestination('webhook:https://ann:a%20b@example.org/in?x=1');
  expect(url.href).toBe('https://example.org/in?x=1');
  expect(authorization).toBe(`Basic ${Buffer.from('ann:a b').toString('base64')}`);
});

it.each([
  'https://hooks.slack.com/secret',
  'slak:https://hooks.slack.com/secret',
  'slack:/secret',
  'webhook:ftp://h/secret',
  'webhook:http://u:p%zz@h/secret',
])('refuses %s without repeating it', (text) => {
  expect(() => parseDestination(text)).toThrow(TrailhoundError);
  expect(() => parseDestination(text)).not.toThrow(/secret/);
});
